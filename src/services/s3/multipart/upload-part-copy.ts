// UploadPartCopy: a part made of the bytes of an object, or of a range of them.
import type { Operation } from '../../../engine/operation.ts'
import { WIRE } from '../../../model/limits.ts'
import { checksumMembers } from '../checksums.ts'
import { COPY_SOURCE_MEMBERS, type CopySource, type CopySourceInput, existingCopySource, withSourceBody } from '../copy-source.ts'
import { describeEncryption } from '../encryption.ts'
import { errors } from '../errors.ts'
import { objectResource } from '../existing-bucket.ts'
import type { ByteRange } from '../object-headers.ts'
import { newObjectResponse } from '../new-object.ts'
import { type ReceivedBody, receiveBody } from '../receive-body.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { answerReleased, type Releasing } from '../release-blob.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { announcedBody, putPart } from './parts.ts'
import { checkPartNumber, existingUpload, type UploadInput } from './uploads.ts'

interface Input extends UploadInput, CopySourceInput {
  readonly PartNumber: number
  readonly CopySourceRange?: string
}

interface Output extends Releasing {
  readonly CopyPartResult: Readonly<Record<string, unknown>>
  readonly ServerSideEncryption?: string
  readonly CopySourceVersionId?: string
}

interface Prepared {
  readonly source: CopySource
  readonly body: ReceivedBody
}

export const uploadPartCopy: Operation<Input, Output, Prepared> = {
  name: 'UploadPartCopy',
  access: 'write',
  data: true,
  action: 'PutObject',
  resource: objectResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        partNumber: input.PartNumber,
        uploadId: input.UploadId,
        'x-amz-copy-source': input.CopySource,
        'x-amz-copy-source-range': input.CopySourceRange,
      }),
    response: newObjectResponse,
    resources: objectResources,
  },
  async prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    checkPartNumber(input.PartNumber)
    const { upload } = existingUpload(call.env.tables, input)
    const source = existingCopySource(call, input)
    const range = readCopyRange(input.CopySourceRange, source.object.bytes)
    const bytes = range === undefined ? source.object.bytes : range.end - range.start
    if (bytes > WIRE.streamBytesMax)
      throw errors.invalidRequest(
        `The specified copy source is larger than the maximum allowable size for a copy source: ${WIRE.streamBytesMax}`,
      )
    const { Bucket, Key } = input
    const body = await receiveBody(
      withSourceBody(call, source, range),
      announcedBody(upload, { Bucket, Key }),
      WIRE.streamBytesMax,
      upload.encryption,
      upload.storageClass,
    )
    return { source, body }
  },
  run(tx, input, call, { source, body }) {
    const { upload, released } = putPart(tx, call.env, input, body)
    return {
      CopyPartResult: {
        ETag: body.etag,
        LastModified: new Date(tx.now),
        ...checksumMembers(body.checksums),
      },
      ...describeEncryption(upload.encryption),
      ...(source.versionId !== undefined && { CopySourceVersionId: source.versionId }),
      released,
    }
  },
  answer: answerReleased,
}

const SUPPORTED: ReadonlySet<string> = new Set([
  'Bucket',
  'Key',
  'PartNumber',
  'UploadId',
  'CopySourceRange',
  ...COPY_SOURCE_MEMBERS,
  'RequestPayer',
  'ExpectedBucketOwner',
])

/** Both ends have to be given and to lie within the source. Throws InvalidArgument and InvalidRange. */
export function readCopyRange(text: string | undefined, bytes: number): ByteRange | undefined {
  if (text === undefined) return undefined
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text) ?? []
  if (first === undefined || last === undefined || Number(first) > Number(last))
    throw errors.invalidArgument(
      'x-amz-copy-source-range',
      text,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the ' +
        'first and last bytes to copy',
    )
  if (Number(last) >= bytes)
    throw errors.invalidArgument('x-amz-copy-source-range', text, `Range specified is not valid for source object of size: ${bytes}`)
  return { start: Number(first), end: Number(last) + 1 }
}
