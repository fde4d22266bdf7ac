// GetBucketLifecycleConfiguration: the rules as they were put.
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { type GivenRule, lifecycleRules, minimumOf } from './lifecycle-configuration.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Output {
  readonly Rules: readonly GivenRule[]
  readonly TransitionDefaultMinimumObjectSize: string
}

export const getBucketLifecycleConfiguration: Operation<BucketInput, Output> = {
  name: 'GetBucketLifecycleConfiguration',
  eventName: 'GetBucketLifecycle',
  access: 'read',
  action: 'GetLifecycleConfiguration',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { lifecycle: '' }), resources: bucketResources },
  run(tx, input) {
    const { name, lifecycle } = existingBucket(tx, input)
    if (lifecycle === undefined) throw errors.noSuchLifecycle(name)
    return { Rules: lifecycleRules(lifecycle), TransitionDefaultMinimumObjectSize: minimumOf(lifecycle) }
  },
}
