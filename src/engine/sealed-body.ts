// Bodies that the server keeps for itself, such as finished log files that wait: sealed under its own key, whole.
import { Readable } from 'node:stream'
import type { StoredBlob } from '../model/bucket.ts'
import { openBlob, sealBlob } from '../model/sealed-blob.ts'
import type { Env } from './env.ts'
import { KeyMissing, OBJECTS_KEY } from './keys.ts'

type Parts = Pick<Env, 'keys' | 'tables' | 'blobs'>

export async function writeSealedBody({ keys, tables, blobs }: Parts, source: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const own = keys.own(tables, OBJECTS_KEY)
  if (own === undefined) throw new KeyMissing(`the server has no key ${OBJECTS_KEY}`)
  const { plain, sealed } = keys.dataKey(tables, own.keyId, {})
  let bytes = 0
  const { id } = await blobs.write(
    sealBlob(
      counted(source, (length) => (bytes += length)),
      plain,
    ),
  )
  return { blobId: id, bytes, seal: { form: 1, dataKey: sealed, context: {}, bytes } }
}

export function readSealedBody({ keys, tables, blobs }: Parts, { blobId, seal }: StoredBlob): Readable {
  if (seal === undefined) return blobs.read(blobId)
  const plain = keys.open(tables, seal.dataKey, seal.context)
  return Readable.from(
    openBlob((range) => blobs.read(blobId, range) as AsyncIterable<Buffer>, plain, seal.bytes),
    { objectMode: false },
  )
}

async function* counted(source: AsyncIterable<Uint8Array>, see: (length: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    see(chunk.length)
    yield chunk
  }
}
