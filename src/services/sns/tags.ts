// Tags as SNS takes and gives them.
import type { Tag } from '@aws-sdk/client-sns'
import { invalidParameter, tagLimitExceeded, unfitMembers } from './errors.ts'

const KEY_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256
const TAGS_MAX = 50

/** The tags of a request as a record. Throws on duplicate keys, on lengths and on too many. */
export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const record = new Map<string, string>()
  for (const [at, { Key: key = '', Value: value = '' }] of (tags ?? []).entries()) {
    checkLength(key, `tags.${at + 1}.member.key`, 1, KEY_CHARS_MAX)
    checkLength(value, `tags.${at + 1}.member.value`, 0, VALUE_CHARS_MAX)
    if (record.has(key)) throw invalidParameter('Duplicated keys are not allowed.')
    record.set(key, value)
  }
  return checkTagCount(Object.fromEntries(record))
}

export function checkTagCount(tags: Record<string, string>): Record<string, string> {
  if (Object.keys(tags).length > TAGS_MAX) throw tagLimitExceeded()
  return tags
}

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

function checkLength(text: string, path: string, min: number, max: number): void {
  if (text.length < min) throw unfitMembers([{ value: text, path, constraint: `Member must have length greater than or equal to ${min}` }])
  if (text.length > max) throw unfitMembers([{ value: text, path, constraint: `Member must have length less than or equal to ${max}` }])
}
