// What PutObject, CopyObject and CreateMultipartUpload may say of an object to be: its headers, metadata, tags and locks. Checked before
// any byte is taken in.
import type { Clock } from '../../base/clock.ts'
import type { Call } from '../../engine/operation.ts'
import type { Bucket, DefaultRetention, Retention, StoredObject } from '../../model/bucket.ts'
import { ENCRYPTION_MEMBERS, type EncryptionInput, encryptionConditions } from './encryption.ts'
import { errors } from './errors.ts'
import { type BucketInput, objectArn } from './existing-bucket.ts'
import { keptHeaders } from './object-headers.ts'
import { checkKey } from './object-key.ts'
import { retentionStart } from './object-lock.ts'
import { objectResources } from './record.ts'
import { readStorageClass } from './storage-class.ts'
import { headerTags, requestTagConditions } from './tags.ts'

export interface LockInput {
  readonly ObjectLockMode?: string
  readonly ObjectLockRetainUntilDate?: Date
  readonly ObjectLockLegalHoldStatus?: string
}

export interface NewObjectInput extends BucketInput, LockInput, EncryptionInput {
  readonly Key: string
  readonly ACL?: string
  readonly Metadata?: Readonly<Record<string, string>>
  readonly StorageClass?: string
  readonly Tagging?: string
}

export const NEW_OBJECT_MEMBERS: readonly string[] = [
  'Bucket',
  'Key',
  'ACL',
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'Expires',
  'Metadata',
  'ObjectLockLegalHoldStatus',
  'ObjectLockMode',
  'ObjectLockRetainUntilDate',
  'StorageClass',
  'Tagging',
  'WebsiteRedirectLocation',
  ...ENCRYPTION_MEMBERS,
  // Buckets where the requester pays do not exist here, and S3 takes the header for any other.
  'RequestPayer',
  'ExpectedBucketOwner',
]

const METADATA_BYTES_MAX = 2048

/** Throws what S3 answers to an object that cannot be, or that the caller may not lock. */
export function checkNewObject(call: Call, bucket: Bucket, input: NewObjectInput): void {
  checkKey(input.Key)
  if (input.ACL !== undefined && input.ACL !== 'bucket-owner-full-control') throw errors.aclNotSupported()
  readStorageClass(input.StorageClass)
  headerTags(input.Tagging)
  const metadataBytes = Object.entries(input.Metadata ?? {}).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  if (metadataBytes > METADATA_BYTES_MAX) throw errors.metadataTooLarge(metadataBytes, METADATA_BYTES_MAX)
  newObjectLock(call.env.clock, bucket, input)
  if (input.Tagging !== undefined) call.require('PutObjectTagging', objectArn(bucket.name, input.Key, call))
  if (input.ObjectLockMode !== undefined) call.require('PutObjectRetention', objectArn(bucket.name, input.Key, call))
  if (input.ObjectLockLegalHoldStatus !== undefined) call.require('PutObjectLegalHold', objectArn(bucket.name, input.Key, call))
}

/** Members of the new StoredObject that the input gives. */
export function newObjectMembers(input: NewObjectInput): Pick<StoredObject, 'headers' | 'metadata' | 'tags' | 'storageClass'> {
  return {
    headers: keptHeaders(input),
    metadata: input.Metadata ?? {},
    ...(input.Tagging !== undefined && { tags: headerTags(input.Tagging) }),
    ...(readStorageClass(input.StorageClass) !== 'STANDARD' && { storageClass: readStorageClass(input.StorageClass) }),
  }
}

export interface NewLock {
  readonly retention?: Retention
  readonly hasLegalHold?: boolean
}

