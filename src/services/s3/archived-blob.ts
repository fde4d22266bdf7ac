// Where a blob of an object lies, and how what lies in the archive was compressed.
import { pipeline, Readable } from 'node:stream'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { Env } from '../../engine/env.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import type { Blobs } from '../../storage/blobs.ts'

/** The store in which a blob lies. */
export function storeOf(env: Pick<Env, 'blobs' | 'archive'>, { place }: StoredBlob): Blobs {
  return place === 'archive' ? env.archive : env.blobs
}

export function compressed(source: Readable): AsyncIterable<Buffer> {
  // What fails on either side ends the other, and its error comes out where the stream is read.
  return pipeline(source, createZstdCompress(), () => {}) as AsyncIterable<Buffer>
}

/** Of what a blob was compressed from, the bytes from `start` to `end` (exclusive). */
export async function* decompressed(packed: AsyncIterable<Buffer>, start: number, end: number): AsyncGenerator<Buffer> {
  const source = Readable.from(packed, { objectMode: false })
  const plain = pipeline(source, createZstdDecompress(), () => {}) as Readable
  let at = 0
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
      at += chunk.length
      if (part.length > 0) yield part
      if (at >= end) return
    }
  } finally {
    source.destroy()
    plain.destroy()
  }
}
