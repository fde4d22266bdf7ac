// PutObject: the body is a blob on stable storage before the commit that names it.
import type { Operation } from '../../engine/operation.ts'
import type { ObjectEncryption, StoredBlob } from '../../model/bucket.ts'
import { WIRE } from '../../model/limits.ts'
import { ENCRYPTION_MEMBERS, type EncryptionInput, chooseEncryption, describeEncryption, encryptionConditions } from './encryption.ts'
import { errors } from './errors.ts'
import { type BucketInput, existingBucket, objectArn, objectResource } from './existing-bucket.ts'
import { checkKey } from './object-key.ts'
import { keptHeaders } from './object-headers.ts'
import { currentObject, putVersion, toldId } from './object-versions.ts'
import { checkWrite } from './preconditions.ts'
import { type BodyInput, type ReceivedBody, receiveBody } from './receive-body.ts'
import { bucketParameters, objectResources } from './record.ts'
import { discardBlobs, releaseBlobs } from './release-blob.ts'
import { headerTags, requestTagConditions } from './tags.ts'
import { tellEvent } from './tell-event.ts'
import { refuseUnsupported } from './unsupported.ts'

interface Input extends BucketInput, BodyInput, EncryptionInput {
  readonly ACL?: string
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
  readonly Metadata?: Readonly<Record<string, string>>
  readonly StorageClass?: string
  readonly Tagging?: string
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
  conditions: (input) => ({
    ...(input.ACL !== undefined && { 's3:x-amz-acl': input.ACL }),
    ...encryptionConditions(input),
    ...requestTagConditions(headerTags(input.Tagging)),
  }),
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, {
        'x-amz-acl': input.ACL,
        'x-amz-server-side-encryption': input.ServerSideEncryption,
        'x-amz-server-side-encryption-aws-kms-key-id': input.SSEKMSKeyId,
        'x-amz-storage-class': input.StorageClass,
        'x-amz-tagging': input.Tagging,
      }),
    response: ({ VersionId: versionId, ServerSideEncryption: algorithm, SSEKMSKeyId: keyId }) => ({
      'x-amz-server-side-encryption': algorithm,
      ...(keyId !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
      ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
    }),
    resources: objectResources,
    additional: (output, input) => (output === undefined ? undefined : { SSEApplied: appliedOf(output, input) }),
  },
  async prepare(call, input) {
    check(input)
    const encryption = await chooseEncryption(call, input, existingBucket(call.env.tables, input))
    return { body: await receiveBody(call, input, WIRE.streamBytesMax, encryption), encryption }
  },
  run(tx, input, call, { body, encryption }) {
    try {
      const bucket = existingBucket(tx, input)
      if (input.Tagging !== undefined) call.require('PutObjectTagging', objectArn(bucket.name, input.Key, call))
      checkWrite(input, input.Key, currentObject(tx, bucket, input.Key))
      const { version, released } = putVersion(call.env, tx, bucket, {
        key: input.Key,
        blobs: body.blobs,
        bytes: body.bytes,
        etag: body.etag,
        headers: keptHeaders(input),
        metadata: input.Metadata ?? {},
        checksums: body.checksums,
        ...(input.Tagging !== undefined && { tags: headerTags(input.Tagging) }),
        encryption,
      })
      tellEvent(tx, call, bucket, 'ObjectCreated:Put', version)
      const output: Record<string, unknown> = { ETag: body.etag, ...describeEncryption(encryption), released }
      for (const [algorithm, value] of Object.entries(body.checksums)) output[`Checksum${algorithm}`] = value
      if (Object.keys(body.checksums).length > 0) output['ChecksumType'] = 'FULL_OBJECT'
      const versionId = toldId(bucket, version)
      if (versionId !== undefined) output['VersionId'] = versionId
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

/** As CloudTrail's records of S3 say it. */
function appliedOf({ ServerSideEncryption: algorithm }: Output, input: Input): string {
  return `${input.ServerSideEncryption === undefined ? 'Default_' : ''}${algorithm === 'aws:kms' ? 'SSE_KMS' : 'SSE_S3'}`
}

const METADATA_BYTES_MAX = 2048
const SUPPORTED: ReadonlySet<string> = new Set<string>([
  'Bucket',
  'Key',
  'ACL',
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentLength',
  'ContentMD5',
  'ContentType',
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumSHA1',
  'ChecksumSHA256',
  'ChecksumSHA512',
  'ChecksumMD5',
  'Expires',
  'IfMatch',
  'IfNoneMatch',
  'Metadata',
  'StorageClass',
  'Tagging',
  ...ENCRYPTION_MEMBERS,
  'WebsiteRedirectLocation',
  // Buckets where the requester pays do not exist here, and S3 takes the header for any other.
  'RequestPayer',
  'ExpectedBucketOwner',
  'Body',
])

function check(input: Input): void {
  checkKey(input.Key)
  refuseUnsupported(input, SUPPORTED)
  if (input.ACL !== undefined && input.ACL !== 'bucket-owner-full-control') throw errors.aclNotSupported()
  if (input.StorageClass !== undefined && input.StorageClass !== 'STANDARD') throw errors.notImplemented('StorageClass')
  headerTags(input.Tagging)
  const metadataBytes = Object.entries(input.Metadata ?? {}).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  if (metadataBytes > METADATA_BYTES_MAX) throw errors.metadataTooLarge(metadataBytes, METADATA_BYTES_MAX)
}
