// PutBucketTagging: replaces all tags of the bucket.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'
import { bucketTags, type Tagging } from './tags.ts'

interface Input extends BucketInput {
  readonly Tagging: Tagging
}

export const putBucketTagging: Operation<Input, undefined> = {
  name: 'PutBucketTagging',
  access: 'write',
  resource: bucketResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { Tagging: { TagSet: input.Tagging.TagSet }, tagging: '' }),
    resources: bucketResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    tx.put(Table.buckets, bucket.name, { ...bucket, tags: bucketTags(input.Tagging) })
    return undefined
  },
}
