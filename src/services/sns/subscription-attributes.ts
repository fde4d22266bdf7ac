// The attributes of a subscription: which may be set, what they must look like, and how AWS answers when they are read.
import { isAccountId, parseArn } from '../../model/arn.ts'
import { DeliveryPolicyError, effectiveSubscriptionPolicy, parseSubscriptionPolicy } from '../../model/delivery-policy.ts'
import { isFifoName } from '../../model/fifo-attributes.ts'
import { FilterPolicyError } from '../../model/filter-policy/filter-policy-error.ts'
import { JsonTextError, parseLocated } from '../../model/filter-policy/located-json.ts'
import { type FilterScope, parseFilterPolicy } from '../../model/filter-policy/parse-policy.ts'
import type { ServiceError } from '../../model/service-error.ts'
import type { Subscription, Topic } from '../../model/topic.ts'
import { checkReplayPolicy } from './replays.ts'

const RAW_PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https', 'sqs', 'firehose'])

/** The checked value (undefined clears it). `beside`: what the value will stand with. `refuse` gets the text behind AWS's prefix. */
export function checkSubscriptionAttribute(
  name: string,
  value: string,
  beside: Pick<Subscription, 'topicArn' | 'protocol' | 'endpoint' | 'attributes'>,
  refuse: (text: string) => ServiceError,
  unknown: string,
): string | undefined {
  switch (name) {
    case 'RawMessageDelivery':
      return checkRaw(value, beside.protocol, refuse)
    case 'FilterPolicy':
      return checkFilter(value, checkScope(beside.attributes['FilterPolicyScope'], refuse), refuse)
    case 'FilterPolicyScope':
      checkFilter(beside.attributes['FilterPolicy'] ?? '', checkScope(value, refuse), refuse)
      return value
    case 'ReplayPolicy':
      return checkReplayPolicy(value, refuse)
    case 'RedrivePolicy':
      return checkRedrive(value, beside, refuse)
    case 'SubscriptionRoleArn':
      return checkRole(value, beside.protocol, refuse)
    case 'DeliveryPolicy':
      return checkDeliveryPolicy(value, beside.protocol, refuse)
    default:
      throw refuse(unknown)
  }
}

/** GetSubscriptionAttributes of AWS, in the order of its keys. */
export function readSubscriptionAttributes(subscription: Subscription, topic: Topic | undefined): Record<string, string> {
  const { attributes } = subscription
  return {
    ConfirmationWasAuthenticated: String(subscription.confirmationWasAuthenticated),
    ...shown(attributes),
    ...(subscription.protocol.startsWith('http') && {
      EffectiveDeliveryPolicy: effectiveSubscriptionPolicy(attributes['DeliveryPolicy'], topic?.attributes['DeliveryPolicy']),
    }),
    Endpoint: maskPassword(subscription.endpoint),
    Owner: subscription.owner,
    PendingConfirmation: String(subscription.state === 'pending'),
    Protocol: subscription.protocol,
    RawMessageDelivery: attributes['RawMessageDelivery'] ?? 'false',
    ...(subscription.replayStatus !== undefined && { ReplayStatus: subscription.replayStatus }),
    SubscriptionArn: subscription.subscriptionArn,
    SubscriptionPrincipal: subscription.principal,
    TopicArn: subscription.topicArn,
  }
}

/** A scope is not told without a policy, and told with one although it was never set. */
function shown({ FilterPolicyScope, ...attributes }: Readonly<Record<string, string>>): Record<string, string> {
  return attributes['FilterPolicy'] === undefined
    ? attributes
    : { ...attributes, FilterPolicyScope: FilterPolicyScope ?? 'MessageAttributes' }
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

/** SNS API reference, "Subscribe": streams are subscribed with a role. Why one cannot be without; undefined where none is missing. */
export function missingRole(protocol: string, attributes: Readonly<Record<string, string>>): string | undefined {
  if (protocol !== 'firehose' || attributes['SubscriptionRoleArn'] !== undefined) return undefined
  return 'SubscriptionRoleArn: must be specified for protocol firehose: the ARN of a role that may write to the delivery stream'
}

function checkRole(value: string, protocol: string, refuse: (text: string) => ServiceError): string {
  if (protocol !== 'firehose') throw refuse(`SubscriptionRoleArn: Delivery protocol [${protocol}] does not support a role.`)
  const { service, account = '', resource = '' } = parseArn(value) ?? {}
  if (service === 'iam' && isAccountId(account) && /^role\/[\w+=,.@/-]{1,512}$/.test(resource)) return value
  throw refuse(`SubscriptionRoleArn: Invalid value [${value}]. Must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME.`)
}

function checkScope(value: string | undefined, refuse: (text: string) => ServiceError): FilterScope {
  if (value === undefined || value === 'MessageAttributes' || value === 'MessageBody') return value ?? 'MessageAttributes'
  throw refuse(`FilterPolicyScope: Invalid value [${value}]. Please use either MessageBody or MessageAttributes`)
}

/** The policy as it was given; one that asks for nothing is none. */
function checkFilter(value: string, scope: FilterScope, refuse: (text: string) => ServiceError): string | undefined {
  try {
    return parseFilterPolicy(value, scope) === undefined ? undefined : value
  } catch (error) {
    if (error instanceof FilterPolicyError) throw refuse(error.message)
    throw error
  }
}

function checkRedrive(
  value: string,
  { topicArn, endpoint }: Pick<Subscription, 'topicArn' | 'endpoint'>,
  refuse: (text: string) => ServiceError,
): string | undefined {
  if (value === '') return undefined
  const target = readJson(value, (text) => refuse(`RedrivePolicy: ${text}`))['deadLetterTargetArn']
  const arn = typeof target === 'string' ? parseArn(target) : undefined
  if (arn === undefined || arn.service !== 'sqs' || arn.resource === '')
    throw refuse('RedrivePolicy: deadLetterTargetArn is an invalid arn')
  // "Amazon SNS dead-letter queues": beside the subscription.
  if (arn.region !== parseArn(topicArn)?.region)
    throw refuse('RedrivePolicy: deadLetterTargetArn must be the ARN of a queue in the region of the subscription')
  if (isFifoName(topicArn) && isFifoName(endpoint) && !isFifoName(arn.resource))
    throw refuse('RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.')
  return value
}

function checkDeliveryPolicy(value: string, protocol: string, refuse: (text: string) => ServiceError): string | undefined {
  if (value === '') return undefined
  if (!protocol.startsWith('http')) throw refuse(`Delivery protocol [${protocol}] does not support delivery policies.`)
  try {
    return parseSubscriptionPolicy(value)
  } catch (error) {
    if (error instanceof DeliveryPolicyError) throw refuse(`DeliveryPolicy: ${error.message}`)
    throw error
  }
}

function readJson(text: string, refuse: (text: string) => ServiceError): Readonly<Record<string, unknown>> {
  try {
    parseLocated(text)
  } catch (error) {
    if (error instanceof JsonTextError) throw refuse(`failed to parse JSON. ${error.message}`)
    throw error
  }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('must be a JSON object')
  return value as Readonly<Record<string, unknown>>
}
