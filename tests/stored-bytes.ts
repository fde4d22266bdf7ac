// The bytes of a stored object without a call, which a trail would log.
import type { Env } from '../src/engine/env.ts'
import type { StoredObject } from '../src/model/bucket.ts'
import { blobsOf } from '../src/model/packed-body.ts'
import { readBody } from '../src/services/s3/object-body.ts'

export async function storedBytes(env: Env, object: StoredObject): Promise<Buffer> {
  const blobs = blobsOf(object)
  const keys = blobs.map(({ seal }) => (seal === undefined ? undefined : env.keys.open(env.tables, seal.dataKey, seal.context)))
  return Buffer.concat(await readBody(env, blobs, keys).toArray())
}
