// The source of CopyObject and UploadPartCopy: which version it is, whether the caller may read it, and its bytes as a body to take in.
// Bytes are copied into blobs of their own, so that no two objects ever share one.
import type { Call } from '../../engine/operation.ts'
import type { Bucket, StoredObject } from '../../model/bucket.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { ServiceError } from '../../model/service-error.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { openBlobKeys } from './encryption.ts'
import { errors } from './errors.ts'
import { bucketResource, existingBucket, objectArn } from './existing-bucket.ts'
import { existingObject, existingVersion } from './existing-object.ts'
import { readBody } from './object-body.ts'
import type { ByteRange } from './object-headers.ts'
import { idOf } from './object-versions.ts'
import { checkRead } from './preconditions.ts'

export interface CopySourceInput {
  readonly CopySource: string
  readonly CopySourceIfMatch?: string
  readonly CopySourceIfNoneMatch?: string
  readonly CopySourceIfModifiedSince?: Date
  readonly CopySourceIfUnmodifiedSince?: Date
  readonly ExpectedSourceBucketOwner?: string
}

export const COPY_SOURCE_MEMBERS: readonly string[] = [
  'CopySource',
  'CopySourceIfMatch',
  'CopySourceIfNoneMatch',
  'CopySourceIfModifiedSince',
  'CopySourceIfUnmodifiedSince',
  'ExpectedSourceBucketOwner',
]

export interface CopySource {
  readonly bucket: Bucket
  readonly object: StoredObject
  /** Told where the source's bucket keeps versions. */
  readonly versionId: string | undefined
}

/** Throws NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed, and the refusal of a caller who may not read it. */
export function existingCopySource(call: Call, input: CopySourceInput): CopySource {
  const { bucket: name, key, versionId } = readCopySource(input.CopySource)
  const { tables } = call.env
  bucketResource({ Bucket: name }, call)
  call.require(versionId === undefined ? 'GetObject' : 'GetObjectVersion', objectArn(name, key, call))
  const expectedOwner = input.ExpectedSourceBucketOwner
  const bucket = existingBucket(tables, { Bucket: name, ...(expectedOwner !== undefined && { ExpectedBucketOwner: expectedOwner }) })
  if (versionId !== undefined && isDeleteMarker(existingVersion(tables, bucket, key, versionId)))
    throw errors.invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.')
  const { object } = existingObject(tables, { Bucket: name, Key: key, ...(versionId !== undefined && { VersionId: versionId }) })
  checkConditions(input, object)
  return { bucket, object, versionId: bucket.versioning === undefined ? undefined : idOf(object) }
}

/** The call with the source's bytes as its body. Throws AccessDenied and the errors of keys. */
export function withSourceBody(call: Call, { object }: CopySource, range?: ByteRange): Call {
  const blobs = blobsOf(object)
  if (blobs.length === 0) return { ...call, stream: undefined }
  const keys = openBlobKeys(call.env.tables, call, { blobs, encryption: object.encryption })
  return { ...call, stream: readBody(call.env, blobs, keys, range) as AsyncIterable<Uint8Array> }
}

/** `[/]bucket/key[?versionId=id]`, percent-encoded. Throws InvalidArgument. */
export function readCopySource(text: string): { readonly bucket: string; readonly key: string; readonly versionId?: string } {
  const at = text.lastIndexOf('?versionId=')
  const path = at < 0 ? text : text.slice(0, at)
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    throw invalid(text, 'Invalid copy source encoding.')
  }
  if (/^\/?arn:/.test(decoded)) throw errors.notImplemented('x-amz-copy-source by the ARN of an access point')
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(decoded) ?? []
  if (bucket === undefined || key === undefined)
    throw invalid(text, 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  return { bucket, key, ...(at >= 0 && { versionId: text.slice(at + '?versionId='.length) }) }
}

function invalid(text: string, message: string): ServiceError {
  return errors.invalidArgument('x-amz-copy-source', text.slice(0, TEXT_CHARS_MAX), message)
}

const TEXT_CHARS_MAX = 1024

/** Whatever condition does not hold, a copy answers PreconditionFailed. */
function checkConditions(input: CopySourceInput, object: StoredObject): void {
  const { CopySourceIfMatch: match, CopySourceIfNoneMatch: noneMatch } = input
  const { CopySourceIfModifiedSince: modified, CopySourceIfUnmodifiedSince: unmodified } = input
  try {
    checkRead(
      {
        ...(match !== undefined && { IfMatch: match }),
        ...(noneMatch !== undefined && { IfNoneMatch: noneMatch }),
        ...(modified !== undefined && { IfModifiedSince: modified }),
        ...(unmodified !== undefined && { IfUnmodifiedSince: unmodified }),
      },
      object,
    )
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw errors.preconditionFailed(error.details['Condition'] ?? (noneMatch === undefined ? 'If-Modified-Since' : 'If-None-Match'))
  }
}
