// Finds the object of a call in its bucket. Buckets keep no versions: the only version id is `null`.
import type { TableReader } from '../../engine/tables.ts'
import type { StoredObject } from '../../model/bucket.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { type BucketInput, existingBucket } from './existing-bucket.ts'

export interface ObjectInput extends BucketInput {
  readonly Key: string
  readonly VersionId?: string
}

/** Throws NoSuchBucket, NoSuchKey, and InvalidArgument for a version. */
export function existingObject(tables: TableReader, input: ObjectInput): StoredObject {
  existingBucket(tables, input)
  checkVersion(input)
  const object = tables.get(Table.objects, `${input.Bucket}/${input.Key}`)
  if (object === undefined) throw errors.noSuchKey(input.Key)
  return object
}

/** The object whose tags count when a call is authorised; undefined where there is none, which the call itself then tells. */
export function taggedObject(tables: TableReader, input: ObjectInput): StoredObject | undefined {
  return tables.get(Table.objects, `${input.Bucket}/${input.Key}`)
}

export function checkVersion({ VersionId }: ObjectInput): void {
  if (VersionId !== undefined && VersionId !== 'null') throw errors.invalidArgument('versionId', VersionId, 'Invalid version id specified')
}
