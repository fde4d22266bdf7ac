// The body of an object: one or more blobs, read as one stream. The one place that knows how the bytes of an object become bytes of
// blobs and back.
import { Readable } from 'node:stream'
import type { Env } from '../../engine/env.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import { openBlob } from '../../model/sealed-blob.ts'
import { decompressed, storeOf } from './archived-blob.ts'
import type { ByteRange } from './object-headers.ts'
import { holdBlobs } from './release-blob.ts'

/** The bytes from `start` to `end` (exclusive), or all of them. `keys` open the blobs, in their order (encryption.ts). */
export function readBody(
  env: Pick<Env, 'blobs' | 'archive'>,
  body: readonly StoredBlob[],
  keys: readonly (Buffer | undefined)[],
  range?: ByteRange,
): Readable {
  const [first, ...more] = body
  if (first !== undefined && more.length === 0 && first.seal === undefined && first.coding === undefined)
    return storeOf(env, first).read(first.blobId, range)
  const { start, end } = range ?? { start: 0, end: body.reduce((sum, { bytes }) => sum + bytes, 0) }
  return Readable.from(concatenated(), { objectMode: false })

  async function* concatenated(): AsyncGenerator<Buffer> {
    const letGo = holdBlobs(env, body)
    try {
      let at = 0
      for (const [index, blob] of body.entries()) {
        const [from, to] = [Math.max(start - at, 0), Math.min(end - at, blob.bytes)]
        at += blob.bytes
        if (from < to) yield* readBlob(blob, keys[index], { start: from, end: to })
      }
    } finally {
      letGo()
    }
  }

  function readBlob(blob: StoredBlob, key: Buffer | undefined, part: ByteRange): AsyncIterable<Buffer> {
    if (blob.coding === undefined) return readStored(blob, key, part)
    return decompressed(readStored(blob, key, undefined), part.start, part.end)
  }

  /** `part`: undefined for all. */
  function readStored(blob: StoredBlob, key: Buffer | undefined, part: ByteRange | undefined): AsyncIterable<Buffer> {
    const { blobId, seal } = blob
    const read = (of?: ByteRange): AsyncIterable<Buffer> => storeOf(env, blob).read(blobId, of) as AsyncIterable<Buffer>
    if (seal === undefined) return read(part)
    if (key === undefined || seal.form !== 1) throw new Error(`blob ${blobId} is sealed in form ${seal.form}, which nothing here opens`)
    return openBlob(read, key, seal.bytes, part)
  }
}
