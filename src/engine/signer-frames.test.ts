import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import { FrameReader, type SignerFrame, formatFrame } from './signer-frames.ts'

test('frames come out of pieces of any size as they went in', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 200; round++) {
    const frames: SignerFrame[] = Array.from({ length: 1 + random.below(5) }, (_, at) => ({
      kind: random.below(3),
      id: random.below(2 ** 32),
      text: `${at} \u00fc\u{1f600}\n`.repeat(random.below(40)),
    }))
    const bytes = Buffer.concat(frames.map(formatFrame))
    const reader = new FrameReader()
    const read: SignerFrame[] = []
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.below(bytes.length)
      read.push(...reader.take(bytes.subarray(at, at + size)))
      at += size
    }
    assert.deepEqual(read, frames)
  }
})

test('a length that no frame has is refused', () => {
  const frame = formatFrame({ kind: 1, id: 1, text: 'x' })
  frame.writeUInt32LE(16 * 1024 * 1024 + 1, 0)
  assert.throws(() => new FrameReader().take(frame), RangeError)
})
