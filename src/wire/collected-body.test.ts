// Bodies come out as they came in, however they were cut.
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import test from 'node:test'
import { CollectedBody } from './collected-body.ts'
import { LARGE_BODY_BYTES } from './large-turns.ts'

/** Each piece in memory of its own, as it comes from a socket. */
function collect(expected: number, bytes: Buffer, pieceBytes: number): CollectedBody {
  const body = new CollectedBody(expected)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, bytes.length - at))
    bytes.copy(piece, 0, at)
    body.add(piece)
  }
  return body
}

for (const length of [0, 1, LARGE_BODY_BYTES - 1, LARGE_BODY_BYTES, LARGE_BODY_BYTES + 1, 1024 * 1024])
  for (const announced of [true, false])
    test(`${length} bytes, their number ${announced ? 'announced' : 'unknown'}`, () => {
      const bytes = randomBytes(length)
      for (const pieceBytes of [64 * 1024, 65_521, 1024 * 1024]) {
        const body = collect(announced ? length : 0, bytes, pieceBytes)
        assert.equal(body.bytes, length)
        const whole = body.finish()
        assert.ok(whole.bytes.equals(bytes))
        const isHashed = announced && length > LARGE_BODY_BYTES
        assert.equal(whole.sha256, isHashed ? hash('sha256', bytes, 'hex') : undefined)
      }
    })

test('a body that stopped short is as long as what came', () => {
  const bytes = randomBytes(100_000)
  assert.ok(collect(200_000, bytes, 10_000).finish().bytes.equals(bytes))
})

test('memory of others is left alone', () => {
  const shared = Buffer.alloc(300_000, 7)
  const body = new CollectedBody(200_000)
  body.add(shared.subarray(0, 100_000))
  body.add(shared.subarray(100_000, 200_000))
  assert.equal(shared.length, 300_000)
  const { bytes } = body.finish()
  assert.ok(bytes.equals(shared.subarray(0, 200_000)))
  body.free()
  assert.equal(bytes.length, 0, 'its own is given back')
  assert.equal(shared.length, 300_000)
})
