// The attributes of a subscription: which may be set, what they must look like, and how AWS answers when they are read.
import { parseArn } from '../../model/arn.ts'
import { DeliveryPolicyError, effectiveSubscriptionPolicy, parseSubscriptionPolicy } from '../../model/delivery-policy.ts'
import type { ServiceError } from '../../model/service-error.ts'
import type { Subscription, Topic } from '../../model/topic.ts'

const RAW_PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https', 'sqs', 'firehose'])
const NOT_OFFERED: ReadonlySet<string> = new Set(['FilterPolicy', 'FilterPolicyScope', 'SubscriptionRoleArn', 'ReplayPolicy'])

/** The checked value (undefined clears it). `refuse` gets the text behind AWS's prefix. */
export function checkSubscriptionAttribute(
  name: string,
  value: string,
  protocol: string,
  refuse: (text: string) => ServiceError,
  unknown: string,
): string | undefined {
  if (NOT_OFFERED.has(name)) throw refuse(`${name}: is not offered by this version of Sealcast`)
  switch (name) {
    case 'RawMessageDelivery':
      return checkRaw(value, protocol, refuse)
    case 'RedrivePolicy':
      return checkRedrive(value, refuse)
    case 'DeliveryPolicy':
      return checkDeliveryPolicy(value, refuse)
    default:
      throw refuse(unknown)
  }
}

/** GetSubscriptionAttributes of AWS, in the order of its keys. */
export function readSubscriptionAttributes(subscription: Subscription, topic: Topic | undefined): Record<string, string> {
  const { attributes } = subscription
  return {
    ConfirmationWasAuthenticated: String(subscription.confirmationWasAuthenticated),
    ...attributes,
    ...(subscription.protocol.startsWith('http') && {
      EffectiveDeliveryPolicy: effectiveSubscriptionPolicy(attributes['DeliveryPolicy'], topic?.attributes['DeliveryPolicy']),
    }),
    Endpoint: maskPassword(subscription.endpoint),
    Owner: subscription.owner,
    PendingConfirmation: String(subscription.state === 'pending'),
    Protocol: subscription.protocol,
    RawMessageDelivery: attributes['RawMessageDelivery'] ?? 'false',
    SubscriptionArn: subscription.subscriptionArn,
    SubscriptionPrincipal: subscription.principal,
    TopicArn: subscription.topicArn,
  }
}

/** AWS never gives a password back that an endpoint carries. */
export function maskPassword(endpoint: string): string {
  return endpoint.replace(/^(https?:\/\/[^/:@]*:)[^@/]*@/i, '$1****@')
}

function checkRaw(value: string, protocol: string, refuse: (text: string) => ServiceError): string {
  const raw = value.toLowerCase()
  if (raw !== 'true' && raw !== 'false') throw refuse(`RawMessageDelivery: Invalid value [${value}]. Must be true or false.`)
  if (raw === 'true' && !RAW_PROTOCOLS.has(protocol)) throw refuse(`Delivery protocol [${protocol}] does not support raw message delivery.`)
  return raw
}

function checkRedrive(value: string, refuse: (text: string) => ServiceError): string | undefined {
  if (value === '') return undefined
  const parsed = parseObject(value)
  if (parsed === undefined) throw refuse('RedrivePolicy: failed to parse JSON.')
  const target = parsed['deadLetterTargetArn']
  const arn = typeof target === 'string' ? parseArn(target) : undefined
  if (arn === undefined || arn.service !== 'sqs' || arn.resource === '')
    throw refuse('RedrivePolicy: deadLetterTargetArn is an invalid arn')
  return value
}

function checkDeliveryPolicy(value: string, refuse: (text: string) => ServiceError): string | undefined {
  if (value === '') return undefined
  try {
    return parseSubscriptionPolicy(value)
  } catch (error) {
    if (error instanceof DeliveryPolicyError) throw refuse(`DeliveryPolicy: ${error.message}`)
    throw error
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
