// What both versions of ListObjects share: how a query is checked and how a page is told.
import type { Call } from '../../engine/operation.ts'
import type { StorageClass, StoredObject } from '../../model/bucket.ts'
import { canonicalUserId } from './canonical-user-id.ts'
import { errors } from './errors.ts'
import type { BucketInput } from './existing-bucket.ts'
import { encodeKey, type Listing } from './object-listing.ts'
import { bucketParameters } from './record.ts'

export interface ListInput extends BucketInput {
  readonly Delimiter?: string
  readonly EncodingType?: string
  readonly MaxKeys?: number
  readonly Prefix?: string
}

export interface ListedObject {
  readonly Key: string
  readonly LastModified: Date
  readonly ETag: string
  readonly ChecksumAlgorithm?: readonly string[]
  readonly ChecksumType?: string
  readonly Size: number
  readonly StorageClass: StorageClass
  readonly Owner?: { readonly ID: string }
}

export interface ListOutput {
  readonly Name: string
  readonly Prefix: string
  readonly Delimiter?: string
  readonly MaxKeys: number
  readonly EncodingType?: string
  readonly IsTruncated: boolean
  readonly Contents?: readonly ListedObject[]
  readonly CommonPrefixes?: readonly { readonly Prefix: string }[]
}

const KEYS_MAX = 1000

/** Keys to give at most; a greater wish is cut to a thousand, as S3 does. */
export function keysMaxOf({ MaxKeys }: Pick<ListInput, 'MaxKeys'>, name = 'max-keys'): number {
  if (MaxKeys === undefined) return KEYS_MAX
  if (!Number.isInteger(MaxKeys) || MaxKeys < 0 || MaxKeys > 2_147_483_647)
    throw errors.invalidArgument(name, String(MaxKeys), `Argument ${name} must be an integer between 0 and 2147483647`)
  return Math.min(MaxKeys, KEYS_MAX)
}

/** How names stand in the answer: as they are, or encoded so that XML can hold any of them. */
export function encoderOf({ EncodingType }: Pick<ListInput, 'EncodingType'>): (text: string) => string {
  if (EncodingType === undefined) return (text) => text
  if (EncodingType !== 'url') throw errors.invalidArgument('encoding-type', EncodingType, 'Invalid Encoding Method specified in Request')
  return encodeKey
}

export function listOutput(input: ListInput, keysMax: number, listing: Listing, showsOwner: boolean): ListOutput {
  const encode = encoderOf(input)
  return {
    Name: input.Bucket,
    Prefix: encode(input.Prefix ?? ''),
    ...(input.Delimiter !== undefined && input.Delimiter !== '' && { Delimiter: encode(input.Delimiter) }),
    MaxKeys: keysMax,
    ...(input.EncodingType !== undefined && { EncodingType: input.EncodingType }),
    IsTruncated: listing.next !== undefined,
    ...(listing.objects.length > 0 && { Contents: listing.objects.map((object) => listedObject(object, encode, showsOwner)) }),
    ...(listing.commonPrefixes.length > 0 && { CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })) }),
  }
}

export function listedObject(object: StoredObject, encode: (text: string) => string, showsOwner: boolean): ListedObject {
  const algorithms = Object.keys(object.checksums)
  return {
    Key: encode(object.key),
    LastModified: new Date(object.modifiedAt),
    ETag: object.etag,
    ...(algorithms.length > 0 && { ChecksumAlgorithm: algorithms, ChecksumType: object.checksumType ?? 'FULL_OBJECT' }),
    Size: object.bytes,
    StorageClass: object.storageClass ?? 'STANDARD',
    ...(showsOwner && { Owner: { ID: canonicalUserId(object.owner) } }),
  }
}

export function listParameters(
  input: ListInput,
  call: Call,
  further: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return bucketParameters(input, call, {
    prefix: input.Prefix,
    delimiter: input.Delimiter,
    'max-keys': input.MaxKeys,
    'encoding-type': input.EncodingType,
    ...further,
  })
}

/** Condition keys of s3:ListBucket (Service Authorization Reference, "Amazon S3"). */
export function listConditions(input: ListInput): Readonly<Record<string, string>> {
  return {
    ...(input.Prefix !== undefined && { 's3:prefix': input.Prefix }),
    ...(input.Delimiter !== undefined && { 's3:delimiter': input.Delimiter }),
    ...(input.MaxKeys !== undefined && { 's3:max-keys': String(input.MaxKeys) }),
  }
}
