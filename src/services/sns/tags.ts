// Tags as SNS takes and gives them.
import type { Tag } from '@aws-sdk/client-sns'
import { invalidParameter, tagLimitExceeded } from './errors.ts'

const KEY_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256
const TAGS_MAX = 50

/** The tags of a request as a record. Throws on duplicate keys, on lengths and on too many. */
export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const record: Record<string, string> = {}
  for (const { Key: key, Value: value } of tags ?? []) {
    if (key === undefined || key.length < 1 || key.length > KEY_CHARS_MAX)
      throw invalidParameter(`Tags Reason: a tag key has 1 to ${KEY_CHARS_MAX} characters`)
    if (value !== undefined && value.length > VALUE_CHARS_MAX)
      throw invalidParameter(`Tags Reason: a tag value has at most ${VALUE_CHARS_MAX} characters`)
    if (Object.hasOwn(record, key)) throw invalidParameter('Duplicated keys are not allowed.')
    record[key] = value ?? ''
  }
  return checkTagCount(record)
}

export function checkTagCount(tags: Record<string, string>): Record<string, string> {
  if (Object.keys(tags).length > TAGS_MAX) throw tagLimitExceeded()
  return tags
}

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}
