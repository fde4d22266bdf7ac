import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Crc, createCrc32c, createCrc64Nvme } from './reflected-crc.ts'

/** Bit by bit, as the polynomial says it. */
function plainCrc(bytes: Uint8Array, polynomial: bigint, bits: bigint): bigint {
  const ones = (1n << bits) - 1n
  let crc = ones
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
  }
  return crc ^ ones
}

test('eight bytes at a time give what bit by bit gives, however the bytes are cut', () => {
  const crcs: readonly (readonly [() => Crc, bigint, bigint])[] = [
    [createCrc32c, 0x82f63b78n, 32n],
    [createCrc64Nvme, 0x9a6c9329ac4bc9b5n, 64n],
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...crcs),
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 5 }),
      ([create, polynomial, bits], pieces) => {
        const crc = create()
        for (const piece of pieces) crc.update(piece)
        const value = crc.words().reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)
        assert.equal(value, plainCrc(Buffer.concat(pieces), polynomial, bits))
      },
    ),
    { numRuns: 200 },
  )
})
