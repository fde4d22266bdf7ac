// GetBucketEncryption: what was set, else what S3 does by itself.
import type { Operation } from '../../engine/operation.ts'
import { DEFAULT_ENCRYPTION, type EncryptionConfiguration, encryptionConfiguration } from './bucket-encryption.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Output {
  readonly ServerSideEncryptionConfiguration: EncryptionConfiguration
}

export const getBucketEncryption: Operation<BucketInput, Output> = {
  name: 'GetBucketEncryption',
  access: 'read',
  action: 'GetEncryptionConfiguration',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { encryption: '' }), resources: bucketResources },
  run(tx, input) {
    const { encryption = DEFAULT_ENCRYPTION } = existingBucket(tx, input)
    return { ServerSideEncryptionConfiguration: encryptionConfiguration(encryption) }
  },
}
