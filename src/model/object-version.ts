// How the versions of a key are named and where they lie in their table: a key's versions together, newest first, keys in the order of
// their bytes. A version's id tells its place, so that finding one costs one read however many there are.
import type { Random } from '../base/random.ts'
import type { DeleteMarker, ObjectVersion } from './bucket.ts'

const ORDER_MAX = 2 ** 48 - 1
const ORDER_BYTES = 6
const RANDOM_BYTES = 18
/** Behind each order's digits. */
const BEHIND_DIGITS = 'g'

/** Every row of a key's versions starts with this, and no row of another key: a NUL in a key is written as NUL and SOH. */
export function versionsPrefix(bucket: string, key: string): string {
  return `${versionsFrom(bucket, key)}\0\0`
}

/** What the rows of all keys start with that start with `keyPrefix`. */
export function versionsFrom(bucket: string, keyPrefix: string): string {
  return `${bucket}/${keyPrefix.includes('\0') ? keyPrefix.replaceAll('\0', '\0\x01') : keyPrefix}`
}

export function versionRow(bucket: string, key: string, order: number): string {
  return versionsPrefix(bucket, key) + (ORDER_MAX - order).toString(16).padStart(2 * ORDER_BYTES, '0')
}

/** Behind all versions of the key, before every other key. */
export function behindVersions(bucket: string, key: string): string {
  return versionsPrefix(bucket, key) + BEHIND_DIGITS
}

/** Where a key's NullVersion lies: apart from all versions, since no bucket's name is empty. */
export function nullVersionRow(bucket: string, key: string): string {
  return `/${bucket}/${key}`
}

export function orderOf(version: ObjectVersion): number {
  return version.order ?? version.modifiedAt
}

export function isDeleteMarker(version: ObjectVersion): version is DeleteMarker {
  return 'isDeleteMarker' in version
}

/** 32 characters that only we can read; never one that starts like an option of a command. */
export function createVersionId(random: Random, order: number): string {
  const bytes = Buffer.alloc(RANDOM_BYTES + ORDER_BYTES)
  random.bytes(RANDOM_BYTES).copy(bytes)
  bytes.writeUIntBE(order, RANDOM_BYTES, ORDER_BYTES)
  return bytes.toString('base64url').replaceAll('-', '.')
}

/** The order of a version with this id; undefined when it is none of ours. */
export function readVersionId(id: string): number | undefined {
  if (!/^[\w.]{32}$/.test(id)) return undefined
  return Buffer.from(id.replaceAll('.', '-'), 'base64url').readUIntBE(RANDOM_BYTES, ORDER_BYTES)
}
