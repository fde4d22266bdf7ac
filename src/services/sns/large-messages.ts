// Topics whose messages may be larger than 256 KiB ("Amazon SNS message size limits"): few subscriptions, of some protocols alone.
import type { Topic } from '../../model/topic.ts'
import { MESSAGE_BYTES_DEFAULT } from './topic-attributes.ts'

const SUBSCRIPTIONS_MAX = 100
const PROTOCOLS: ReadonlySet<string> = new Set(['sqs', 'lambda', 'firehose'])

/** Why the topic's MaximumMessageSize does not go with subscriptions of these protocols (one for each subscription), or undefined. */
export function largeMessagesProblem(topic: Topic, protocolsOf: () => readonly string[]): string | undefined {
  if (Number(topic.attributes['MaximumMessageSize'] ?? 0) <= MESSAGE_BYTES_DEFAULT) return undefined
  const protocols = protocolsOf()
  const what = `MaximumMessageSize: above ${MESSAGE_BYTES_DEFAULT} bytes a topic`
  if (protocols.length > SUBSCRIPTIONS_MAX) return `${what} can have at most ${SUBSCRIPTIONS_MAX} subscriptions`
  const other = protocols.find((protocol) => !PROTOCOLS.has(protocol))
  return other === undefined ? undefined : `${what} delivers to ${[...PROTOCOLS].join(', ')}, not to ${other}`
}
