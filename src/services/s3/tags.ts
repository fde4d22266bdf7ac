// Tags of buckets and objects, as S3 takes them (S3 user guide, "Categorizing your objects using tags", "Using cost allocation S3 bucket
// tags"): checked by its rules, kept as a record in the order in which they came.
import { errors } from './errors.ts'

export interface Tag {
  readonly Key: string
  readonly Value: string
}

export interface Tagging {
  readonly TagSet: readonly Tag[]
}

export type Tags = Readonly<Record<string, string>>

const KEY_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256
export const OBJECT_TAGS_MAX = 10
export const BUCKET_TAGS_MAX = 50
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

export function bucketTags({ TagSet }: Tagging): Tags {
  return checked(TagSet, BUCKET_TAGS_MAX, `Bucket tag count cannot be greater than ${BUCKET_TAGS_MAX}`)
}

export function objectTags({ TagSet }: Tagging): Tags {
  return checked(TagSet, OBJECT_TAGS_MAX, `Object tags cannot be greater than ${OBJECT_TAGS_MAX}`)
}

/** Those of the x-amz-tagging header: `project=blue&stage=test`. Throws InvalidArgument where it is none of that. */
export function headerTags(header: string | undefined): Tags {
  if (header === undefined || header === '') return {}
  const tags: Tag[] = []
  for (const pair of header.split('&')) {
    const [key = '', value = '', ...more] = pair.split('=')
    const tag = { Key: decoded(key), Value: decoded(value) }
    if (tag.Key === undefined || tag.Value === undefined || tag.Key === '' || more.length > 0 || tags.some(({ Key }) => Key === tag.Key))
      throw errors.invalidArgument('x-amz-tagging', header, HEADER_TEXT)
    tags.push({ Key: tag.Key, Value: tag.Value })
  }
  return objectTags({ TagSet: tags })
}

const HEADER_TEXT = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."

export function tagging(tags: Tags | undefined): Tagging {
  return { TagSet: Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value })) }
}

/** Condition keys of a request that brings tags (Service Authorization Reference, "Amazon S3"). */
export function requestTagConditions(tags: Tags): Record<string, string | string[]> {
  const keys = Object.keys(tags)
  return { ...named('s3:requestobjecttag/', tags), ...(keys.length > 0 && { 's3:requestobjecttagkeys': keys }) }
}

/** Condition keys of a call on an object that has tags. */
export function existingTagConditions(object: { readonly tags?: Tags } | undefined): Record<string, string> {
  return named('s3:existingobjecttag/', object?.tags ?? {})
}

function named(prefix: string, tags: Tags): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}${key.toLowerCase()}`, value]))
}

function checked(tags: readonly Tag[], countMax: number, tooMany: string): Tags {
  const record = new Map<string, string>()
  for (const { Key: key, Value: value } of tags) {
    if (key === '' || [...key].length > KEY_CHARS_MAX || !CHARACTERS.test(key))
      throw errors.invalidTag('The TagKey you have provided is invalid', key)
    if ([...value].length > VALUE_CHARS_MAX || !CHARACTERS.test(value))
      throw errors.invalidTag('The TagValue you have provided is invalid', key, value)
    if (key.toLowerCase().startsWith('aws:')) throw errors.invalidTag('System tags cannot be added/updated by requester', key)
    if (record.has(key)) throw errors.invalidTag('Cannot provide multiple Tags with the same key', key)
    record.set(key, value)
  }
  if (record.size > countMax) throw errors.badRequest(tooMany)
  return Object.fromEntries(record)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
