// What GetObject and HeadObject share: which version is read, whether it may be, which of its bytes, and what is said of them.
import type { Call } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { ObjectPart, StoredObject } from '../../model/bucket.ts'
import { PART_NUMBER_MAX } from '../../model/multipart-upload.ts'
import { partsOf } from '../../model/packed-body.ts'
import { ServiceError } from '../../model/service-error.ts'
import { errors } from './errors.ts'
import { objectArn } from './existing-bucket.ts'
import { existingObject, type ObjectInput } from './existing-object.ts'
import { type ByteRange, describeObject, type ObjectDescription, readRange } from './object-headers.ts'
import { checkRead, type ReadConditions } from './preconditions.ts'
import { refuseUnsupported } from './unsupported.ts'

export interface ReadInput extends ObjectInput, ReadConditions {
  readonly Range?: string
  readonly PartNumber?: number
  readonly ChecksumMode?: string
}

export interface ReadResult {
  readonly object: StoredObject
  /** Undefined: the whole. */
  readonly range: ByteRange | undefined
  readonly description: ObjectDescription
}

export function readAction({ VersionId: versionId }: ObjectInput): string {
  return versionId === undefined ? 'GetObject' : 'GetObjectVersion'
}

/** Throws the errors of existingObject, PreconditionFailed, NotModified, InvalidRange and InvalidPartNumber. */
export function readObject(tables: TableReader, input: ReadInput, call: Call): ReadResult {
  refuseUnsupported(input, SUPPORTED)
  const { bucket, object } = existingObject(tables, input)
  checkRead(input, object)
  const { PartNumber: partNumber } = input
  if (partNumber !== undefined && input.Range !== undefined)
    throw errors.invalidRequest('Cannot specify both Range header and partNumber query parameter.')
  const parts = partNumber === undefined ? undefined : partsOf(object)
  const range = partNumber === undefined ? readRange(input.Range, object.bytes) : rangeOfPart(object.bytes, parts, partNumber)
  const mayDo = (action: string): boolean => {
    try {
      call.require(action, objectArn(bucket.name, object.key, call))
      return true
    } catch (error) {
      if (error instanceof ServiceError) return false
      throw error
    }
  }
  const described = describeObject(bucket, object, input, range, mayDo)
  const description = parts === undefined ? described : { ...described, PartsCount: parts.length }
  return { object, range, description }
}

/** Objects that no multipart upload made have one part. */
function rangeOfPart(bytes: number, parts: readonly ObjectPart[] | undefined, partNumber: number): ByteRange | undefined {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PART_NUMBER_MAX)
    throw errors.invalidArgument(
      'partNumber',
      String(partNumber),
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
    )
  if (parts === undefined && partNumber === 1) return bytes === 0 ? undefined : { start: 0, end: bytes }
  let start = 0
  for (const part of parts ?? []) {
    if (part.number === partNumber) return { start, end: start + part.bytes }
    start += part.bytes
  }
  throw errors.invalidPartNumber(partNumber, parts?.length ?? 1)
}

const SUPPORTED: ReadonlySet<string> = new Set([
  'Bucket',
  'Key',
  'IfMatch',
  'IfModifiedSince',
  'IfNoneMatch',
  'IfUnmodifiedSince',
  'PartNumber',
  'Range',
  'ResponseCacheControl',
  'ResponseContentDisposition',
  'ResponseContentEncoding',
  'ResponseContentLanguage',
  'ResponseContentType',
  'ResponseExpires',
  'VersionId',
  'RequestPayer',
  'ExpectedBucketOwner',
  'ChecksumMode',
])
