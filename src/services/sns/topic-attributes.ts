// The attributes of a topic: which may be set, what they must look like, and how AWS answers when they are read.
import { DeliveryPolicyError, effectiveTopicPolicy, parseTopicPolicy } from '../../model/delivery-policy.ts'
import type { Topic } from '../../model/topic.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { checkArchivePolicy } from './archive-policy.ts'
import { feedbackProblem, isFeedbackAttribute } from './feedback.ts'
import type { Subscribers } from './subscribers.ts'
import { topicPolicy, topicPolicyProblem } from './topic-policy.ts'

const DISPLAY_NAME_CHARS_MAX = 100
const KEY_REFERENCE = /^[A-Za-z0-9:/_-]{1,2048}$/
export const MESSAGE_BYTES_MIN = 1024
export const MESSAGE_BYTES_MAX = 1024 * 1024
export const MESSAGE_BYTES_DEFAULT = 256 * 1024

type Check = (value: string) => { readonly keep: string | undefined } | { readonly problem: string }

/** An empty value clears; `problem` is what stands behind "Invalid parameter: [Attributes Reason: ]". */
const SETTABLE: Readonly<Record<string, Check>> = {
  DisplayName: (value) =>
    value.length > DISPLAY_NAME_CHARS_MAX
      ? { problem: `DisplayName: must be at most ${DISPLAY_NAME_CHARS_MAX} characters long` }
      : kept(value),
  Policy(value) {
    if (value === '') return { keep: undefined }
    const problem = topicPolicyProblem(value)
    return problem === undefined ? kept(value) : { problem }
  },
  DeliveryPolicy(value) {
    if (value === '') return { keep: undefined }
    try {
      return { keep: parseTopicPolicy(value) }
    } catch (error) {
      if (error instanceof DeliveryPolicyError) return { problem: `DeliveryPolicy: ${error.message}` }
      throw error
    }
  },
  // Whether the key exists shows when it is needed, as on AWS.
  KmsMasterKeyId(value) {
    if (value === '') return { keep: undefined }
    return KEY_REFERENCE.test(value) ? kept(value) : { problem: 'KmsMasterKeyId: must be the id, ARN or alias of a key' }
  },
  TracingConfig(value) {
    if (value === 'PassThrough') return kept(value)
    return value === 'Active'
      ? { problem: 'TracingConfig: Active is not offered by this version of Sealcast, which sends no traces; use PassThrough' }
      : { problem: `TracingConfig: Invalid value [${value}]. Must be PassThrough or Active.` }
  },
  SignatureVersion: (value) =>
    value === '1' || value === '2' ? kept(value) : { problem: `SignatureVersion: Invalid value [${value}]. Must be 1 or 2.` },
  MaximumMessageSize(value) {
    const isWhole = /^\d{1,7}$/.test(value)
    if (isWhole && Number(value) >= MESSAGE_BYTES_MIN && Number(value) <= MESSAGE_BYTES_MAX) return kept(value)
    return { problem: `MaximumMessageSize: must be a whole number from ${MESSAGE_BYTES_MIN} to ${MESSAGE_BYTES_MAX}` }
  },
}

/** Of FIFO topics alone ("Amazon SNS message deduplication for FIFO topics"). */
const OF_FIFO: Readonly<Record<string, Check>> = {
  ArchivePolicy: checkArchivePolicy,
  ContentBasedDeduplication(value) {
    const text = value.toLowerCase()
    return text === 'true' || text === 'false'
      ? kept(text)
      : { problem: `ContentBasedDeduplication: Invalid value [${value}]. Must be true or false.` }
  },
  FifoThroughputScope: (value) =>
    value === 'Topic' || value === 'MessageGroup'
      ? kept(value)
      : { problem: `FifoThroughputScope: Invalid value [${value}]. Must be Topic or MessageGroup.` },
}

/** The checked value of one attribute (undefined clears it). Throws through `refuse` with the text behind AWS's prefix. */
export function checkTopicAttribute(
  name: string,
  value: string,
  isFifo: boolean,
  refuse: (text: string) => ServiceError,
  unknown: string,
): string | undefined {
  if (isFeedbackAttribute(name)) {
    const problem = feedbackProblem(name, value)
    if (problem !== undefined) throw refuse(`${name}: ${problem}`)
    return value === '' ? undefined : value
  }
  if (Object.hasOwn(OF_FIFO, name) && !isFifo) throw refuse(`${name}: can only be set for FIFO topics`)
  const checks = { ...SETTABLE, ...OF_FIFO }
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined
  if (check === undefined) throw refuse(unknown)
  const checked = check(value)
  if ('problem' in checked) throw refuse(checked.problem)
  return checked.keep
}

/** GetTopicAttributes of AWS: always these keys, and what was set. */
export function readTopicAttributes(topic: Topic, subscribers: Subscribers, beginning: string | undefined): Record<string, string> {
  const { attributes } = topic
  return {
    ...attributes,
    ...(beginning !== undefined && { BeginningArchiveTime: beginning }),
    DisplayName: attributes['DisplayName'] ?? '',
    EffectiveDeliveryPolicy: effectiveTopicPolicy(attributes['DeliveryPolicy']),
    Owner: topic.owner,
    Policy: topicPolicy(topic),
    SubscriptionsConfirmed: String(subscribers.all.size - subscribers.pending),
    SubscriptionsDeleted: String(topic.subscriptionsDeleted),
    SubscriptionsPending: String(subscribers.pending),
    TopicArn: topic.topicArn,
  }
}

function kept(value: string): { readonly keep: string } {
  return { keep: value }
}
