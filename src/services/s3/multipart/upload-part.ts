// UploadPart: one part of a multipart upload; a part of the same number is replaced.
import type { Operation } from '../../../engine/operation.ts'
import { WIRE } from '../../../model/limits.ts'
import { checksumMembers } from '../checksums.ts'
import { describeEncryption } from '../encryption.ts'
import { objectResource } from '../existing-bucket.ts'
import { newObjectResponse } from '../new-object.ts'
import { type BodyInput, type ReceivedBody, receiveBody, UPLOAD_MEMBERS } from '../receive-body.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { answerReleased, type Releasing } from '../release-blob.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { announcedBody, putPart } from './parts.ts'
import { checkPartNumber, existingUpload, type UploadInput } from './uploads.ts'

interface Input extends UploadInput, BodyInput {
  readonly PartNumber: number
}

interface Output extends Releasing {
  readonly ETag: string
  readonly ServerSideEncryption?: string
  readonly [checksum: `Checksum${string}`]: string
}

export const uploadPart: Operation<Input, Output, ReceivedBody> = {
  name: 'UploadPart',
  access: 'write',
  data: true,
  action: 'PutObject',
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { partNumber: input.PartNumber, uploadId: input.UploadId }),
    response: newObjectResponse,
    resources: objectResources,
  },
  async prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    checkPartNumber(input.PartNumber)
    const { upload } = existingUpload(call.env.tables, input)
    return receiveBody(call, announcedBody(upload, input), WIRE.streamBytesMax, upload.encryption, upload.storageClass)
  },
  run(tx, input, call, body) {
    const { upload, released } = putPart(tx, call.env, input, body)
    return { ETag: body.etag, ...describeEncryption(upload.encryption), ...checksumMembers(body.checksums), released }
  },
  answer: answerReleased,
}

const SUPPORTED = new Set(['Bucket', 'Key', 'PartNumber', 'UploadId', ...UPLOAD_MEMBERS, 'RequestPayer', 'ExpectedBucketOwner'])
