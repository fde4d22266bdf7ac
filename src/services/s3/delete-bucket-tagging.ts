// DeleteBucketTagging: no tags are left, also where there were none.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const deleteBucketTagging: Operation<BucketInput, undefined> = {
  name: 'DeleteBucketTagging',
  access: 'write',
  action: 'PutBucketTagging',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { tagging: '' }), resources: bucketResources },
  run(tx, input) {
    const { tags, ...bucket } = existingBucket(tx, input)
    if (tags !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
