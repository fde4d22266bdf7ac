// The body of an object: one or more blobs, read as one stream. The one place that knows how the bytes of an object become bytes of
// blobs and back.
import { Readable } from 'node:stream'
import type { Env } from '../../engine/env.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import type { ByteRange } from './object-headers.ts'

/** The bytes from `start` to `end` (exclusive), or all of them. */
export function readBody({ blobs }: Pick<Env, 'blobs'>, body: readonly StoredBlob[], range?: ByteRange): Readable {
  const [first, ...more] = body
  if (first !== undefined && more.length === 0) return blobs.read(first.blobId, range)
  const { start, end } = range ?? { start: 0, end: body.reduce((sum, { bytes }) => sum + bytes, 0) }
  return Readable.from(concatenated(), { objectMode: false })

  async function* concatenated(): AsyncGenerator<Buffer> {
    let at = 0
    for (const { blobId, bytes } of body) {
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, bytes)]
      at += bytes
      if (from < to) yield* blobs.read(blobId, { start: from, end: to }) as AsyncIterable<Buffer>
    }
  }
}
