// GetBucketTagging. Quirk: a bucket without tags has no tag set, which is an error (GetBucketTagging, "NoSuchTagSet").
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'
import { type Tagging, tagging } from './tags.ts'

export const getBucketTagging: Operation<BucketInput, Tagging> = {
  name: 'GetBucketTagging',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { tagging: '' }), resources: bucketResources },
  run(tx, input) {
    const { name, tags } = existingBucket(tx, input)
    if (tags === undefined || Object.keys(tags).length === 0) throw errors.noSuchTagSet(name)
    return tagging(tags)
  },
}
