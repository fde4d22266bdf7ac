// DeleteBucket: empty ones only.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { holdsVersions } from './object-versions.ts'
import { bucketParameters, bucketResources } from './record.ts'

export const deleteBucket: Operation<BucketInput, undefined> = {
  name: 'DeleteBucket',
  access: 'write',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call), resources: bucketResources },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    if (holdsVersions(tx, bucket)) throw errors.bucketNotEmpty(bucket.name)
    tx.delete(Table.buckets, bucket.name)
    return undefined
  },
}
