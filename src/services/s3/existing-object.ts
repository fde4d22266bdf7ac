// Finds the object of a call in its bucket: the current version, or the one that the call names.
import type { TableReader } from '../../engine/tables.ts'
import type { Bucket, ObjectVersion, StoredObject } from '../../model/bucket.ts'
import { isDeleteMarker, readVersionId } from '../../model/object-version.ts'
import { errors } from './errors.ts'
import { type BucketInput, existingBucket } from './existing-bucket.ts'
import { currentObject, findVersion, idOf, newestVersion, NULL_VERSION_ID } from './object-versions.ts'

export interface ObjectInput extends BucketInput {
  readonly Key: string
  readonly VersionId?: string
}

export interface FoundObject {
  readonly bucket: Bucket
  readonly object: StoredObject
}

/** The object whose tags count when a call is authorised; undefined where there is none, which the call itself then tells. */
export function taggedObject(tables: TableReader, { Bucket: name, Key: key, VersionId: versionId }: ObjectInput): StoredObject | undefined {
  if (versionId === undefined) return currentObject(tables, { name }, key)
  const version = findVersion(tables, { name }, key, versionId)
  return version === undefined || isDeleteMarker(version) ? undefined : version
}

/** Throws NoSuchBucket, NoSuchKey, NoSuchVersion, and MethodNotAllowed for a delete marker that is named. */
export function existingObject(tables: TableReader, input: ObjectInput): FoundObject {
  const bucket = existingBucket(tables, input)
  const { Key: key, VersionId: versionId } = input
  if (versionId === undefined) {
    const object = currentObject(tables, bucket, key)
    if (object !== undefined) return { bucket, object }
    const newest = newestVersion(tables, bucket, key)
    throw errors.noSuchKey(key, newest !== undefined && isDeleteMarker(newest) ? markerHeaders(newest) : {})
  }
  const version = existingVersion(tables, bucket, key, versionId)
  if (!isDeleteMarker(version)) return { bucket, object: version }
  const headers = { ...markerHeaders(version), allow: 'DELETE', 'last-modified': new Date(version.modifiedAt).toUTCString() }
  throw errors.methodNotAllowed({ ResourceType: 'DeleteMarker' }, headers)
}

/** Throws NoSuchVersion, and InvalidArgument for a text that is no version id. */
export function existingVersion(tables: TableReader, bucket: Bucket, key: string, versionId: string): ObjectVersion {
  checkVersionId(versionId)
  const version = findVersion(tables, bucket, key, versionId)
  if (version === undefined) throw errors.noSuchVersion(key, versionId)
  return version
}

export function checkVersionId(versionId: string): void {
  if (versionId !== NULL_VERSION_ID && readVersionId(versionId) === undefined)
    throw errors.invalidArgument('versionId', versionId, 'Invalid version id specified')
}

function markerHeaders(marker: ObjectVersion): Readonly<Record<string, string>> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': idOf(marker) }
}
