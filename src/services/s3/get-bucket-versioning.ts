// GetBucketVersioning: nothing for a bucket that never kept versions.
import type { Operation } from '../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const getBucketVersioning: Operation<BucketInput, { readonly Status?: string }> = {
  name: 'GetBucketVersioning',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { versioning: '' }), resources: bucketResources },
  run(tx, input) {
    const { versioning } = existingBucket(tx, input)
    return versioning === undefined ? {} : { Status: versioning }
  },
}
