// Tags of queues and their limits (SQS Developer Guide, "Amazon SQS cost allocation tags").
import { invalidParameter } from './errors.ts'

type Tags = Readonly<Record<string, string>>

const TAGS_MAX = 50
const KEY_CHARS_MAX = 128
const VALUE_CHARS_MAX = 256

/** `current` with `added` on top. */
export function readTags(current: Tags, added: Tags): Tags {
  for (const [key, value] of Object.entries(added)) {
    if (key === '' || key.length > KEY_CHARS_MAX)
      throw invalidParameter(`Tag keys must be between 1 and ${KEY_CHARS_MAX} characters in length.`)
    if (/^aws:/i.test(key)) throw invalidParameter(`Tag keys must not start with aws: ${key}`)
    if (value.length > VALUE_CHARS_MAX) throw invalidParameter(`Tag values must be between 0 and ${VALUE_CHARS_MAX} characters in length.`)
  }
  const tags = Object.fromEntries([...Object.entries(current), ...Object.entries(added)])
  if (Object.keys(tags).length > TAGS_MAX) throw invalidParameter(`Too many tags added for queue. A queue may have ${TAGS_MAX}.`)
  return tags
}
