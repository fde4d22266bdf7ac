// The port of the blobs: the bodies of bucket objects, outside the journal. A blob is flushed before the frame
// that names it is appended; blobs that no frame names are swept. Suite: blobs.suite.ts.
import type { Readable } from 'node:stream'
import type { Random } from '../base/random.ts'

/** Names a blob for ever; unique, safe as a file name. Tells its size and age (readBlobId), so that neither needs a look at the disk. */
export type BlobId = string

export interface BlobWriteOptions {
  readonly bytesMax?: number
}
export interface BlobRange {
  readonly start: number
  readonly end: number
}

export interface Blobs {
  /**
   * Writes a stream to a new blob and flushes it; takes the next chunk when the last is written. Rejects, and leaves nothing behind, when
   * `source` fails or `bytesMax` is passed (BlobTooLarge).
   */
  write(source: AsyncIterable<Uint8Array>, options?: BlobWriteOptions): Promise<{ readonly id: BlobId; readonly bytes: number }>
  /**
   * The bytes from `start` to `end` (exclusive); what lies behind the end of the blob is left out. The stream fails with BlobMissing when
   * there is none and with BlobDamaged when its file has another length than was written.
   */
  read(id: BlobId, range?: BlobRange): Readable
  /** An absent blob is fine. */
  remove(id: BlobId): Promise<void>
  /** Finished blobs in no order. One that is written or removed meanwhile may or may not come. `writtenAt`: ms since 1970. */
  list(): AsyncIterable<{ readonly id: BlobId; readonly bytes: number; readonly writtenAt: number }>
  /** The sum over all finished blobs. */
  bytes(): number
}

export class BlobTooLarge extends Error {
  override name = 'BlobTooLarge'
}
export class BlobMissing extends Error {
  override name = 'BlobMissing'
}
export class BlobDamaged extends Error {
  override name = 'BlobDamaged'
}

const ID = /^([0-9a-f]{24})-([0-9a-z]{1,11})-([0-9a-z]{1,11})$/

export function createBlobId(random: Random, writtenAt: number, bytes: number): BlobId {
  return `${random.bytes(12).toString('hex')}-${writtenAt.toString(36)}-${bytes.toString(36)}`
}

/** What an id tells, or undefined when it is none. */
export function readBlobId(id: string): { readonly id: BlobId; readonly bytes: number; readonly writtenAt: number } | undefined {
  const [, , writtenAt, bytes] = ID.exec(id) ?? []
  if (writtenAt === undefined || bytes === undefined) return undefined
  return { id, writtenAt: parseInt(writtenAt, 36), bytes: parseInt(bytes, 36) }
}
