import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inHashOrder } from './parameter-order.ts'

/** As real records have them. */
const REAL = [
  'bucketName Host acl',
  'lifecycle bucketName Host',
  'bucketName location Host',
  'publicAccessBlock bucketName Host',
  'bucketName object-lock Host',
  'tagging bucketName Host',
  'accelerate bucketName Host',
  'bucketName Host encryption',
  'bucketName Host requestPayment',
  'Tagging tagging bucketName Host',
  'lifecycle bucketName LifecycleConfiguration Host',
  'bucketPolicy bucketName Host policy',
  'SignatureVersion CipherSuite bytesTransferredIn AuthenticationMethod x-amz-id-2 bytesTransferredOut',
]

test('keys stand in the order of real records', () => {
  for (const real of REAL) {
    const keys = real.split(' ')
    // What falls into one place stays in the order given: the query, the bucket, the document, the host.
    const rank = (key: string): number => (key === 'bucketName' ? 1 : key === 'LifecycleConfiguration' ? 2 : key === 'Host' ? 3 : 0)
    const given = keys.toSorted((one, other) => rank(one) - rank(other))
    assert.deepEqual(Object.keys(inHashOrder(Object.fromEntries(given.map((key) => [key, ''])))), keys)
  }
})
