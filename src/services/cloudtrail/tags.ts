// Tags of trails (CloudTrail API reference, Tag).
import { errors } from './errors.ts'

export interface Tag {
  readonly Key: string
  readonly Value?: string
}

const TAGS_MAX = 50
const KEY_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256

/** The tags with `given` set on top. Throws InvalidTagParameterException and TagsLimitExceededException. */
export function withTags(tags: Readonly<Record<string, string>>, given: readonly Tag[]): Readonly<Record<string, string>> {
  const merged: Record<string, string> = { ...tags }
  const seen = new Set<string>()
  for (const { Key: key, Value: value = '' } of given) {
    if (seen.has(key)) throw errors.invalidTag(`The tag key ${key} stands twice in TagsList.`)
    seen.add(key)
    if (key.length < 1 || key.length > KEY_CHARS_MAX) throw errors.invalidTag(`A tag's Key has 1 to ${KEY_CHARS_MAX} characters.`)
    if (value.length > VALUE_CHARS_MAX) throw errors.invalidTag(`A tag's Value has at most ${VALUE_CHARS_MAX} characters.`)
    if (key.toLowerCase().startsWith('aws:')) throw errors.invalidTag('Tag keys that start with aws: are reserved.')
    merged[key] = value
  }
  if (Object.keys(merged).length > TAGS_MAX) throw errors.tagsLimit(TAGS_MAX)
  return merged
}

export function tagList(tags: Readonly<Record<string, string>>): readonly Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ Key: key, Value: value }))
}
