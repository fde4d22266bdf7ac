import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHarness } from '../../../tests/harness.ts'
import { s3 } from './index.ts'

const BOX = { Bucket: 'box' }
const NOTHING_THERE = { code: 'NoSuchConfiguration', status: 404 }

/** What a tool that copies buckets asks, and what it sets where nothing is to be set. */
const READ_AS_UNSET: readonly (readonly [operation: string, answer: object])[] = [
  ['GetBucketAbac', { AbacStatus: { Status: 'Disabled' } }],
  ['ListBucketAnalyticsConfigurations', { IsTruncated: false }],
  ['ListBucketIntelligentTieringConfigurations', { IsTruncated: false }],
  ['ListBucketMetricsConfigurations', { IsTruncated: false }],
]
const ABSENT = [
  'GetBucketAnalyticsConfiguration',
  'GetBucketIntelligentTieringConfiguration',
  'GetBucketInventoryConfiguration',
  'GetBucketMetricsConfiguration',
  'DeleteBucketAnalyticsConfiguration',
  'DeleteBucketIntelligentTieringConfiguration',
  'DeleteBucketInventoryConfiguration',
  'DeleteBucketMetricsConfiguration',
]
const TAKEN_AWAY = ['DeleteBucketReplication', 'DeleteBucketWebsite']
const HOLDS_ANYWAY: readonly (readonly [operation: string, input: object])[] = [
  ['PutBucketAbac', { AbacStatus: { Status: 'Disabled' } }],
  ['PutBucketRequestPayment', { RequestPaymentConfiguration: { Payer: 'BucketOwner' } }],
]
const REFUSED: readonly (readonly [operation: string, input: object])[] = [
  ['PutBucketAbac', { AbacStatus: { Status: 'Enabled' } }],
  ['PutBucketRequestPayment', { RequestPaymentConfiguration: { Payer: 'Requester' } }],
  ['PutBucketAnalyticsConfiguration', { Id: 'x' }],
  ['PutBucketIntelligentTieringConfiguration', { Id: 'x' }],
  ['PutBucketInventoryConfiguration', { Id: 'x' }],
  ['PutBucketMetricsConfiguration', { Id: 'x' }],
]

test('what a bucket here cannot have is read as unset, taken away in peace, and refused by name', async () => {
  const server = await createHarness(() => ({ s3 }))
  try {
    await server.call('s3', 'CreateBucket', BOX)
    const call = (operation: string, more: object = {}) => server.call('s3', operation, { ...BOX, ...more })
    for (const [operation, answer] of READ_AS_UNSET) assert.deepEqual(await call(operation), answer, operation)
    for (const operation of ABSENT) await assert.rejects(call(operation, { Id: 'x' }), NOTHING_THERE, operation)
    for (const operation of TAKEN_AWAY) await call(operation)
    for (const [operation, input] of HOLDS_ANYWAY) await call(operation, input)
    for (const [operation, input] of REFUSED)
      await assert.rejects(call(operation, input), { code: 'NotImplemented', status: 501, message: new RegExp(operation) })
    for (const operation of [...ABSENT, ...TAKEN_AWAY])
      await assert.rejects(server.call('s3', operation, { Bucket: 'absent', Id: 'x' }), { code: 'NoSuchBucket' }, operation)
  } finally {
    await server.close()
  }
})
