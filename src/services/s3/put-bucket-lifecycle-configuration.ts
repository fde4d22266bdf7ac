// PutBucketLifecycleConfiguration: replaces the rules by which objects expire and move to the archive (lifecycle-runs.ts).
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { type GivenRule, minimumOf, readLifecycle } from './lifecycle-configuration.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Input extends BucketInput {
  readonly LifecycleConfiguration?: { readonly Rules?: readonly GivenRule[] }
  readonly TransitionDefaultMinimumObjectSize?: string
}

export const putBucketLifecycleConfiguration: Operation<Input, { readonly TransitionDefaultMinimumObjectSize: string }> = {
  name: 'PutBucketLifecycleConfiguration',
  eventName: 'PutBucketLifecycle',
  access: 'write',
  action: 'PutLifecycleConfiguration',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        lifecycle: '',
        LifecycleConfiguration: input.LifecycleConfiguration,
        'x-amz-transition-default-minimum-object-size': input.TransitionDefaultMinimumObjectSize,
      }),
    response: () => null,
    resources: bucketResources,
  },
  run(tx, input, call) {
    const bucket = existingBucket(tx, input)
    const lifecycle = readLifecycle(input.LifecycleConfiguration?.Rules, input.TransitionDefaultMinimumObjectSize, call.env.random)
    tx.put(Table.buckets, bucket.name, { ...bucket, lifecycle })
    return { TransitionDefaultMinimumObjectSize: minimumOf(lifecycle) }
  },
}
