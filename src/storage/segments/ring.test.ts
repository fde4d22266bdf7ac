// The ring gives back what was written, and leaves what readers hold as it is until they let go.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Ring } from './ring.ts'

const RING_BYTES = 1024
const bytesAt = (address: number, length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => ((address + at) * 31) & 0xff))
const extend = (ring: Ring, length: number): void => ring.write(bytesAt(ring.end, length), 0, length)

test('holds the last bytes, whole and in parts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 64 }),
      (writes, length) => {
        const ring = new Ring(RING_BYTES, 0)
        for (const bytes of writes) extend(ring, bytes)
        const total = writes.reduce((sum, bytes) => sum + bytes, 0)
        assert.equal(ring.end, total)
        assert.ok(ring.end - ring.start >= Math.min(total, RING_BYTES))
        for (let at = ring.start; at + length <= ring.end; at += length) {
          assert.deepEqual(ring.view(at, length), bytesAt(at, length))
          assert.deepEqual(ring.copy(at, length), bytesAt(at, length))
          const { bytes } = ring.share(at, length, Math.min(length, 8))
          assert.ok(bytes.length >= Math.min(length, 8))
          assert.deepEqual(bytes, bytesAt(at, bytes.length))
        }
      },
    ),
  )
})

test('what is shared stays as it is when the ring comes round', () => {
  const ring = new Ring(RING_BYTES, 0)
  extend(ring, 100)
  const { bytes } = ring.share(8, 64, 64)
  extend(ring, RING_BYTES * 3)
  assert.deepEqual(bytes, bytesAt(8, 64))
})

test('memory is used again once every reader has released it, and not before', () => {
  const ring = new Ring(RING_BYTES, 0)
  extend(ring, 100)
  const first = ring.share(0, 64, 64)
  const second = ring.share(0, 64, 64)
  assert.ok(first.chunk !== undefined && first.chunk === second.chunk)
  ring.release(first.chunk)
  extend(ring, RING_BYTES * 2)
  assert.deepEqual(second.bytes, bytesAt(0, 64))
  ring.release(second.chunk)

  const chunks = new Set<Buffer>()
  for (let round = 0; round < 40; round++) {
    extend(ring, 64)
    const { chunk } = ring.share(ring.end - 64, 8, 8)
    if (chunk === undefined) continue
    chunks.add(chunk)
    ring.release(chunk)
  }
  extend(ring, RING_BYTES * 3)
  const again = ring.share(ring.end - 8, 8, 8)
  assert.ok(again.chunk !== undefined && chunks.has(again.chunk))
})

test('bytes in two chunks are copied, and belong to none', () => {
  const ring = new Ring(RING_BYTES, 0)
  extend(ring, RING_BYTES)
  const straddling = Array.from({ length: RING_BYTES - 16 }, (_, at) => ring.share(at, 16, 16)).filter(({ chunk }) => chunk === undefined)
  assert.ok(straddling.length > 0)
})
