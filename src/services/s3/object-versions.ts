// The one room in which versions of objects come, change and go. Everything that puts, deletes, expires or rewrites an object goes through
// here, inside its own commit; nobody else writes Table.objects or Table.objectVersions.
//
// Layout. Table.objects holds a key's current version where that is an object, so that listing current keys reads nothing else.
// Table.objectVersions holds the key's delete markers and all versions that are not current. A null version there has a NullVersion beside
// it, so that it is found without a walk.
//
// Contract. Each function reads and stages in the transaction it is given, and throws AccessDenied before it stages anything if a version
// would go that a lock protects; there is no way around that. What it returns as `released` are blobs that no record names once the
// commit stands: the caller MUST hand them to releaseBlobs (release-blob.ts) after the commit, in `answer` or once `done` has resolved,
// and MUST NOT touch them when the commit failed. A crash in between costs nothing: such blobs are swept at the next start.
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Bucket, ObjectVersion, StoredBlob, StoredObject } from '../../model/bucket.ts'
import {
  createVersionId,
  isDeleteMarker,
  nullVersionRow,
  orderOf,
  readVersionId,
  versionRow,
  versionsPrefix,
} from '../../model/object-version.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { Table } from '../../model/tables.ts'
import { checkUnlocked, type Unlocking } from './object-lock.ts'

type Parts = Pick<Env, 'clock' | 'random'>
type NamedBucket = Pick<Bucket, 'name'>

/** What its maker says of a new version; when, whose and which it is, is decided here. */
export type NewObject = Omit<StoredObject, 'versionId' | 'order' | 'modifiedAt' | 'owner'>

export interface Change {
  /** The version that was made or removed; undefined where nothing was there to go. */
  readonly version: ObjectVersion | undefined
  readonly released: readonly StoredBlob[]
}

/** A member that is undefined goes. */
export type Changes = { readonly [Member in keyof StoredObject]?: StoredObject[Member] | undefined }

export const NULL_VERSION_ID = 'null'

/** The object that a GET without a version id finds; undefined where there is none, or a delete marker. */
export function currentObject(tables: TableReader, bucket: NamedBucket, key: string): StoredObject | undefined {
  return tables.get(Table.objects, `${bucket.name}/${key}`)
}

/** The newest version, a delete marker included. */
export function newestVersion(tables: TableReader, bucket: Pick<Bucket, 'name' | 'versioning'>, key: string): ObjectVersion | undefined {
  const current = currentObject(tables, bucket, key)
  return current ?? (bucket.versioning === undefined ? undefined : olderVersions(tables, bucket, key, { limit: 1 })[0])
}

/** The version of this id (`null` for the null version); undefined where there is none. */
export function findVersion(tables: TableReader, bucket: NamedBucket, key: string, versionId: string): ObjectVersion | undefined {
  const current = currentObject(tables, bucket, key)
  if (current !== undefined && idOf(current) === versionId) return current
  const order =
    versionId === NULL_VERSION_ID
      ? (tables.get(Table.objectVersions, nullVersionRow(bucket.name, key)) as { order: number } | undefined)?.order
      : readVersionId(versionId)
  if (order === undefined) return undefined
  const version = tables.get(Table.objectVersions, versionRow(bucket.name, key, order)) as ObjectVersion | undefined
  return version !== undefined && idOf(version) === versionId ? version : undefined
}

/** A key's versions other than its current object, newest first. `before`: those older than that order. */
export function olderVersions(
  tables: TableReader,
  bucket: NamedBucket,
  key: string,
  { limit, before }: { readonly limit?: number; readonly before?: number } = {},
): readonly ObjectVersion[] {
  const rows = tables.range(Table.objectVersions, {
    prefix: versionsPrefix(bucket.name, key),
    ...(limit !== undefined && { limit }),
    ...(before !== undefined && { after: versionRow(bucket.name, key, before) }),
  })
  return rows.map(({ value }) => value as ObjectVersion)
}

/** As S3 tells it in headers and listings. */
export function idOf(version: ObjectVersion): string {
  return version.versionId ?? NULL_VERSION_ID
}

/** The id for the x-amz-version-id header: none in a bucket that never kept versions. */
export function toldId(bucket: Pick<Bucket, 'versioning'>, version: ObjectVersion): string | undefined {
  return bucket.versioning === undefined ? undefined : idOf(version)
}

/** The member of an answer that tells it. */
export function toldVersion(bucket: Pick<Bucket, 'versioning'>, version: ObjectVersion): { readonly VersionId?: string } {
  const VersionId = toldId(bucket, version)
  return VersionId === undefined ? {} : { VersionId }
}

/** Puts a new current version; what it replaces, if the bucket keeps no versions, goes. */
export function putVersion(env: Parts, tx: Transaction, bucket: Bucket, object: NewObject): Change & { readonly version: StoredObject } {
  const { order, versionId, released } = makeRoom(env, tx, bucket, object.key)
  const version: StoredObject = {
    ...object,
    modifiedAt: tx.now,
    owner: bucket.owner,
    ...(order !== tx.now && { order }),
    ...(versionId !== undefined && { versionId }),
  }
  tx.put(Table.objects, `${bucket.name}/${object.key}`, version)
  return { version, released }
}

/**
 * A DELETE without a version id, and an expiry of the current version: a delete marker where the bucket keeps versions, also over nothing;
 * else the object goes, and `version` is what went.
 */
