// Buckets and their objects as the records keep them; bodies lie in the blob store.
import type { BucketNotification } from './bucket-notification.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface Bucket {
  readonly name: string
  readonly owner: string
  readonly region: string
  readonly createdAt: number
  /** The bucket policy's text, absent when none is set. */
  readonly policy?: string
  readonly tags?: Readonly<Record<string, string>>
  /** How new objects are sealed that ask for nothing themselves. Absent: SSE-S3 without a bucket key, as S3's own default. */
  readonly encryption?: BucketEncryption
  readonly lifecycle?: Lifecycle
  /** Who is told of what happens to objects. */
  readonly notifications?: readonly BucketNotification[]
}

export interface BucketEncryption {
  readonly algorithm: 'AES256' | 'aws:kms'
  /** As it was given: id, ARN or alias. Absent with aws:kms: the key store's own default key. */
  readonly kmsKeyId?: string
  readonly hasBucketKey: boolean
}

/** GLACIER_IR is the archive: compressed, in a place of its own, readable at once. */
export type StorageClass = 'STANDARD' | 'GLACIER_IR'

/** Bytes of an object: a blob of the blob store. */
export interface StoredBlob {
  readonly blobId: string
  /** Of the object; the blob itself may be longer or shorter. */
  readonly bytes: number
  /** In the archive, not in the blob store. */
  readonly place?: 'archive'
  /** How the bytes were compressed, before they were sealed. */
  readonly coding?: 'zstd'
}

export interface StoredObject {
  readonly key: string
  /** The body, in this order. None for empty objects. */
  readonly blobs: readonly StoredBlob[]
  readonly bytes: number
  /** With its quotes, as S3 sends it. */
  readonly etag: string
  readonly modifiedAt: number
  /** Content-Type and the other headers that S3 keeps and gives back, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** x-amz-meta-* without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** Algorithm (CRC32, CRC64NVME, SHA256, ...) -> base64. */
  readonly checksums: Readonly<Record<string, string>>
  readonly owner: string
  readonly tags?: Readonly<Record<string, string>>
  /** Absent: STANDARD. */
  readonly storageClass?: StorageClass
}
