// Multipart uploads under way: how a call finds its upload, and how parts that nobody needs any more are cleared away. A part's row goes in
// commits of some hundred rows; blobs of rows that a crash left behind are swept at the next start.
import type { Env } from '../../../engine/env.ts'
import type { TableReader } from '../../../engine/tables.ts'
import type { Bucket, StoredBlob } from '../../../model/bucket.ts'
import { abortOf } from '../../../model/lifecycle.ts'
import { type MultipartUpload, PART_NUMBER_MAX, partsPrefix, uploadIdOf, uploadRow } from '../../../model/multipart-upload.ts'
import { Table } from '../../../model/tables.ts'
import { errors } from '../errors.ts'
import { type BucketInput, existingBucket } from '../existing-bucket.ts'
import { releaseBlobs } from '../release-blob.ts'

export interface UploadInput extends BucketInput {
  readonly Key: string
  readonly UploadId: string
}

export interface FoundUpload {
  readonly bucket: Bucket
  readonly upload: MultipartUpload
  readonly row: string
}

/** Throws NoSuchBucket and NoSuchUpload. */
export function existingUpload(tables: TableReader, input: UploadInput): FoundUpload {
  const bucket = existingBucket(tables, input)
  const row = uploadRow(bucket.name, input.Key, input.UploadId)
  const upload = row === undefined ? undefined : tables.get(Table.multipartUploads, row)
  if (row === undefined || upload === undefined) throw errors.noSuchUpload(input.UploadId)
  return { bucket, upload, row }
}

/** When the bucket's rules abort an upload that nobody completes (the x-amz-abort-* headers). */
export function abortMembers(
  { lifecycle }: Bucket,
  { key, initiatedAt }: MultipartUpload,
): { readonly AbortDate?: Date; readonly AbortRuleId?: string } {
  const due = lifecycle === undefined ? undefined : abortOf(lifecycle, { key, startedAt: initiatedAt })
  return due === undefined ? {} : { AbortDate: new Date(due.at), AbortRuleId: due.ruleId }
}

export function checkPartNumber(partNumber: number): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PART_NUMBER_MAX)
    throw errors.invalidArgument(
      'partNumber',
      String(partNumber),
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
    )
}

const BATCH_ROWS = 200

/** Removes the rows of an upload's parts, and lets go of their blobs but those in `kept`. Resolves when all are gone. */
export async function clearParts(env: Env, uploadId: string, kept: ReadonlySet<string> = new Set()): Promise<void> {
  for (;;) {
    const rows = env.tables.range(Table.uploadedParts, { prefix: partsPrefix(uploadId), limit: BATCH_ROWS })
    if (rows.length === 0) return
    await env.commits.commit((tx) => {
      for (const { key } of rows) tx.delete(Table.uploadedParts, key)
    }).done
    const blobs: StoredBlob[] = rows.flatMap(({ value }) => value.blobs)
    releaseBlobs(
      env,
      blobs.filter(({ blobId }) => !kept.has(blobId)),
    )
  }
}

/** The same, behind the caller's back: what fails is done by the sweep at the next start. */
export function clearPartsSoon(env: Env, uploadId: string, kept?: ReadonlySet<string>): void {
  clearParts(env, uploadId, kept).catch((error: unknown) =>
    env.log.warn('parts of an upload could not be removed; they are swept at the next start', {
      uploadId,
      error: error instanceof Error ? error.message : String(error),
    }),
  )
}

/** Removes parts whose upload ended before a crash. Their blobs are left to the sweep of blobs, which knows who names them. */
export async function sweepParts(env: Env): Promise<number> {
  const alive = new Set<string>()
  const unwatch = env.tables.watch(Table.multipartUploads, (key) => {
    const upload = env.tables.get(Table.multipartUploads, key)
    if (upload !== undefined) alive.add(upload.uploadId)
  })
  try {
    for (let after: string | undefined; ;) {
      const rows = env.tables.range(Table.multipartUploads, { limit: BATCH_ROWS, ...(after !== undefined && { after }) })
      for (const { value } of rows) alive.add(value.uploadId)
      after = rows.at(-1)?.key
      if (after === undefined) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    let removed = 0
    for (let after: string | undefined; ;) {
      const rows = env.tables.range(Table.uploadedParts, { limit: BATCH_ROWS, ...(after !== undefined && { after }) })
      const stale = rows.filter(({ key }) => !alive.has(uploadIdOf(key)))
      if (stale.length > 0)
        await env.commits.commit((tx) => {
          for (const { key } of stale) tx.delete(Table.uploadedParts, key)
        }).done
      removed += stale.length
      after = rows.at(-1)?.key
      if (after === undefined) return removed
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    unwatch()
  }
}
