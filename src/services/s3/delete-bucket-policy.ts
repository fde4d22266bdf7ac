// DeleteBucketPolicy: none is left, also where there was none.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { policyResource } from './bucket-policy.ts'
import { type BucketInput, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const deleteBucketPolicy: Operation<BucketInput, undefined> = {
  name: 'DeleteBucketPolicy',
  access: 'write',
  resource: policyResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { policy: '' }), resources: bucketResources },
  run(tx, input) {
    const { policy, ...bucket } = existingBucket(tx, input)
    if (policy !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
