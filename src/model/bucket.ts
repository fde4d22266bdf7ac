// Buckets and their objects as the records keep them; bodies lie in the blob store.

export interface Bucket {
  readonly name: string
  readonly owner: string
  readonly region: string
  readonly createdAt: number
  /** The bucket policy's text, absent when none is set. */
  readonly policy?: string
}

/** Bytes of an object: a blob of the blob store. */
export interface StoredBlob {
  readonly blobId: string
  /** Of the object; the blob itself may be longer or shorter. */
  readonly bytes: number
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
}
