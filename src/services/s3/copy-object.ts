// CopyObject: a new version with the bytes of another, in the same bucket or another, with its metadata and tags or new ones.
import type { Call, Operation } from '../../engine/operation.ts'
import type { ObjectEncryption } from '../../model/bucket.ts'
import { WIRE } from '../../model/limits.ts'
import { checksumMembers } from './checksums.ts'
import { COPY_SOURCE_MEMBERS, type CopySource, type CopySourceInput, existingCopySource, withSourceBody } from './copy-source.ts'
import { chooseEncryption, describeEncryption } from './encryption.ts'
import { errors } from './errors.ts'
import { existingBucket, objectArn, objectResource } from './existing-bucket.ts'
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
import { currentObject, idOf, putVersion, toldVersion } from './object-versions.ts'
import { checkWrite } from './preconditions.ts'
import { type ReceivedBody, receiveBody } from './receive-body.ts'
import { bucketParameters } from './record.ts'
import { answerReleased, discardBlobs, type Releasing } from './release-blob.ts'
import { readStorageClass } from './storage-class.ts'
import { tellEvent } from './tell-event.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends NewObjectInput, CopySourceInput {
  readonly ChecksumAlgorithm?: string
  readonly MetadataDirective?: string
  readonly TaggingDirective?: string
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
}

interface Output extends Releasing {
  readonly CopyObjectResult: Readonly<Record<string, unknown>>
  readonly ServerSideEncryption?: string
  readonly CopySourceVersionId?: string
  readonly VersionId?: string
}

interface Prepared {
  readonly source: CopySource
  readonly body: ReceivedBody
  readonly encryption: ObjectEncryption
}

export const copyObject: Operation<Input, Output, Prepared> = {
  name: 'CopyObject',
  access: 'write',
  data: true,
  action: 'PutObject',
  resource: objectResource,
  conditions: newObjectConditions,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        'x-amz-copy-source': input.CopySource,
        'x-amz-metadata-directive': input.MetadataDirective,
        'x-amz-tagging-directive': input.TaggingDirective,
        ...newObjectParameters(input),
      }),
    ...newObjectRecord,
  },
  async prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    const bucket = existingBucket(call.env.tables, input)
    checkNewObject(call, bucket, input)
    const source = existingCopySource(call, input)
    checkCopy(call, input, source)
    const { object } = source
    if (object.bytes > WIRE.streamBytesMax)
      throw errors.invalidRequest(
        `The specified copy source is larger than the maximum allowable size for a copy source: ${WIRE.streamBytesMax}`,
      )
    const encryption = await chooseEncryption(call, input, bucket)
    const algorithm = input.ChecksumAlgorithm ?? Object.keys(object.checksums)[0]
    const body = await receiveBody(
      withSourceBody(call, source),
      { Bucket: bucket.name, Key: input.Key, ...(algorithm !== undefined && { ChecksumAlgorithm: algorithm }) },
      WIRE.streamBytesMax,
      encryption,
      readStorageClass(input.StorageClass),
    )
    return { source, body, encryption }
  },
  run(tx, input, call, { source, body, encryption }) {
    try {
      const bucket = existingBucket(tx, input)
      checkWrite(input, input.Key, currentObject(tx, bucket, input.Key))
      const { object } = source
      const given = newObjectMembers(input)
      const tags = input.TaggingDirective === 'REPLACE' ? given.tags : object.tags
      const { version, released } = putVersion(call.env, tx, bucket, {
        key: input.Key,
        blobs: body.blobs,
        bytes: body.bytes,
        etag: body.etag,
        checksums: body.checksums,
        encryption,
        ...(input.MetadataDirective === 'REPLACE'
          ? { headers: given.headers, metadata: given.metadata }
          : { headers: copiedHeaders(object.headers, given.headers), metadata: object.metadata }),
        ...(tags !== undefined && { tags }),
        ...(given.storageClass !== undefined && { storageClass: given.storageClass }),
        ...newObjectLock(call.env.clock, bucket, input),
      })
      tellEvent(tx, call, bucket, 'ObjectCreated:Copy', version)
      const isChecked = Object.keys(body.checksums).length > 0
      return {
        CopyObjectResult: {
          ETag: body.etag,
          LastModified: new Date(version.modifiedAt),
          ...(isChecked && { ChecksumType: 'FULL_OBJECT' }),
          ...checksumMembers(body.checksums),
        },
        ...(source.versionId !== undefined && { CopySourceVersionId: source.versionId }),
        ...describeEncryption(encryption),
        ...toldVersion(bucket, version),
        released,
      }
    } catch (error) {
      discardBlobs(call.env, body.blobs)
      throw error
    }
  },
  answer: answerReleased,
}

const SUPPORTED: ReadonlySet<string> = new Set([
  ...NEW_OBJECT_MEMBERS,
  ...COPY_SOURCE_MEMBERS,
  'ChecksumAlgorithm',
  'MetadataDirective',
  'TaggingDirective',
  'IfMatch',
  'IfNoneMatch',
])

function checkCopy(call: Call, input: Input, { bucket, object }: CopySource): void {
  for (const [name, value] of [
    ['x-amz-metadata-directive', input.MetadataDirective],
    ['x-amz-tagging-directive', input.TaggingDirective],
  ] as const)
    if (value !== undefined && value !== 'COPY' && value !== 'REPLACE')
      throw errors.invalidArgument(name, value, `Unknown ${name.slice('x-amz-'.length)}: use COPY or REPLACE.`)
  if (input.TaggingDirective !== 'REPLACE' && object.tags !== undefined)
    call.require('GetObjectTagging', objectArn(bucket.name, object.key, call))
  const isItself =
    bucket.name === input.Bucket &&
    object.key === input.Key &&
    idOf(object) === idOf(currentObject(call.env.tables, bucket, input.Key) ?? object)
  const changes =
    input.MetadataDirective === 'REPLACE' ||
    [input.StorageClass, input.ObjectLockMode, input.ServerSideEncryption].some((value) => value !== undefined)
  const kept = newObjectMembers(input).headers['x-amz-website-redirect-location']
  if (isItself && !changes && kept === undefined && input.TaggingDirective !== 'REPLACE')
    throw errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage " +
        'class, website redirect location or encryption attributes.',
    )
}

/** Quirk: a redirect is never copied, only given (CopyObject, "x-amz-website-redirect-location"). */
function copiedHeaders(
  source: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { [REDIRECT]: _old, ...headers } = source
  const redirect = given[REDIRECT]
  return redirect === undefined ? headers : { ...headers, [REDIRECT]: redirect }
}

const REDIRECT = 'x-amz-website-redirect-location'
