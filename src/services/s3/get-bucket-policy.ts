// GetBucketPolicy: the text as it was put.
import type { Operation } from '../../engine/operation.ts'
import { policyResource } from './bucket-policy.ts'
import { errors } from './errors.ts'
import { type BucketInput, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const getBucketPolicy: Operation<BucketInput, { readonly Policy: string }> = {
  name: 'GetBucketPolicy',
  access: 'read',
  resource: policyResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { policy: '' }), resources: bucketResources },
  run(tx, input) {
    const { name, policy } = existingBucket(tx, input)
    if (policy === undefined) throw errors.noSuchBucketPolicy(name)
    return { Policy: policy }
  },
}
