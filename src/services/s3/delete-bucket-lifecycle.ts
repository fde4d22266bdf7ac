// DeleteBucketLifecycle: nothing expires or moves by itself any more.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const deleteBucketLifecycle: Operation<BucketInput, undefined> = {
  name: 'DeleteBucketLifecycle',
  access: 'write',
  action: 'PutLifecycleConfiguration',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { lifecycle: '' }), resources: bucketResources },
  run(tx, input) {
    const { lifecycle, ...bucket } = existingBucket(tx, input)
    if (lifecycle !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
