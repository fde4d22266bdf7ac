// GetObject: what is given is decided in `run`; the bytes are opened once the call is on the record.
import type { Readable } from 'node:stream'
import type { Operation } from '../../engine/operation.ts'
import type { StoredBlob } from '../../model/bucket.ts'
import { openBlobKeys } from './encryption.ts'
import { objectResource } from './existing-bucket.ts'
import { type ObjectInput, existingObject, taggedObject } from './existing-object.ts'
import { readBody } from './object-body.ts'
import { type ByteRange, type ObjectDescription, describeObject, readRange } from './object-headers.ts'
import { type ReadConditions, checkRead } from './preconditions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'
import { refuseUnsupported } from './unsupported.ts'

export interface GetInput extends ObjectInput, ReadConditions {
  readonly Range?: string
  readonly ChecksumMode?: string
}

interface Output extends ObjectDescription {
  readonly Body?: Readable | Uint8Array
  /** Where the bytes are; not part of the answer. */
  readonly source?: {
    readonly body: readonly StoredBlob[]
    readonly keys: readonly (Buffer | undefined)[]
    readonly range: ByteRange | undefined
  }
}

export const getObject: Operation<GetInput, Output> = {
  name: 'GetObject',
  access: 'read',
  data: true,
  action: readAction,
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { Range: input.Range, versionId: input.VersionId }),
    resources: objectResources,
    additional: (output) => (output === undefined ? undefined : { bytesTransferredOut: output.ContentLength }),
  },
  run(tx, input, call) {
    refuseUnsupported(input, READ_SUPPORTED)
    const { bucket, object } = existingObject(tx, input)
    checkRead(input, object)
    const range = readRange(input.Range, object.bytes)
    const description = describeObject(bucket, object, input, range)
    const keys = openBlobKeys(tx, call, object)
    return object.blobs.length === 0 ? description : { ...description, source: { body: object.blobs, keys, range } }
  },
  answer({ source, ...description }, call) {
    if (source === undefined) return { ...description, Body: new Uint8Array(0) }
    return { ...description, Body: readBody(call.env, source.body, source.keys, source.range) }
  },
}

export function readAction({ VersionId: versionId }: ObjectInput): string {
  return versionId === undefined ? 'GetObject' : 'GetObjectVersion'
}

export const READ_SUPPORTED: ReadonlySet<string> = new Set([
  'Bucket',
  'Key',
  'IfMatch',
  'IfModifiedSince',
  'IfNoneMatch',
  'IfUnmodifiedSince',
  'Range',
  'ResponseCacheControl',
  'ResponseContentDisposition',
  'ResponseContentEncoding',
  'ResponseContentLanguage',
  'ResponseContentType',
  'ResponseExpires',
  'VersionId',
  'RequestPayer',
  'ExpectedBucketOwner',
  'ChecksumMode',
])
