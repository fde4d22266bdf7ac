// The headers that an object keeps and gives back, and what HeadObject and GetObject say of it.
import type { Bucket, StoredObject } from '../../model/bucket.ts'
import { expirationOf } from '../../model/lifecycle.ts'
import { checksumMembers } from './checksums.ts'
import { describeEncryption } from './encryption.ts'
import { errors } from './errors.ts'
import { toldId } from './object-versions.ts'

const HEADERS = {
  CacheControl: 'cache-control',
  ContentDisposition: 'content-disposition',
  ContentEncoding: 'content-encoding',
  ContentLanguage: 'content-language',
  ContentType: 'content-type',
  WebsiteRedirectLocation: 'x-amz-website-redirect-location',
} as const

/** The input's headers that S3 keeps, by lower-case name. `aws-chunked` is the upload's coding, not the object's. */
export function keptHeaders(input: object): Readonly<Record<string, string>> {
  const given = input as Readonly<Record<string, unknown>>
  const kept: Record<string, string> = {}
  for (const [member, header] of Object.entries(HEADERS)) {
    const value = member === 'ContentEncoding' ? withoutChunking(given[member]) : given[member]
    if (typeof value === 'string' && value !== '') kept[header] = value
  }
  if (given['Expires'] instanceof Date) kept['expires'] = given['Expires'].toUTCString()
  return kept
}

function withoutChunking(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const codings = value.split(',').map((coding) => coding.trim())
  return codings.filter((coding) => coding !== 'aws-chunked' && coding !== '').join(', ')
}

export interface ObjectDescription {
  readonly [member: string]: unknown
  readonly ContentLength: number
}

interface DescribedInput {
  readonly ChecksumMode?: string
  readonly VersionId?: string
  readonly ResponseCacheControl?: string
  readonly ResponseContentDisposition?: string
  readonly ResponseContentEncoding?: string
  readonly ResponseContentLanguage?: string
  readonly ResponseContentType?: string
  readonly ResponseExpires?: Date
}

/** Checksums are of the whole object, so that they go only with the whole. `mayRead`: whether the caller may do this to the object, too. */
export function describeObject(
  bucket: Bucket,
  object: StoredObject,
  input: DescribedInput,
  range: ByteRange | undefined,
  mayRead: (action: string) => boolean,
): ObjectDescription {
  const { headers } = object
  const tagCount = Object.keys(object.tags ?? {}).length
  const expires = input.ResponseExpires?.toUTCString() ?? headers['expires']
  const described: Record<string, unknown> = {
    AcceptRanges: 'bytes',
    LastModified: new Date(object.modifiedAt),
    ETag: object.etag,
    VersionId: toldId(bucket, object),
    ContentType: input.ResponseContentType ?? headers['content-type'] ?? 'binary/octet-stream',
    Metadata: object.metadata,
    CacheControl: input.ResponseCacheControl ?? headers['cache-control'],
    ContentDisposition: input.ResponseContentDisposition ?? headers['content-disposition'],
    ContentEncoding: input.ResponseContentEncoding ?? headers['content-encoding'],
    ContentLanguage: input.ResponseContentLanguage ?? headers['content-language'],
    WebsiteRedirectLocation: headers['x-amz-website-redirect-location'],
    Expires: expires === undefined ? undefined : new Date(expires),
    StorageClass: object.storageClass,
    Expiration: input.VersionId === undefined ? expirationText(bucket, object) : undefined,
    TagCount: tagCount === 0 ? undefined : tagCount,
    ...describeEncryption(object.encryption),
    ...describeLock(object, mayRead),
  }
  if (range !== undefined) described['ContentRange'] = `bytes ${range.start}-${range.end - 1}/${object.bytes}`
  else if (input.ChecksumMode === 'ENABLED') {
    Object.assign(described, checksumMembers(object.checksums))
    if (Object.keys(object.checksums).length > 0) described['ChecksumType'] = object.checksumType ?? 'FULL_OBJECT'
  }
  for (const [name, value] of Object.entries(described)) if (value === undefined) delete described[name]
  return { ...described, ContentLength: range === undefined ? object.bytes : range.end - range.start }
}

/** When the bucket's rules let a current version go (the x-amz-expiration header). */
export function expirationText({ lifecycle }: Pick<Bucket, 'lifecycle'>, object: StoredObject): string | undefined {
  const due = lifecycle === undefined ? undefined : expirationOf(lifecycle, object)
  return due === undefined ? undefined : `expiry-date="${new Date(due.at).toUTCString()}", rule-id="${encodeURIComponent(due.ruleId)}"`
}

/** Locks are told to those who may ask for them. */
function describeLock({ retention, hasLegalHold }: StoredObject, mayRead: (action: string) => boolean): Readonly<Record<string, unknown>> {
  return {
    ...(retention !== undefined &&
      mayRead('GetObjectRetention') && { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: new Date(retention.until) }),
    ...(hasLegalHold !== undefined && mayRead('GetObjectLegalHold') && { ObjectLockLegalHoldStatus: hasLegalHold ? 'ON' : 'OFF' }),
  }
}

export interface ByteRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** One range of bytes (RFC 9110, section 14). Undefined for a form that S3 ignores, several ranges among them. Throws InvalidRange. */
export function readRange(text: string | undefined, bytes: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text ?? '') ?? []
  if (text === undefined || first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const suffix = Math.min(Number(last), bytes)
    if (suffix === 0) throw errors.invalidRange(text, bytes)
    return { start: bytes - suffix, end: bytes }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= bytes) throw errors.invalidRange(text, bytes)
  return { start, end: last === '' ? bytes : Math.min(Number(last) + 1, bytes) }
}
