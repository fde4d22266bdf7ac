// Buckets and their objects as the records keep them; bodies lie in the blob store.
import type { BucketNotification } from './bucket-notification.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { EncryptionContext } from './key.ts'

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
  /** Absent: never turned on, so that every version is the null version. */
  readonly versioning?: 'Enabled' | 'Suspended'
  /** Present: versions may be locked, and versioning stays on for good. */
  readonly objectLock?: { readonly defaultRetention?: DefaultRetention }
  readonly publicAccessBlock?: PublicAccessBlock
}

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE'

/** Of new versions that name no retention themselves: `days` or `years`, not both. */
export interface DefaultRetention {
  readonly mode: RetentionMode
  readonly days?: number
  readonly years?: number
}

export interface Retention {
  readonly mode: RetentionMode
  /** Milliseconds since 1970. */
  readonly until: number
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean
  readonly ignorePublicAcls: boolean
  readonly blockPublicPolicy: boolean
  readonly restrictPublicBuckets: boolean
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
  /** Of the object; the blob itself is longer where it is sealed. */
  readonly bytes: number
  /** In the archive, not in the blob store. */
  readonly place?: 'archive'
  /** How the bytes were compressed, before they were sealed. */
  readonly coding?: 'zstd'
  /** Absent where the blob holds the bytes as they are. */
  readonly seal?: BlobSeal
}

/** What opens a sealed blob (model/sealed-blob.ts), together with the key store. */
export interface BlobSeal {
  readonly form: 1
  /** Sealed under a key of the key store. */
  readonly dataKey: string
  readonly context: EncryptionContext
  /** That were sealed: the object's, or what they were compressed to. */
  readonly bytes: number
}

/** How an object is encrypted, as its headers say. */
export type ObjectEncryption =
  | { readonly algorithm: 'AES256' }
  | {
      readonly algorithm: 'aws:kms'
      readonly keyArn: string
      /** What the caller bound in; S3 adds to it. */
      readonly context?: EncryptionContext
      readonly bucketKey?: boolean
    }

export interface StoredObject {
  readonly key: string
  /** The body, in this order. None for empty objects. A text where there are many (packed-body.ts): read it with `blobsOf`. */
  readonly blobs: readonly StoredBlob[] | string
  readonly bytes: number
  /** With its quotes, as S3 sends it. */
  readonly etag: string
  readonly modifiedAt: number
  /** Content-Type and the other headers that S3 keeps and gives back, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** x-amz-meta-* without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** Absent for objects of a release that did not encrypt. */
  readonly encryption?: ObjectEncryption
  /** Algorithm (CRC32, CRC64NVME, SHA256, ...) -> base64. */
  readonly checksums: Readonly<Record<string, string>>
  readonly owner: string
  readonly tags?: Readonly<Record<string, string>>
  /** Absent: STANDARD. */
  readonly storageClass?: StorageClass
  /** Absent: the null version. */
  readonly versionId?: string
  /** Greater than that of every older version of the key. Absent: `modifiedAt`. */
  readonly order?: number
  readonly retention?: Retention
  readonly hasLegalHold?: boolean
  /** Of the checksums. Absent: they are of the whole object. */
  readonly checksumType?: 'COMPOSITE'
  /** What a multipart upload put together, in order. A text where there are many: read it with `partsOf`. */
  readonly parts?: readonly ObjectPart[] | string
}

export interface ObjectPart {
  readonly number: number
  readonly bytes: number
  /** Algorithm -> base64. */
  readonly checksums: Readonly<Record<string, string>>
}

/** Stands where an object was deleted in a bucket that keeps versions. */
export interface DeleteMarker {
  readonly key: string
  readonly isDeleteMarker: true
  readonly modifiedAt: number
  /** Absent: the null version. */
  readonly versionId?: string
  readonly order: number
  readonly owner: string
}

export type ObjectVersion = StoredObject | DeleteMarker

/** Where among its key's versions the null version lies that is not the current object. */
export interface NullVersion {
  readonly order: number
}
