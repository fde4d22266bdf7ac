// The archive: bytes of objects compressed with zstd, in a store of their own, readable at once, sealed anew under the key of their object.
// Whoever moves them commits the names of the new blobs when these are on stable storage, and only then lets go of the old ones: a crash
// leaves one of both named, and the other is swept at the next start.
import type { Readable } from 'node:stream'
import { zstdCompressSync } from 'node:zlib'
import type { Env } from '../../engine/env.ts'
import { partitionOf } from '../../model/arn.ts'
import type { Bucket, StoredBlob, StoredObject } from '../../model/bucket.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { sealBlob } from '../../model/sealed-blob.ts'
import { compressed } from './archived-blob.ts'
import { newBlobKey, SSE_S3 } from './encryption.ts'
import { readBody } from './object-body.ts'
import { discardBlobs } from './release-blob.ts'

/** Of an object in one archived blob: what a range has to read at most to find its place. */
export const PIECE_BYTES = 64 * 1024 * 1024
const SAMPLE_BYTES = 64 * 1024
/** What saves less is kept as it is. */
const SHARE_MAX = 0.95

export interface Archived {
  readonly blobs: readonly StoredBlob[]
  /** That the archive needs for them. */
  readonly storedBytes: number
}

export interface CopyOptions {
  readonly pieceBytes?: number
  /** Ends the copy, which then fails. */
  readonly signal?: AbortSignal
}

/** Copies a body to the archive. `keys` open it. Leaves nothing behind when it fails. */
export async function copyToArchive(
  env: Env,
  bucket: Pick<Bucket, 'name' | 'region'>,
  object: Pick<StoredObject, 'key' | 'blobs' | 'encryption'>,
  keys: readonly (Buffer | undefined)[],
  { pieceBytes = PIECE_BYTES, signal }: CopyOptions = {},
): Promise<Archived> {
  const body = blobsOf(object)
  const bytes = body.reduce((sum, blob) => sum + blob.bytes, 0)
  const isSealed = body.some(({ seal }) => seal !== undefined)
  const arn = `arn:${partitionOf(bucket.region)}:s3:::${bucket.name}/${object.key}`
  const read = (start: number, end: number): Readable => readBody(env, body, keys, { start, end })
  const isWorthIt = await compresses(read(0, Math.min(bytes, SAMPLE_BYTES)))
  const blobs: StoredBlob[] = []
  let storedBytes = 0
  try {
    for (let start = 0; start < bytes; start += pieceBytes) {
      const end = Math.min(bytes, start + pieceBytes)
      let packedBytes = 0
      const counted = count(isWorthIt ? compressed(read(start, end)) : read(start, end), (chunk) => {
        signal?.throwIfAborted()
        packedBytes += chunk.length
      })
      const sealing = isSealed ? newBlobKey({ env }, object.encryption ?? SSE_S3, arn) : undefined
      const written = await env.archive.write(sealing === undefined ? counted : sealBlob(counted, sealing.key.plain))
      storedBytes += written.bytes
      blobs.push({
        blobId: written.id,
        bytes: end - start,
        place: 'archive',
        ...(isWorthIt && { coding: 'zstd' as const }),
        ...(sealing !== undefined && { seal: { ...sealing.seal, bytes: packedBytes } }),
      })
    }
    return { blobs, storedBytes }
  } catch (error) {
    discardBlobs(env, blobs)
    throw error
  }
}

/** The keys that open a body, for the server's own work on it. Throws the errors of keys. */
export function ownBlobKeys({ keys, tables }: Env, blobs: readonly StoredBlob[]): readonly (Buffer | undefined)[] {
  return blobs.map(({ seal }) => (seal === undefined ? undefined : keys.open(tables, seal.dataKey, seal.context)))
}

/** The same body in the archive, in place of where it came in. Leaves nothing behind when it fails. */
export async function archiveUpload(
  env: Env,
  bucket: Pick<Bucket, 'name' | 'region'>,
  upload: Pick<StoredObject, 'key' | 'blobs' | 'encryption'>,
): Promise<readonly StoredBlob[]> {
  try {
    return (await copyToArchive(env, bucket, upload, ownBlobKeys(env, blobsOf(upload)))).blobs
  } finally {
    discardBlobs(env, blobsOf(upload))
  }
}

async function compresses(sample: Readable): Promise<boolean> {
  const bytes = Buffer.concat((await sample.toArray()) as Buffer[])
  return zstdCompressSync(bytes).length <= bytes.length * SHARE_MAX
}

async function* count(source: AsyncIterable<Buffer>, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    see(chunk)
    yield chunk
  }
}
