// ListConnectedBuckets: the buckets of another S3 that are known, and which trails write there.
import { Table } from '../../model/tables.ts'
import { type ConnectedBucket, describeBucket } from './connect-bucket.ts'
import type { SealcastOperation } from './operation.ts'

export interface ListedBucket extends ConnectedBucket {
  readonly TrailArns: readonly string[]
}

export const listConnectedBuckets: SealcastOperation<object, { Buckets: readonly ListedBucket[] }> = () => ({
  name: 'ListConnectedBuckets',
  access: 'read',
  run(tx) {
    const trails = tx.range(Table.trails, {}).map(({ value }) => value)
    const buckets = tx.range(Table.outsideBuckets, {}).map(({ value }) => value)
    return {
      Buckets: buckets.map((bucket) => ({
        ...describeBucket(bucket),
        TrailArns: trails.filter(({ bucketName }) => bucketName === bucket.name).map(({ trailArn }) => trailArn),
      })),
    }
  },
})
