// GetObject: what is given is decided in `run`; the bytes are opened once the call is on the record.
import type { Readable } from 'node:stream'
import type { Operation } from '../../engine/operation.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { openBlobKeys } from './encryption.ts'
import { objectResource } from './existing-bucket.ts'
import { taggedObject } from './existing-object.ts'
import { readBody } from './object-body.ts'
import type { ByteRange, ObjectDescription } from './object-headers.ts'
import { readAction, type ReadInput, readObject } from './read-object.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'

interface Output extends ObjectDescription {
  readonly Body?: Readable | Uint8Array
  /** Where the bytes are; not part of the answer. */
  readonly source?: {
    readonly body: readonly StoredBlob[]
    readonly keys: readonly (Buffer | undefined)[]
    readonly range: ByteRange | undefined
  }
}

export const getObject: Operation<ReadInput, Output> = {
  name: 'GetObject',
  access: 'read',
  data: true,
  action: readAction,
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { Range: input.Range, partNumber: input.PartNumber, versionId: input.VersionId }),
    resources: objectResources,
    additional: (output) => (output === undefined ? undefined : { bytesTransferredOut: output.ContentLength }),
  },
  run(tx, input, call) {
    const { object, range, description } = readObject(tx, input, call)
    const body = blobsOf(object)
    const keys = openBlobKeys(tx, call, { blobs: body, encryption: object.encryption })
    return body.length === 0 ? description : { ...description, source: { body, keys, range } }
  },
  answer({ source, ...description }, call) {
    if (source === undefined) return { ...description, Body: new Uint8Array(0) }
    return { ...description, Body: readBody(call.env, source.body, source.keys, source.range) }
  },
}
