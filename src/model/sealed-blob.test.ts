// What a sealed blob owes: the same bytes back, any range of them, and a named error for whatever was done to it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openBlob, SEALED_SEGMENT_BYTES as SEGMENT, SealedBlobDamaged, sealBlob, sealedBlobBytes, type PlainRange } from './sealed-blob.ts'

const KEY = Buffer.alloc(32, 9)
const SPAN = SEGMENT + 16
const HEADER = 16

function plainOf(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
}

async function* inChunks(plain: Buffer, chunk: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < plain.length; at += chunk) yield plain.subarray(at, at + chunk)
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces))
}

const seal = (plain: Buffer, chunk = 1000): Promise<Buffer> => collect(sealBlob(inChunks(plain, chunk), KEY))

/** What was asked of the store, beside the bytes. */
function open(stored: Buffer, bytes: number, range?: PlainRange, chunk = 50_000, key = KEY): Promise<Buffer> {
  const read = ({ start, end }: PlainRange): AsyncGenerator<Buffer> => inChunks(stored.subarray(start, Math.min(end, stored.length)), chunk)
  return collect(openBlob(read, key, bytes, range))
}

test('any body in any chunks comes back whole and by any range', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.integer({ min: 1, max: 3 * SEGMENT }), fc.constantFrom(SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT)),
      fc.integer({ min: 1, max: 2 * SEGMENT }),
      fc.integer({ min: 1, max: 2 * SEGMENT }),
      fc.nat(),
      fc.nat(),
      async (bytes, chunkIn, chunkOut, from, length) => {
        const plain = plainOf(bytes)
        const stored = await seal(plain, Math.max(chunkIn, 500))
        assert.equal(stored.length, sealedBlobBytes(bytes))
        assert.ok((await open(stored, bytes, undefined, Math.max(chunkOut, 500))).equals(plain))
        const start = from % bytes
        const range = { start, end: Math.min(bytes, start + 1 + (length % bytes)) }
        assert.ok((await open(stored, bytes, range, Math.max(chunkOut, 500))).equals(plain.subarray(range.start, range.end)))
      },
    ),
    { numRuns: 60 },
  ))

test('a range reads no more than the segments it touches', async () => {
  const bytes = 10 * SEGMENT
  const stored = await seal(plainOf(bytes), SEGMENT)
  const asked: PlainRange[] = []
  const read = (range: PlainRange): AsyncGenerator<Buffer> => {
    asked.push(range)
    return inChunks(stored.subarray(range.start, range.end), SPAN)
  }
  await collect(openBlob(read, KEY, bytes, { start: 3 * SEGMENT + 5, end: 4 * SEGMENT + 1 }))
  assert.deepEqual(asked, [{ start: HEADER + 3 * SPAN, end: HEADER + 5 * SPAN }])
})

test('nothing of the plain bytes stands in the blob', async () => {
  const plain = Buffer.from('a secret that is easy to find '.repeat(5000))
  assert.ok(!(await seal(plain)).includes('secret that'))
})

test('whatever was done to a blob is an error and never wrong bytes', async () => {
  const bytes = 3 * SEGMENT + 100
  const plain = plainOf(bytes)
  const stored = await seal(plain)
  const cases: Record<string, Buffer> = {
    'cut by a byte': stored.subarray(0, -1),
    'cut by a segment': Buffer.concat([stored.subarray(0, HEADER + 2 * SPAN), stored.subarray(HEADER + 3 * SPAN)]),
    'two segments swapped': Buffer.concat([
      stored.subarray(0, HEADER),
      stored.subarray(HEADER + SPAN, HEADER + 2 * SPAN),
      stored.subarray(HEADER, HEADER + SPAN),
      stored.subarray(HEADER + 2 * SPAN),
    ]),
    'another header': Buffer.concat([Buffer.from('sEALBLO'), stored.subarray(7)]),
    empty: Buffer.alloc(0),
    'another blob': await collect(sealBlob(inChunks(plain, 1000), Buffer.alloc(32, 1))),
  }
  for (let at = 0; at < 24; at++) {
    const flipped = Buffer.from(stored)
    const place = at < 12 ? at * 5000 : stored.length - 1 - (at - 12) * 20
    flipped[place] = (flipped[place] ?? 0) ^ 1
    cases[`a flip at ${place}`] = flipped
  }
  for (const [what, changed] of Object.entries(cases))
    await assert.rejects(open(changed, bytes), (error) => error instanceof SealedBlobDamaged, what)
  await assert.rejects(open(stored, bytes, undefined, 50_000, Buffer.alloc(32, 1)), SealedBlobDamaged, 'another key')
  // A shorter blob of the same key, whole in itself, is not taken for the beginning of a longer one, nor the other way round.
  const shorter = await seal(plain.subarray(0, 2 * SEGMENT))
  await assert.rejects(open(shorter, bytes), SealedBlobDamaged)
  await assert.rejects(open(stored, 2 * SEGMENT), SealedBlobDamaged)
})