export function deleteKey(env: Parts, tx: Transaction, bucket: Bucket, key: string): Change {
  if (bucket.versioning === undefined) {
    const present = currentObject(tx, bucket, key)
    return present === undefined ? { version: undefined, released: [] } : removeVersion(env, tx, bucket, present)
  }
  const { order, versionId, released } = makeRoom(env, tx, bucket, key)
  if (currentObject(tx, bucket, key) !== undefined) tx.delete(Table.objects, `${bucket.name}/${key}`)
  const version: ObjectVersion = {
    key,
    isDeleteMarker: true,
    modifiedAt: tx.now,
    order,
    owner: bucket.owner,
    ...(versionId !== undefined && { versionId }),
  }
  shelve(tx, bucket, version)
  return { version, released }
}

/** Removes one version for good, as a DELETE with its id does; the newest that is left becomes current. */
export function removeVersion(env: Parts, tx: Transaction, bucket: Bucket, version: ObjectVersion, unlocking?: Unlocking): Change {
  checkUnlocked(env.clock, version, unlocking)
  if (isCurrent(tx, bucket, version)) {
    tx.delete(Table.objects, `${bucket.name}/${version.key}`)
    // The current object is the newest version: what is left is older.
    if (bucket.versioning !== undefined) promote(tx, bucket, version.key, { before: orderOf(version) })
  } else {
    unshelve(tx, bucket, version)
    if (currentObject(tx, bucket, version.key) === undefined) promote(tx, bucket, version.key)
  }
  return { version, released: bodyOf(version) }
}

/**
 * Replaces what a version says of itself, in its place: tags, retention, hold, storage class and where its bytes lie. Blobs that the new
 * one names no more are released. Content (key, bytes, ETag) MUST stay. Who changes a retention has to check that it may.
 */
export function changeVersion(
  tx: Transaction,
  bucket: NamedBucket,
  version: StoredObject,
  changes: Changes,
): Change & { readonly version: StoredObject } {
  const changed = withoutUndefined({ ...version, ...changes })
  if (isCurrent(tx, bucket, version)) tx.put(Table.objects, `${bucket.name}/${version.key}`, changed)
  else tx.put(Table.objectVersions, versionRow(bucket.name, version.key, orderOf(version)), changed)
  if (changed.blobs === version.blobs) return { version: changed, released: [] }
  const kept = new Set(blobsOf(changed).map(({ blobId }) => blobId))
  return { version: changed, released: blobsOf(version).filter(({ blobId }) => !kept.has(blobId)) }
}

/** Whether the bucket holds anything: objects, older versions, delete markers. */
export function holdsVersions(tables: TableReader, bucket: NamedBucket): boolean {
  const one = { prefix: `${bucket.name}/`, limit: 1 }
  return tables.range(Table.objects, one).length > 0 || tables.range(Table.objectVersions, one).length > 0
}

interface Room {
  readonly order: number
  readonly versionId: string | undefined
  readonly released: readonly StoredBlob[]
}

/** Makes way for a new newest version, which MUST then take the current one's row: that is shelved, or the null version goes. */
function makeRoom(env: Parts, tx: Transaction, bucket: Bucket, key: string): Room {
  const newest = newestVersion(tx, bucket, key)
  // Orders grow whatever the clock does.
  const order = newest === undefined ? tx.now : Math.max(tx.now, orderOf(newest) + 1)
  const versionId = bucket.versioning === 'Enabled' ? createVersionId(env.random, order) : undefined
  const replaced = versionId === undefined ? findVersion(tx, bucket, key, NULL_VERSION_ID) : undefined
  if (replaced !== undefined) checkUnlocked(env.clock, replaced)
  const isCurrentReplaced = replaced !== undefined && isCurrent(tx, bucket, replaced)
  const current = currentObject(tx, bucket, key)
  if (current !== undefined && !isCurrentReplaced) shelve(tx, bucket, current)
  if (replaced === undefined) return { order, versionId, released: [] }
  if (!isCurrentReplaced) unshelve(tx, bucket, replaced)
  return { order, versionId, released: bodyOf(replaced) }
}

function shelve(tx: Transaction, bucket: NamedBucket, version: ObjectVersion): void {
  const order = orderOf(version)
  tx.put(Table.objectVersions, versionRow(bucket.name, version.key, order), version)
  if (version.versionId === undefined) tx.put(Table.objectVersions, nullVersionRow(bucket.name, version.key), { order })
}

function unshelve(tx: Transaction, bucket: NamedBucket, version: ObjectVersion): void {
  tx.delete(Table.objectVersions, versionRow(bucket.name, version.key, orderOf(version)))
  if (version.versionId === undefined) tx.delete(Table.objectVersions, nullVersionRow(bucket.name, version.key))
}

/** Nothing is current: the newest version becomes it, unless it is a delete marker. */
function promote(tx: Transaction, bucket: NamedBucket, key: string, where: { readonly before?: number } = {}): void {
  const [newest] = olderVersions(tx, bucket, key, { ...where, limit: 1 })
  if (newest === undefined || isDeleteMarker(newest)) return
  unshelve(tx, bucket, newest)
  tx.put(Table.objects, `${bucket.name}/${key}`, newest)
}

function isCurrent(tables: TableReader, bucket: NamedBucket, version: ObjectVersion): boolean {
  const current = currentObject(tables, bucket, version.key)
  return current !== undefined && idOf(current) === idOf(version)
}

function bodyOf(version: ObjectVersion): readonly StoredBlob[] {
  return isDeleteMarker(version) ? [] : blobsOf(version)
}

function withoutUndefined(object: object): StoredObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as unknown as StoredObject
}
