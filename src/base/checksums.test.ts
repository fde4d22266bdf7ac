import assert from 'node:assert/strict'
import test from 'node:test'
import { CHECKSUMS } from './checksums.ts'

// The check values of the CRC catalogue for "123456789", and the digests of the hash functions' standards for "abc".
const VECTORS: readonly (readonly [algorithm: string, input: string, hex: string])[] = [
  ['crc32', '123456789', 'cbf43926'],
  ['crc32c', '123456789', 'e3069283'],
  ['crc64nvme', '123456789', 'ae8b14860a799888'],
  ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['md5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
]

for (const [algorithm, input, hex] of VECTORS) {
  test(`${algorithm} of ${input}, in one piece and byte by byte`, () => {
    for (const step of [input.length, 1]) {
      const checksum = CHECKSUMS[algorithm]?.()
      assert.ok(checksum !== undefined)
      for (let at = 0; at < input.length; at += step) checksum.update(Buffer.from(input.slice(at, at + step)))
      assert.equal(checksum.digest().toString('hex'), hex)
    }
  })
}
