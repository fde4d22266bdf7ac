// PutObject: the body is a blob on stable storage before the commit that names it.
import type { Operation } from '../../engine/operation.ts'
import type { ObjectEncryption, StoredBlob } from '../../model/bucket.ts'
import { WIRE } from '../../model/limits.ts'
import { chooseEncryption, describeEncryption } from './encryption.ts'
import { existingBucket, objectResource } from './existing-bucket.ts'
import {
  checkNewObject,
  NEW_OBJECT_MEMBERS,
  type NewObjectInput,
  newObjectConditions,
  newObjectLock,
  newObjectMembers,
  newObjectParameters,
  newObjectResponse,
  sseApplied,
} from './new-object.ts'
import { expirationText } from './object-headers.ts'
import { currentObject, putVersion, toldId } from './object-versions.ts'
import { checkWrite } from './preconditions.ts'
import { type BodyInput, type ReceivedBody, receiveBody } from './receive-body.ts'
import { bucketParameters, objectResources } from './record.ts'
import { discardBlobs, releaseBlobs } from './release-blob.ts'
import { readStorageClass } from './storage-class.ts'
import { tellEvent } from './tell-event.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends NewObjectInput, BodyInput {
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
}

interface Output {
  readonly ETag: string
  readonly ServerSideEncryption?: string
  readonly SSEKMSKeyId?: string
  readonly [checksum: `Checksum${string}`]: string
  readonly VersionId?: string
  /** The body that this one replaces; not part of the answer. */
  readonly released?: readonly StoredBlob[]
}

interface Prepared {
  readonly body: ReceivedBody
  readonly encryption: ObjectEncryption
}

export const putObject: Operation<Input, Output, Prepared> = {
  name: 'PutObject',
  access: 'write',
  data: true,
  resource: objectResource,
  conditions: newObjectConditions,
  record: {
    parameters: (input, call) => bucketParameters(input, call, newObjectParameters(input)),
    response: newObjectResponse,
    resources: objectResources,
    additional: (output, input) => (output === undefined ? undefined : { SSEApplied: sseApplied(output, input) }),
  },
  async prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    const bucket = existingBucket(call.env.tables, input)
    checkNewObject(call, bucket, input)
    const encryption = await chooseEncryption(call, input, bucket)
    return { body: await receiveBody(call, input, WIRE.streamBytesMax, encryption, readStorageClass(input.StorageClass)), encryption }
  },
  run(tx, input, call, { body, encryption }) {
    try {
      const bucket = existingBucket(tx, input)
      checkWrite(input, input.Key, currentObject(tx, bucket, input.Key))
      const { version, released } = putVersion(call.env, tx, bucket, {
        key: input.Key,
        blobs: body.blobs,
        bytes: body.bytes,
        etag: body.etag,
        checksums: body.checksums,
        encryption,
        ...newObjectMembers(input),
        ...newObjectLock(call.env.clock, bucket, input),
      })
      tellEvent(tx, call, bucket, 'ObjectCreated:Put', version)
      const output: Record<string, unknown> = { ETag: body.etag, ...describeEncryption(encryption), released }
      for (const [algorithm, value] of Object.entries(body.checksums)) output[`Checksum${algorithm}`] = value
      if (Object.keys(body.checksums).length > 0) output['ChecksumType'] = 'FULL_OBJECT'
      const versionId = toldId(bucket, version)
      if (versionId !== undefined) output['VersionId'] = versionId
      const expiration = expirationText(bucket, version)
      if (expiration !== undefined) output['Expiration'] = expiration
      return output as unknown as Output
    } catch (error) {
      discardBlobs(call.env, body.blobs)
      throw error
    }
  },
  answer({ released, ...output }, call) {
    releaseBlobs(call.env, released ?? [])
    return output as Output
  },
}

const SUPPORTED: ReadonlySet<string> = new Set([
  ...NEW_OBJECT_MEMBERS,
  'ContentLength',
  'ContentMD5',
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumSHA1',
  'ChecksumSHA256',
  'ChecksumSHA512',
  'ChecksumMD5',
  'IfMatch',
  'IfNoneMatch',
  'Body',
])
