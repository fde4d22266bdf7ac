// Unpacks what is stored as gzip and hashes it on the way, within bounds: a file may be anything at all, and becomes a problem in words.
import { createHash, hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'

export type Unpacked =
  { readonly hash: string; readonly bytes: number; readonly content: Buffer | undefined } | { readonly problem: string }

/** Compressed files up to this size are unpacked in one go. */
export const WHOLE_BYTES_MAX = 4 * 1024 * 1024
/** What a whole file may unpack to; beyond, it is read as a stream. */
const WHOLE_CONTENT_BYTES_MAX = 128 * 1024 * 1024
const CHUNK_BYTES_MIN = 1024
const CHUNK_BYTES_MAX = 4 * 1024 * 1024
/** No log file is so large: CloudTrail's have 50 MB at most, compressed. */
const CONTENT_BYTES_MAX = 8 * 1024 * 1024 * 1024

/** `take` gets the content in pieces where it is not given whole. */
export async function unpack(stored: Buffer | AsyncIterable<Buffer>, take: (piece: Buffer) => void = () => {}): Promise<Unpacked> {
  if (Buffer.isBuffer(stored)) {
    try {
      const content = gunzipSync(stored, { maxOutputLength: WHOLE_CONTENT_BYTES_MAX, chunkSize: chunkBytesOf(stored) })
      return { hash: hash('sha256', content, 'hex'), bytes: content.length, content }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return { problem: problemOf(error) }
    }
  }
  const hashing = createHash('sha256')
  const gunzip = Readable.from(Buffer.isBuffer(stored) ? [stored] : stored, { objectMode: false }).pipe(createGunzip())
  let bytes = 0
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > CONTENT_BYTES_MAX) return { problem: `it unpacks to more than ${CONTENT_BYTES_MAX} bytes` }
      hashing.update(piece)
      take(piece)
    }
    return { hash: hashing.digest('hex'), bytes, content: undefined }
  } catch (error) {
    return { problem: problemOf(error) }
  } finally {
    gunzip.destroy()
  }
}

/** A gzip file's last four bytes tell its content's length, if they tell the truth: then it comes in one piece. */
function chunkBytesOf(stored: Buffer): number {
  const told = stored.length < 18 ? 0 : stored.readUInt32LE(stored.length - 4)
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, told + 1))
}

function problemOf(error: unknown): string {
  return `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`
}
