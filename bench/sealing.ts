// What does sealing cost? CPU of putting and getting an object with and without it, and of the sealing alone. In this process, on the disk
// blob store, without HTTP; ratios within one run, since machines differ.
//
//   node bin/node26.js bench/sealing.ts
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { systemRandom } from '../src/base/random.ts'
import { openBlob, sealBlob } from '../src/model/sealed-blob.ts'
import { diskBlobs } from '../src/storage/disk/blobs.ts'

const ROUNDS = 5
/** Bytes of an object, and how many of them are one measurement. */
const SIZES = [
  [16 * 1024, 400],
  [1024 * 1024, 40],
  [64 * 1024 * 1024, 2],
] as const
/** As the HTTP door hands bodies on. */
const CHUNK_BYTES = 64 * 1024

const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-sealing-'))
const random = systemRandom()
const blobs = await diskBlobs({ folder: join(folder, 'blobs'), random, clock: systemClock })
const key = random.bytes(32)

try {
  for (const [bytes, times] of SIZES) await benchSize(bytes, times)
} finally {
  rmSync(folder, { recursive: true })
}

async function benchSize(bytes: number, times: number): Promise<void> {
  const plain = Buffer.alloc(bytes, 'what an object holds ')
  const source = () => chunksOf(plain)
  const ids = { bare: (await blobs.write(source())).id, sealed: (await blobs.write(sealBlob(source(), key))).id }
  const read = (id: string) => (range: { start: number; end: number }) => blobs.read(id, range) as AsyncIterable<Buffer>
  const works: Readonly<Record<string, () => Promise<unknown>>> = {
    'put, bare': async () => blobs.remove((await blobs.write(source())).id),
    'put, sealed': async () => blobs.remove((await blobs.write(sealBlob(source(), key))).id),
    'get, bare': () => drain(blobs.read(ids.bare) as AsyncIterable<Buffer>),
    'get, sealed': () => drain(openBlob(read(ids.sealed), key, bytes)),
    'a range of 1 KiB, sealed': () => drain(openBlob(read(ids.sealed), key, bytes, { start: bytes / 2, end: bytes / 2 + 1024 })),
  }
  const least = new Map<string, number>()
  // The least of several rounds, in turn: a neighbour's noise only adds.
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, work] of Object.entries(works)) {
      const microseconds = await cpuOf(work, times)
      if (round > 0) least.set(name, Math.min(least.get(name) ?? Infinity, microseconds))
    }
  const ratio = (what: string): string => ((least.get(`${what}, sealed`) ?? 0) / (least.get(`${what}, bare`) ?? 1)).toFixed(2)
  console.log(`\n${bytes / 1024} KiB   CPU us each`)
  for (const [name, microseconds] of least) console.log(`  ${name.padEnd(26)} ${microseconds.toFixed(0).padStart(9)}`)
  console.log(`  sealed to bare: put ${ratio('put')}, get ${ratio('get')}`)
}

async function cpuOf(work: () => Promise<unknown>, times: number): Promise<number> {
  const before = process.cpuUsage()
  for (let done = 0; done < times; done++) await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

async function* chunksOf(plain: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < plain.length; at += CHUNK_BYTES) yield plain.subarray(at, at + CHUNK_BYTES)
}

async function drain(source: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0
  for await (const chunk of source) bytes += chunk.length
  return bytes
}
