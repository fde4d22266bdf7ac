// HeadBucket: whether a bucket exists, and where.
import type { Operation } from '../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { withHeadErrors } from './head-errors.ts'
import { bucketContentResources, bucketParameters } from './record.ts'

interface Output {
  readonly BucketRegion: string
  readonly AccessPointAlias: false
}

export const headBucket: Operation<BucketInput, Output> = {
  name: 'HeadBucket',
  access: 'read',
  // CloudTrail counts it among the object-level calls (S3 user guide, "Amazon S3 CloudTrail events").
  data: true,
  action: 'ListBucket',
  resource: (input, call) => withHeadErrors(() => bucketResource(input, call)),
  record: { parameters: (input, call) => bucketParameters(input, call), resources: bucketContentResources },
  run: (tx, input) =>
    withHeadErrors(() => {
      const bucket = existingBucket(tx, input)
      return { BucketRegion: bucket.region, AccessPointAlias: false }
    }),
}
