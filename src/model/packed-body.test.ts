import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ObjectPart, StoredBlob } from './bucket.ts'
import { blobsOf, packBlobs, packParts, partsOf } from './packed-body.ts'

const word = fc.stringMatching(/^[\w.+/=-]{1,40}$/)
const bytes = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const seal = fc.record({
  form: fc.constant(1 as const),
  dataKey: word,
  context: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
  bytes,
})
const blob = fc.record(
  { blobId: word, bytes, place: fc.constant('archive' as const), coding: fc.constant('zstd' as const), seal },
  { requiredKeys: ['blobId', 'bytes'] },
)
const part = fc.record({
  number: fc.integer({ min: 1, max: 10_000 }),
  bytes,
  checksums: fc.dictionary(fc.constantFrom('CRC32', 'SHA256', 'CRC64NVME'), word),
})
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('what is packed is what is taken apart, and one stays as it is', () => {
  fc.assert(
    fc.property(fc.array(blob, { minLength: 0, maxLength: 80 }), fc.array(part, { maxLength: 80 }), (blobs, parts) => {
      const [packedBlobs, packedParts] = [packBlobs(plain(blobs) as StoredBlob[]), packParts(plain(parts) as ObjectPart[])]
      assert.equal(typeof packedBlobs === 'string', blobs.length >= 2)
      assert.equal(typeof packedParts === 'string', parts.length >= 2)
      assert.deepEqual(plain(blobsOf({ blobs: packedBlobs })), plain(blobs))
      assert.deepEqual(plain(partsOf({ parts: packedParts })), plain(parts))
    }),
  )
  assert.equal(partsOf({}), undefined)
  assert.throws(() => blobsOf({ blobs: '2 []\n' }), /packed in form 2/)
})
