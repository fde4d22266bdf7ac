import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { DeflateWriter, MATCH_BYTES_MIN, WINDOW_BYTES } from './deflate-writer.ts'

/** A last block with nothing in it. */
const LAST_BLOCK = Buffer.from([3, 0])

type Part = { readonly literals: Uint8Array } | { readonly length: number; readonly back: number }

const parts: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ literals: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ literals: fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)) }),
  fc.record({
    length: fc.oneof(fc.integer({ min: 3, max: 300 }), fc.constantFrom(3, 10, 11, 257, 258, 259, 260, 261, 262, 516, 517, 519, 20_000)),
    back: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 32_768 }), fc.constantFrom(1, 4, 5, 32_767, 32_768)),
  }),
)

test('blocks of literals and matches are the text that they tell of', () => {
  const writer = new DeflateWriter()
  fc.assert(
    fc.property(fc.array(fc.array(parts, { maxLength: 15 }), { minLength: 1, maxLength: 4 }), (blocks) => {
      const text: number[] = []
      const packed = blocks.map((block) => {
        writer.begin(block.reduce((sum, part) => sum + ('literals' in part ? part.literals.length : part.length), 0))
        for (const part of block) {
          if ('literals' in part) {
            writer.literals(Buffer.from(part.literals), 0, part.literals.length)
            text.push(...part.literals)
          } else if (text.length > 0) {
            const distance = 1 + ((part.back - 1) % Math.min(text.length, WINDOW_BYTES))
            writer.match(part.length, distance)
            for (let n = 0; n < part.length; n++) text.push(text[text.length - distance] ?? 0)
          }
        }
        return writer.end()
      })
      assert.deepEqual(inflateRawSync(Buffer.concat([...packed, LAST_BLOCK])), Buffer.from(text))
    }),
    { numRuns: 300 },
  )
})

test('every byte as a literal, every length and every kind of distance', () => {
  const writer = new DeflateWriter()
  const bytes = Buffer.from(Array.from({ length: WINDOW_BYTES }, (_, at) => (at * 7 + (at >> 8)) & 0xff))
  const text = [bytes]
  writer.begin(bytes.length)
  writer.literals(bytes, 0, bytes.length)
  const blocks = [writer.end()]
  writer.begin(WINDOW_BYTES * 20)
  for (let length = MATCH_BYTES_MIN; length <= 600; length++) {
    // Further back each time, from one byte to the whole window.
    const distance = Math.floor(WINDOW_BYTES ** ((length - MATCH_BYTES_MIN) / (600 - MATCH_BYTES_MIN)))
    writer.match(length, distance)
    const before = Buffer.concat(text)
    text.push(Buffer.from(Array.from({ length }, (_, at) => before[before.length - distance + (at % distance)] ?? 0)))
  }
  blocks.push(writer.end())
  assert.ok(inflateRawSync(Buffer.concat([...blocks, LAST_BLOCK])).equals(Buffer.concat(text)))
})
