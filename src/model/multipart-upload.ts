// Multipart uploads that are under way, and their parts, as the records keep them.
import type { Random } from '../base/random.ts'
import type { ObjectEncryption, Retention, StorageClass, StoredBlob } from './bucket.ts'
import { createVersionId, readVersionId, versionsPrefix } from './object-version.ts'

export interface MultipartUpload {
  readonly uploadId: string
  readonly key: string
  readonly owner: string
  /** Who began it: an ARN, or an account. */
  readonly initiator: string
  readonly initiatedAt: number
  /** What the object is to have; as in StoredObject. */
  readonly headers: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  readonly tags?: Readonly<Record<string, string>>
  readonly storageClass?: StorageClass
  readonly encryption: ObjectEncryption
  readonly retention?: Retention
  readonly hasLegalHold?: boolean
  /** Which checksum each part has to have. Absent: none has to. */
  readonly checksumAlgorithm?: string
  readonly checksumType?: 'COMPOSITE' | 'FULL_OBJECT'
}

export interface UploadedPart {
  readonly blobs: readonly StoredBlob[]
  readonly bytes: number
  readonly etag: string
  readonly modifiedAt: number
  /** Algorithm -> base64. */
  readonly checksums: Readonly<Record<string, string>>
}

export const PART_NUMBER_MAX = 10_000

export function createUploadId(random: Random, now: number): string {
  return createVersionId(random, now)
}

/** Uploads of a key lie together, the oldest first. Undefined for a text that is no upload id. */
export function uploadRow(bucket: string, key: string, uploadId: string): string | undefined {
  const initiatedAt = readVersionId(uploadId)
  if (initiatedAt === undefined) return undefined
  return `${versionsPrefix(bucket, key)}${initiatedAt.toString(16).padStart(12, '0')}${uploadId}`
}

export function partRow(uploadId: string, partNumber: number): string {
  return `${partsPrefix(uploadId)}${String(partNumber).padStart(5, '0')}`
}

export function partsPrefix(uploadId: string): string {
  return `${uploadId}/`
}

export function uploadIdOf(row: string): string {
  return row.slice(0, row.indexOf('/'))
}

export function partNumberOf(row: string): number {
  return Number(row.slice(row.indexOf('/') + 1))
}
