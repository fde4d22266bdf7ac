// PutBucketEncryption: how new objects are sealed from now on. Objects that are there stay as they are.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type EncryptionConfiguration, readEncryption } from './bucket-encryption.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Input extends BucketInput {
  readonly ServerSideEncryptionConfiguration: EncryptionConfiguration
}

export const putBucketEncryption: Operation<Input, undefined> = {
  name: 'PutBucketEncryption',
  access: 'write',
  action: 'PutEncryptionConfiguration',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { encryption: '', ServerSideEncryptionConfiguration: input.ServerSideEncryptionConfiguration }),
    resources: bucketResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    tx.put(Table.buckets, bucket.name, { ...bucket, encryption: readEncryption(input.ServerSideEncryptionConfiguration) })
    return undefined
  },
}
