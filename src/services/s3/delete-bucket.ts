// DeleteBucket: empty ones only. Multipart uploads under way end with their bucket.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { clearPartsSoon } from './multipart/uploads.ts'
import { holdsVersions } from './object-versions.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Output {
  /** Uploads that ended; not part of the answer. */
  readonly ended?: readonly string[]
}

export const deleteBucket: Operation<BucketInput, Output> = {
  name: 'DeleteBucket',
  access: 'write',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call), response: () => null, resources: bucketResources },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    if (holdsVersions(tx, bucket)) throw errors.bucketNotEmpty(bucket.name)
    const uploads = tx.range(Table.multipartUploads, { prefix: `${bucket.name}/`, limit: UPLOADS_MAX + 1 })
    if (uploads.length > UPLOADS_MAX) throw errors.bucketNotEmpty(bucket.name)
    for (const { key } of uploads) tx.delete(Table.multipartUploads, key)
    tx.delete(Table.buckets, bucket.name)
    if (tx.get(Table.lifecycleRuns, bucket.name) !== undefined) tx.delete(Table.lifecycleRuns, bucket.name)
    return { ended: uploads.map(({ value }) => value.uploadId) }
  },
  answer({ ended = [] }, call) {
    for (const uploadId of ended) clearPartsSoon(call.env, uploadId)
    return {}
  },
}

/** What one commit takes; more have to be aborted first. */
const UPLOADS_MAX = 500
