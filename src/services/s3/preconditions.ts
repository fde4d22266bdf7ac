// If-Match and its kin (RFC 9110, section 13; S3 API reference, GetObject and PutObject).
import type { StoredObject } from '../../model/bucket.ts'
import { errors } from './errors.ts'

export interface ReadConditions {
  readonly IfMatch?: string
  readonly IfNoneMatch?: string
  readonly IfModifiedSince?: Date
  readonly IfUnmodifiedSince?: Date
}

/** Throws PreconditionFailed and NotModified. An ETag condition that holds overrides the date beside it. */
export function checkRead({ IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince }: ReadConditions, object: StoredObject): void {
  // HTTP dates have whole seconds.
  const modifiedAt = Math.floor(object.modifiedAt / 1000) * 1000
  if (IfMatch !== undefined) {
    if (!matchesEtag(IfMatch, object.etag)) throw errors.preconditionFailed('If-Match')
  } else if (IfUnmodifiedSince !== undefined && modifiedAt > IfUnmodifiedSince.getTime())
    throw errors.preconditionFailed('If-Unmodified-Since')
  const isUnchanged =
    IfNoneMatch !== undefined
      ? matchesEtag(IfNoneMatch, object.etag)
      : IfModifiedSince !== undefined && modifiedAt <= IfModifiedSince.getTime()
  if (isUnchanged) throw errors.notModified({ etag: object.etag, 'last-modified': new Date(modifiedAt).toUTCString() })
}

/** Conditional writes: `If-None-Match: *` writes only what is not there, `If-Match` only over that version. */
export function checkWrite(
  { IfMatch, IfNoneMatch }: { IfMatch?: string; IfNoneMatch?: string },
  key: string,
  present: StoredObject | undefined,
): void {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') throw errors.notImplemented('If-None-Match')
    if (present !== undefined) throw errors.preconditionFailed('If-None-Match')
  }
  if (IfMatch === undefined) return
  if (present === undefined) throw errors.noSuchKey(key)
  if (!matchesEtag(IfMatch, present.etag)) throw errors.preconditionFailed('If-Match')
}

function matchesEtag(given: string, etag: string): boolean {
  return given.split(',').some((part) => {
    const candidate = part.trim().replace(/^W\//, '')
    return candidate === '*' || candidate === etag || `"${candidate}"` === etag
  })
}
