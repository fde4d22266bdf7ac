// What does sealing cost? CPU of putting and getting an object with and without it, on the disk blob store, and of a publish with no store
// sealed, with the journal sealed, and with all of them, through the engine of a whole server; without HTTP. All threads counted; ratios
// within one run, the least of several rounds in turn, since machines differ and neighbours only add.
//
//   node bin/node26.js bench/sealing.ts
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { type House, openHouse } from '../src/house/house.ts'
import { readSettings } from '../src/model/config.ts'
import { rootPrincipal } from '../src/model/principal.ts'
import { openBlob, sealBlob } from '../src/model/sealed-blob.ts'
import { settings } from '../src/settings.ts'
import { diskBlobs } from '../src/storage/disk/blobs.ts'
import { openDataDirectory } from '../src/storage/disk/data-directory.ts'
import { signatureErrors } from '../src/wire/sigv4/errors.ts'

const ROUNDS = 5
const ACCOUNT = '000000000000'
const REGION = 'us-east-1'
const PUBLISHES = 4000
const IN_FLIGHT = 32
const MESSAGE = 'x'.repeat(1024)
/** Bytes of an object, and how many of them are one measurement. */
const SIZES = [
  [16 * 1024, 400],
  [1024 * 1024, 40],
  [16 * 1024 * 1024, 4],
] as const
/** As the HTTP door hands bodies on. */
const CHUNK_BYTES = 64 * 1024

const folder = mkdtempSync(join(tmpdir(), 'sealcast-bench-sealing-'))
const random = systemRandom()
const blobs = await diskBlobs({ folder: join(folder, 'blobs'), random, clock: systemClock })
const key = random.bytes(32)

try {
  for (const [bytes, times] of SIZES) await benchSize(bytes, times)
  await benchPublish()
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

async function benchPublish(): Promise<void> {
  const stores = { 'no store sealed': '', 'journal sealed': 'journal', 'journal, records, queues': 'journal,records,queues' }
  const houses = new Map<string, House>()
  for (const [name, sealed] of Object.entries(stores)) houses.set(name, await openServer(join(folder, name), sealed))
  const least = new Map<string, number>()
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, house] of houses) {
      const microseconds = await cpuOf(() => publishAll(house), 1)
      if (round > 0) least.set(name, Math.min(least.get(name) ?? Infinity, microseconds / PUBLISHES))
    }
  for (const house of houses.values()) await house.stop('bench')
  const [bare = 1] = least.values()
  console.log(`\na publish of ${MESSAGE.length} bytes, ${IN_FLIGHT} in flight   CPU us each`)
  for (const [name, microseconds] of least)
    console.log(`  ${name.padEnd(26)} ${microseconds.toFixed(1).padStart(9)}   ${(microseconds / bare).toFixed(2)}`)
}

async function openServer(data: string, sealed: string): Promise<House> {
  const read = readSettings(settings, [{ key: 'seal.stores', value: sealed, from: 'bench' }])
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  const house = await openHouse({
    config: read.values,
    clock: systemClock,
    random,
    log: silentLog,
    data: openDataDirectory(data, random),
    version: 'bench',
    account: ACCOUNT,
    rootKey: { accessKeyId: 'AKIABENCHBENCHBENCHB', secretAccessKey: 'bench-secret-of-no-worth-at-all' },
    baseUrl: () => 'http://127.0.0.1',
    allow: [],
    signatureErrors,
    purpose: 'serve',
  })
  await call(house, 'CreateTopic', { Name: 'bench' })
  return house
}

async function publishAll(house: House): Promise<void> {
  let left = PUBLISHES
  const publish = async (): Promise<void> => {
    while (left-- > 0) await call(house, 'Publish', { TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:bench`, Message: MESSAGE })
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, publish))
}

async function call(house: House, operation: string, input: object): Promise<void> {
  const result = await house.invoke({
    service: 'sns',
    operation,
    input,
    region: REGION,
    requestId: random.uuid(),
    arrivedAt: systemClock.now(),
    sourceIp: '127.0.0.1',
    userAgent: 'bench',
    host: 'localhost',
    principal: rootPrincipal(ACCOUNT, 'AKIABENCHBENCHBENCHB'),
  })
  if ('error' in result) throw result.error
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
