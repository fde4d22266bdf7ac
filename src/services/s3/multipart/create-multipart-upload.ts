// CreateMultipartUpload: says what the object is to be; its parts come one by one.
import type { Operation } from '../../../engine/operation.ts'
import type { ObjectEncryption } from '../../../model/bucket.ts'
import { createUploadId, type MultipartUpload, uploadRow } from '../../../model/multipart-upload.ts'
import { Table } from '../../../model/tables.ts'
import { readAlgorithm } from '../checksums.ts'
import { chooseEncryption, describeEncryption } from '../encryption.ts'
import { errors } from '../errors.ts'
import { existingBucket, objectResource } from '../existing-bucket.ts'
import {
  checkNewObject,
  NEW_OBJECT_MEMBERS,
  type NewObjectInput,
  newObjectConditions,
  newObjectLock,
  newObjectMembers,
  newObjectParameters,
  newObjectRecord,
} from '../new-object.ts'
import { bucketParameters } from '../record.ts'
import { refuseUnsupported } from '../unsupported.ts'
import { abortMembers } from './uploads.ts'

interface Input extends NewObjectInput {
  readonly ChecksumAlgorithm?: string
  readonly ChecksumType?: string
}

interface Output {
  readonly Bucket: string
  readonly Key: string
  readonly UploadId: string
  readonly ChecksumAlgorithm?: string
  readonly ChecksumType?: string
  readonly ServerSideEncryption?: string
}

export const createMultipartUpload: Operation<Input, Output, ObjectEncryption> = {
  name: 'CreateMultipartUpload',
  access: 'write',
  data: true,
  action: 'PutObject',
  resource: objectResource,
  conditions: newObjectConditions,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { uploads: '', ...newObjectParameters(input) }),
    ...newObjectRecord,
  },
  prepare(call, input) {
    refuseUnsupported(input, SUPPORTED)
    const bucket = existingBucket(call.env.tables, input)
    checkNewObject(call, bucket, input)
    return chooseEncryption(call, input, bucket)
  },
  run(tx, input, call, encryption) {
    const bucket = existingBucket(tx, input)
    const uploadId = createUploadId(call.env.random, tx.now)
    const checksum = checksumOf(input)
    // A default retention counts from the object's birth, which is the completion.
    const lock =
      input.ObjectLockMode === undefined && input.ObjectLockLegalHoldStatus === undefined
        ? {}
        : newObjectLock(call.env.clock, bucket, input)
    const upload: MultipartUpload = {
      uploadId,
      key: input.Key,
      owner: bucket.owner,
      initiator: call.principal.arn === '' ? call.account : call.principal.arn,
      initiatedAt: tx.now,
      ...newObjectMembers(input),
      ...(input.ObjectLockMode !== undefined && lock.retention !== undefined && { retention: lock.retention }),
      ...(lock.hasLegalHold !== undefined && { hasLegalHold: lock.hasLegalHold }),
      encryption,
      ...checksum,
    }
    tx.put(Table.multipartUploads, uploadRow(bucket.name, input.Key, uploadId) ?? '', upload)
    return {
      Bucket: bucket.name,
      Key: input.Key,
      UploadId: uploadId,
      ...abortMembers(bucket, upload),
      ...describeEncryption(encryption),
      ...(upload.checksumAlgorithm !== undefined && { ChecksumAlgorithm: upload.checksumAlgorithm, ChecksumType: upload.checksumType }),
    }
  },
}

const SUPPORTED: ReadonlySet<string> = new Set([...NEW_OBJECT_MEMBERS, 'ChecksumAlgorithm', 'ChecksumType'])
/** Which kinds of checksum an upload may have; the first where none is asked for (S3 user guide, "Checking object integrity"). */
const KINDS: Readonly<Record<string, readonly ('COMPOSITE' | 'FULL_OBJECT')[]>> = {
  CRC32: ['COMPOSITE', 'FULL_OBJECT'],
  CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
  CRC64NVME: ['FULL_OBJECT'],
}

function checksumOf({ ChecksumAlgorithm: named, ChecksumType: type }: Input): Pick<MultipartUpload, 'checksumAlgorithm' | 'checksumType'> {
  if (named === undefined) {
    if (type === undefined) return {}
    throw errors.invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.')
  }
  const algorithm = readAlgorithm(named)
  const kinds = KINDS[algorithm] ?? ['COMPOSITE']
  if (type !== undefined && type !== 'COMPOSITE' && type !== 'FULL_OBJECT')
    throw errors.invalidRequest('Value for x-amz-checksum-type header is invalid.')
  const kind = type ?? kinds[0] ?? 'COMPOSITE'
  if (!kinds.includes(kind))
    throw errors.invalidRequest(`The ${kind} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`)
  return { checksumAlgorithm: algorithm, checksumType: kind }
}
