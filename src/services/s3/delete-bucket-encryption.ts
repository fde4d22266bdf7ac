// DeleteBucketEncryption: back to what S3 does by itself.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const deleteBucketEncryption: Operation<BucketInput, undefined> = {
  name: 'DeleteBucketEncryption',
  access: 'write',
  action: 'PutEncryptionConfiguration',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { encryption: '' }), resources: bucketResources },
  run(tx, input) {
    const { encryption, ...bucket } = existingBucket(tx, input)
    if (encryption !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
