// UploadPart: one part of a multipart upload; a part of the same number is replaced.
import type { Operation } from '../../../engine/operation.ts'
import type { StoredBlob } from '../../../model/bucket.ts'
import { WIRE } from '../../../model/limits.ts'
import { describeEncryption } from '../encryption.ts'
import { objectResource } from '../existing-bucket.ts'
import { newObjectResponse } from '../new-object.ts'
import { type BodyInput, type ReceivedBody, receiveBody } from '../receive-body.ts'
import { bucketParameters, objectResources } from '../record.ts'
import { releaseBlobs } from '../release-blob.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { announcedBody, putPart } from './parts.ts'
import { checkPartNumber, existingUpload, type UploadInput } from './uploads.ts'

interface Input extends UploadInput, BodyInput {
  readonly PartNumber: number
}

interface Output {
  readonly ETag: string
  readonly ServerSideEncryption?: string
  readonly [checksum: `Checksum${string}`]: string
  /** The part that this one replaces; not part of the answer. */
  readonly released?: readonly StoredBlob[]
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
    const output: Record<string, unknown> = { ETag: body.etag, ...describeEncryption(upload.encryption), released }
    for (const [algorithm, value] of Object.entries(body.checksums)) output[`Checksum${algorithm}`] = value
    return output as unknown as Output
  },
  answer({ released, ...output }, call) {
    releaseBlobs(call.env, released ?? [])
    return output as Output
  },
}

const SUPPORTED = new Set([
  'Bucket',
  'Key',
  'PartNumber',
  'UploadId',
  'Body',
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
  'RequestPayer',
  'ExpectedBucketOwner',
])
