// PutObject: the body is a blob on stable storage before the commit that names it.
import type { Operation } from '../../engine/operation.ts'
import type { ObjectEncryption } from '../../model/bucket.ts'
import { WIRE } from '../../model/limits.ts'
import { checksumMembers } from './checksums.ts'
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
  newObjectRecord,
} from './new-object.ts'
import { expirationText } from './object-headers.ts'
import { currentObject, putVersion, toldVersion } from './object-versions.ts'
import { checkWrite } from './preconditions.ts'
import { type BodyInput, type ReceivedBody, receiveBody, UPLOAD_MEMBERS } from './receive-body.ts'
import { bucketParameters } from './record.ts'
import { answerReleased, discardBlobs, type Releasing } from './release-blob.ts'
import { readStorageClass } from './storage-class.ts'
import { tellEvent } from './tell-event.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends NewObjectInput, BodyInput {
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
}

interface Output extends Releasing {
  readonly ETag: string
  readonly ServerSideEncryption?: string
  readonly SSEKMSKeyId?: string
  readonly [checksum: `Checksum${string}`]: string
  readonly VersionId?: string
  readonly Expiration?: string
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
    ...newObjectRecord,
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
      const expiration = expirationText(bucket, version)
      return {
        ETag: body.etag,
        ...describeEncryption(encryption),
        ...checksumMembers(body.checksums),
        ...(Object.keys(body.checksums).length > 0 && { ChecksumType: 'FULL_OBJECT' }),
        ...toldVersion(bucket, version),
        ...(expiration !== undefined && { Expiration: expiration }),
        released,
      }
    } catch (error) {
      discardBlobs(call.env, body.blobs)
      throw error
    }
  },
  answer: answerReleased,
}

const SUPPORTED: ReadonlySet<string> = new Set([...NEW_OBJECT_MEMBERS, ...UPLOAD_MEMBERS, 'IfMatch', 'IfNoneMatch'])