/** The lock that a new version gets: what the input asks for, else the bucket's default. Throws InvalidRequest and InvalidArgument. */
export function newObjectLock(clock: Clock, bucket: Bucket, input: LockInput): NewLock {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input
  const asks = mode !== undefined || until !== undefined || hold !== undefined
  if (bucket.objectLock === undefined) {
    if (asks) throw errors.noLockConfiguration()
    return {}
  }
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw errors.invalidArgument('x-amz-object-lock-legal-hold', hold, 'Legal Hold must be either of ON or OFF')
  if ((mode === undefined) !== (until === undefined))
    throw errors.invalidArgument(
      mode === undefined ? 'x-amz-object-lock-mode' : 'x-amz-object-lock-retain-until-date',
      '',
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
    )
  const { defaultRetention } = bucket.objectLock
  const retention =
    mode !== undefined && until !== undefined
      ? checkedRetention({ Mode: mode, RetainUntilDate: until }, clock.now())
      : defaultRetention && { mode: defaultRetention.mode, until: retentionStart(clock) + lengthOf(defaultRetention) }
  return { ...(retention !== undefined && { retention }), ...(hold !== undefined && { hasLegalHold: hold === 'ON' }) }
}

/** Throws InvalidArgument for a mode that is none and for a time that is past. */
export function checkedRetention({ Mode: mode, RetainUntilDate: until }: { Mode: string; RetainUntilDate: Date }, now: number): Retention {
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE')
    throw errors.invalidArgument('x-amz-object-lock-mode', mode, 'Unknown wormMode directive: use GOVERNANCE or COMPLIANCE')
  if (until.getTime() <= now)
    throw errors.invalidArgument('x-amz-object-lock-retain-until-date', until.toISOString(), 'The retain until date must be in the future!')
  return { mode, until: until.getTime() }
}

const DAY_MS = 24 * 3600 * 1000
const DAYS_OF_YEAR = 365

function lengthOf({ days = 0, years = 0 }: DefaultRetention): number {
  return (days + years * DAYS_OF_YEAR) * DAY_MS
}

export function newObjectConditions(input: NewObjectInput): Readonly<Record<string, string | string[]>> {
  return {
    ...(input.ACL !== undefined && { 's3:x-amz-acl': input.ACL }),
    ...(input.ObjectLockMode !== undefined && { 's3:object-lock-mode': input.ObjectLockMode }),
    ...(input.ObjectLockRetainUntilDate !== undefined && {
      's3:object-lock-retain-until-date': input.ObjectLockRetainUntilDate.toISOString(),
    }),
    ...(input.ObjectLockLegalHoldStatus !== undefined && { 's3:object-lock-legal-hold': input.ObjectLockLegalHoldStatus }),
    ...encryptionConditions(input),
    ...requestTagConditions(headerTags(input.Tagging)),
  }
}

export function newObjectParameters(input: NewObjectInput): Readonly<Record<string, unknown>> {
  return {
    'x-amz-acl': input.ACL,
    'x-amz-server-side-encryption': input.ServerSideEncryption,
    'x-amz-server-side-encryption-aws-kms-key-id': input.SSEKMSKeyId,
    'x-amz-storage-class': input.StorageClass,
    'x-amz-tagging': input.Tagging,
    'x-amz-object-lock-mode': input.ObjectLockMode,
    'x-amz-object-lock-retain-until-date': input.ObjectLockRetainUntilDate?.toISOString(),
    'x-amz-object-lock-legal-hold': input.ObjectLockLegalHoldStatus,
  }
}

interface EncryptedOutput {
  readonly ServerSideEncryption?: string
  readonly SSEKMSKeyId?: string
  readonly VersionId?: string
}

/** What the answer's headers say of the new object, as responseElements has it. */
export function newObjectResponse({
  ServerSideEncryption: algorithm,
  SSEKMSKeyId: keyId,
  VersionId: versionId,
}: EncryptedOutput): Readonly<Record<string, unknown>> {
  return {
    ...(algorithm !== undefined && { 'x-amz-server-side-encryption': algorithm }),
    ...(keyId !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
    ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
  }
}

/** As CloudTrail's records of S3 say it. */
function sseApplied({ ServerSideEncryption: algorithm }: EncryptedOutput, input: EncryptionInput): string {
  return `${input.ServerSideEncryption === undefined ? 'Default_' : ''}${algorithm === 'aws:kms' ? 'SSE_KMS' : 'SSE_S3'}`
}

/** How the calls that make an object stand in their events, beside their parameters. */
export const newObjectRecord = {
  response: newObjectResponse,
  resources: objectResources,
  additional: (output: EncryptedOutput | undefined, input: EncryptionInput) =>
    output === undefined ? undefined : { SSEApplied: sseApplied(output, input) },
} as const
