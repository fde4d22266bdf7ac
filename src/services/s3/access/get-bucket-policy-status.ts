// GetBucketPolicyStatus: whether the policy is public.
import type { Operation } from '../../../engine/operation.ts'
import { policyOf } from '../../../engine/policies.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'
import { isPublicPolicy } from './public-policy.ts'

interface Output {
  readonly PolicyStatus: { readonly IsPublic: boolean }
}

export const getBucketPolicyStatus: Operation<BucketInput, Output> = {
  name: 'GetBucketPolicyStatus',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { policyStatus: '' }), resources: bucketResources },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    if (bucket.policy === undefined) throw errors.noSuchBucketPolicy(bucket.name)
    return { PolicyStatus: { IsPublic: isPublicPolicy(policyOf(bucket, bucket.policy)) } }
  },
}
