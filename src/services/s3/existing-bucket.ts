// Finds the bucket of a call, and holds the caller to the owner it expects.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Bucket } from '../../model/bucket.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'

export interface BucketInput {
  readonly Bucket: string
  readonly ExpectedBucketOwner?: string
}

/** What is authorised for a call on a bucket. Quirk: that there is no such bucket S3 tells everybody, before it looks at permissions. */
export function bucketResource({ Bucket: name }: { readonly Bucket: string }, call: Call): string {
  if (call.env.tables.get(Table.buckets, name) === undefined) throw errors.noSuchBucket(name)
  return bucketArn(name, call)
}

/** The same for a call on an object. */
export function objectResource(input: { readonly Bucket: string; readonly Key: string }, call: Call): string {
  return `${bucketResource(input, call)}/${input.Key}`
}

/** Throws NoSuchBucket, and AccessDenied where the owner is not the expected one. */
export function existingBucket(tables: TableReader, input: BucketInput): Bucket {
  const bucket = tables.get(Table.buckets, input.Bucket)
  if (bucket === undefined) throw errors.noSuchBucket(input.Bucket)
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.owner) throw errors.accessDenied()
  return bucket
}

export function bucketArn(bucket: string, call: Call): string {
  return `arn:${call.partition}:s3:::${bucket}`
}

export function objectArn(bucket: string, key: string, call: Call): string {
  return `${bucketArn(bucket, call)}/${key}`
}
