// Bytes by position out of segment files: right wherever they stand, and neighbours with one read.
import assert from 'node:assert/strict'
import test from 'node:test'
import { JournalDamaged } from '../journal.ts'
import { NO_STORE_KEYS } from '../store-keys.ts'
import { FRAME_HEADER_BYTES, FrameKind, finishFrames, frameOffset } from './format.ts'
import type { ReadFiles } from './read-files.ts'
import { Reads } from './reads.ts'
import { Ring } from './ring.ts'
import { createSlab, stageFrame } from './slab.ts'

const SALT = 7
const SLAB_BYTES = 1024 * 1024

interface Stored {
  readonly reads: Reads
  /** Where the payloads of the frames stand. */
  readonly places: readonly number[]
  readonly payloads: readonly Buffer[]
  readonly file: Buffer
  readonly count: () => number
  readonly failOnce: () => void
}

/** Frames of these sizes in one segment that begins at `start`, none of it in memory. */
function store(start: number, sizes: readonly number[]): Stored {
  const slab = createSlab(0, Buffer.alloc(SLAB_BYTES))
  const payloads = sizes.map((size, at) => Buffer.alloc(size, `${at} `))
  const places = payloads.map((payload) => {
    const position = start + slab.used
    stageFrame(slab, position, FrameKind.entries, payload, 1, undefined, false)
    return position + FRAME_HEADER_BYTES
  })
  finishFrames(slab.bytes, 0, slab.used, 0, SALT)
  const file = slab.bytes.subarray(0, slab.used)
  let reads = 0
  let fails = false
  const files = {
    path: () => '/journal/1',
    async read(_: number, into: Buffer, offset: number) {
      reads++
      if (fails) {
        fails = false
        throw new Error('EIO')
      }
      return file.copy(into, 0, offset - frameOffset(start, start), offset - frameOffset(start, start) + into.length)
    },
  } as unknown as ReadFiles
  const tail = start + slab.used
  return {
    reads: new Reads({
      extent: { segments: [{ number: 1, start }], durable: tail, tail },
      ring: new Ring(1024, tail),
      files,
      decoding: { salt: SALT, keys: NO_STORE_KEYS },
      schedule: (run) => void setImmediate(run),
    }),
    places,
    payloads,
    file,
    count: () => reads,
    failOnce: () => void (fails = true),
  }
}

for (const start of [0, 64, 3 * 2 ** 30 + 8, 2 ** 45]) {
  test(`what stands behind position ${start} is found, frames of all sizes, in and out of order`, async () => {
    const sizes = [10, 30_000, 1, 5000, 9000, 200_000, 12_000, 0, 40, 12_000, 70_000, 300]
    const { reads, places, payloads } = store(start, sizes)
    const check = async (at: number): Promise<void> => {
      const [place = 0, payload = Buffer.alloc(0)] = [places[at], payloads[at]]
      for (const [from, length] of [
        [0, payload.length],
        [0, Math.min(1, payload.length)],
        [payload.length >> 1, payload.length >> 2],
        [payload.length, 0],
      ] as const)
        assert.deepEqual(await reads.readBytes(place + from, length), payload.subarray(from, from + length), `frame ${at}, ${from}`)
    }
    for (const at of sizes.keys()) await check(at)
    for (const at of [...sizes.keys()].toReversed()) await check(at)
    await Promise.all([...sizes.keys()].map(check))
  })
}

test('neighbours come with one read, and at once when they are there', async () => {
  const { reads, places, payloads, count } = store(0, new Array<number>(400).fill(1200))
  const ten = (from: number) => places.slice(from, from + 10).map(async (place) => reads.readBytes(place, 1200))
  assert.deepEqual(await Promise.all(ten(100)), payloads.slice(100, 110))
  assert.ok(count() <= 2, `${count()} reads for ten neighbours`)
  const before = count()
  for (let from = 110; from < 200; from += 10) assert.deepEqual(await Promise.all(ten(from)), payloads.slice(from, from + 10))
  assert.ok(count() - before <= 2, `${count() - before} reads for the ninety behind them`)
  assert.ok(Buffer.isBuffer(reads.readBytes(places[199] ?? 0, 1200)))
})

test("what is handed out is the caller's own", async () => {
  const { reads, places, payloads } = store(0, [1000, 1000])
  const first = await reads.readBytes(places[0] ?? 0, 1000)
  first.fill(0)
  assert.deepEqual(await reads.readBytes(places[0] ?? 0, 1000), payloads[0])
})

test('a damaged frame is refused for each of its bytes, and no other', async () => {
  const { reads, places, payloads, file } = store(0, [1000, 1000, 1000])
  const at = (places[1] ?? 0) + 500
  file[at] = (file[at] ?? 0) ^ 1
  for (let round = 0; round < 2; round++) {
    for (const offset of [0, 500, 999]) await assert.rejects(async () => reads.readBytes((places[1] ?? 0) + offset, 1), JournalDamaged)
    assert.deepEqual(await reads.readBytes(places[0] ?? 0, 1000), payloads[0])
    assert.deepEqual(await reads.readBytes(places[2] ?? 0, 1000), payloads[2])
  }
})

test('a read that fails is told to all who wait for it, and tried again by the next who asks', async () => {
  const { reads, places, payloads, failOnce } = store(0, [1000, 1000])
  failOnce()
  for (const outcome of await Promise.allSettled(places.map(async (place) => reads.readBytes(place, 1000))))
    assert.equal(outcome.status, 'rejected')
  assert.deepEqual(await reads.readBytes(places[0] ?? 0, 1000), payloads[0])
})
