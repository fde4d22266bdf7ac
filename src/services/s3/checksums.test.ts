// The checksums against their published check values, and in pieces against the whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ChecksumAlgorithm, checksumAlgorithms, checksumBytes, createChecksum } from './checksums.ts'

const CHECK_TEXT = Buffer.from('123456789')

/** Catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME), RFC 3174 and FIPS 180 for the hashes. */
const CHECK_VALUES: Readonly<Partial<Record<ChecksumAlgorithm, string>>> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  MD5: '25f9e794323b453885f5181f1b624d0b',
}

test('each algorithm gives its published check value', () => {
  for (const [algorithm, hex] of Object.entries(CHECK_VALUES)) {
    const checksum = createChecksum(algorithm as ChecksumAlgorithm)
    checksum.update(CHECK_TEXT)
    assert.equal(Buffer.from(checksum.digest(), 'base64').toString('hex'), hex, algorithm)
  }
})

test('a checksum does not depend on how the bytes are cut, and has its stated length', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...checksumAlgorithms),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      (algorithm, pieces) => {
        const inPieces = createChecksum(algorithm)
        for (const piece of pieces) inPieces.update(piece)
        const whole = createChecksum(algorithm)
        whole.update(Buffer.concat(pieces))
        const value = inPieces.digest()
        assert.equal(value, whole.digest())
        assert.equal(Buffer.from(value, 'base64').length, checksumBytes[algorithm])
      },
    ),
    { numRuns: 60 },
  )
})
