// Blobs in memory, for `serve --dev` and for tests.
import { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { BlobMissing, BlobTooLarge, createBlobId, readBlobId, type BlobId, type BlobRange, type Blobs } from '../blobs.ts'

export function memoryBlobs({ random, clock }: { readonly random: Random; readonly clock: Clock }): Blobs {
  const blobs = new Map<BlobId, Buffer>()
  let total = 0

  return {
    async write(source, { bytesMax = Infinity } = {}) {
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of source) {
        bytes += chunk.length
        if (bytes > bytesMax) throw new BlobTooLarge(`a blob of more than ${bytesMax} bytes`)
        chunks.push(Buffer.from(chunk))
      }
      const id = createBlobId(random, clock.now(), bytes)
      blobs.set(id, Buffer.concat(chunks))
      total += bytes
      return { id, bytes }
    },
    read(id, range) {
      return Readable.from(readBlob(blobs.get(id), id, range), { objectMode: false })
    },
    async remove(id) {
      total -= blobs.get(id)?.length ?? 0
      blobs.delete(id)
    },
    async *list() {
      for (const id of [...blobs.keys()]) {
        const blob = readBlobId(id)
        if (blob !== undefined) yield blob
      }
    },
    bytes: () => total,
  }
}

async function* readBlob(blob: Buffer | undefined, id: BlobId, range?: BlobRange): AsyncGenerator<Buffer> {
  if (blob === undefined) throw new BlobMissing(`there is no blob ${id}`)
  const part = blob.subarray(range?.start, range?.end)
  if (part.length > 0) yield Buffer.from(part)
}
