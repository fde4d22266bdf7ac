// Subscribe: an endpoint joins a topic. Queues of the topic's own account are confirmed at once; others are sent a token first.
import { createHash } from 'node:crypto'
import type { SubscribeInput, SubscribeResponse } from '@aws-sdk/client-sns'
import { recordedEndpoint } from '../../model/delivery.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription, Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { invalidParameter, subscriptionLimitExceeded } from './errors.ts'
import { largeMessagesProblem } from './large-messages.ts'
import { checkFilterRoom, loadFilterCounts } from './filter-limits.ts'
import type { SnsOperation, SnsParts } from './operation.ts'
import { checkSpan, startReplay } from './replays.ts'
import { newRoute } from './routes.ts'
import { checkSubscriptionAttribute, missingRole } from './subscription-attributes.ts'
import { checkEndpoint, isConfirmedAtOnce } from './subscription-endpoint.ts'

const PENDING = 'pending confirmation'
const TOKEN_BYTES = 144
export const TOKEN_LIFE_MS = 48 * 3600 * 1000

export const subscribe: SnsOperation<SubscribeInput, SubscribeResponse> = (parts) => ({
  name: 'Subscribe',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  conditions: (input) => ({ 'sns:protocol': input.Protocol ?? '', 'sns:endpoint': input.Endpoint ?? '' }),
  record: { parameters: (input) => parametersOf(input) },
  ...(parts.limits !== undefined && { prepare: (call: Call, input: SubscribeInput) => loadFilterCounts(parts, input.TopicArn, call) }),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const protocol = input.Protocol ?? ''
    const endpoint = checkEndpoint(tx, parts, protocol, input.Endpoint ?? '', topic)
    const attributes = checkAttributes(input.Attributes ?? {}, { protocol, endpoint, topicArn: topic.topicArn })
    const missing = missingRole(protocol, attributes)
    if (missing !== undefined) throw invalidParameter(`Attributes Reason: ${missing}`)
    const existing = parts.subscribers.of(topic).byEndpoint.get(`${protocol} ${endpoint}`)
    if (existing !== undefined) return resubscribe(tx, call, topic, existing, attributes, input)
    checkRoom(parts, topic, protocol)
    if (attributes['FilterPolicy'] !== undefined) checkFilterRoom(parts, topic)
    const subscription = createSubscription(tx, parts, call, topic, { protocol, endpoint, attributes })
    if (subscription.state === 'pending') sendConfirmation(tx, call, topic, subscription)
    return { SubscriptionArn: answerArn(subscription, input) }
  },
})

/**
 * Sends a fresh token to a subscription's endpoint: as a message of its own, which the delivery follower takes from the journal. That of
 * an unsubscription carries the subscription, which is no record any more, and brings it back when it is confirmed.
 */
export function sendConfirmation(
  tx: Transaction,
  call: Call,
  topic: Topic,
  subscription: Subscription,
  type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation' = 'SubscriptionConfirmation',
): void {
  const { env } = call
  const { subscriptionArn } = subscription
  const token = env.random.bytes(TOKEN_BYTES).toString('hex')
  const isFarewell = type === 'UnsubscribeConfirmation'
  tx.put(Table.confirmations, tokenKey(token), {
    subscriptionArn,
    expiresAt: tx.now + TOKEN_LIFE_MS,
    ...(isFarewell && { restores: subscription }),
  })
  const messageId = env.random.uuid()
  const header: MessageHeader = {
    type,
    messageId,
    topicArn: topic.topicArn,
    publishedAt: tx.now,
    signatureVersion: topic.attributes['SignatureVersion'] === '2' ? '2' : '1',
    subscriptionArn,
    // A FIFO queue takes nothing without: each confirmation is in a group of its own and holds up no other.
    ...(topic.fifo !== undefined && { groupId: messageId, deduplicationId: messageId }),
    sealedToken: env.seal.seal(token, `confirmation ${subscriptionArn}`),
  }
  tx.message(header, isFarewell ? JSON.stringify(subscription) : '')
}

/** Tokens are kept as their hash: who reads the records cannot confirm. */
export function tokenKey(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Whether the topic may have one more subscription, of that protocol. */
function checkRoom({ subscribers, limits }: SnsParts, topic: Topic, protocol: string): void {
  const { all } = subscribers.of(topic)
  const subscriptionsMax = topic.fifo === undefined ? limits?.subscriptionsMax : limits?.fifoSubscriptionsMax
  if (subscriptionsMax !== undefined && all.size >= subscriptionsMax) throw subscriptionLimitExceeded(subscriptionsMax)
  const problem = largeMessagesProblem(topic, () => [...[...all.values()].map((subscription) => subscription.protocol), protocol])
  if (problem !== undefined) throw invalidParameter(problem)
}

function checkAttributes(
  given: Readonly<Record<string, string>>,
  beside: Pick<Subscription, 'protocol' | 'endpoint' | 'topicArn'>,
): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    const refuse = (text: string) => invalidParameter(`Attributes Reason: ${text}`)
    const kept = checkSubscriptionAttribute(name, value, { ...beside, attributes: given }, refuse, `Unknown attribute: ${name}`)
    if (kept !== undefined) attributes[name] = kept
  }
  return attributes
}

function createSubscription(
  tx: Transaction,
  parts: SnsParts,
  call: Call,
  topic: Topic,
  fields: Pick<Subscription, 'protocol' | 'endpoint' | 'attributes'>,
): Subscription {
  const isConfirmed = isConfirmedAtOnce(parts, fields.protocol, fields.endpoint, topic)
  const draft: Subscription = {
    ...fields,
    subscriptionArn: `${topic.topicArn}:${call.env.random.uuid()}`,
    topicArn: topic.topicArn,
    owner: call.account,
    principal: call.principal.arn,
    createdAt: tx.now,
    state: isConfirmed ? 'confirmed' : 'pending',
    confirmationWasAuthenticated: isConfirmed,
    authenticateOnUnsubscribe: false,
    route: 0,
  }
  // For ever: what it was subscribed as it stays, whatever accounts and settings become.
  const isRemote = draft.protocol === 'sqs' && parts.isRemoteQueue?.(draft.endpoint) === true
  const routed = { ...draft, route: isRemote ? 0 : newRoute(tx, draft) }
  const subscription = routed.attributes['ReplayPolicy'] === undefined ? routed : withReplay(tx, call, topic, routed)
  tx.put(Table.subscriptions, subscription.subscriptionArn, subscription)
  return subscription
}

/** It begins when the subscription is confirmed. */
function withReplay(tx: Transaction, { env }: Call, topic: Topic, subscription: Subscription): Subscription {
  const span = checkSpan(tx, topic, subscription, (text) => invalidParameter(`Attributes Reason: ${text}`))
  return subscription.state === 'confirmed' ? startReplay(tx, env, topic, subscription, span) : { ...subscription, replayStatus: 'Pending' }
}

function resubscribe(
  tx: Transaction,
  call: Call,
  topic: Topic,
  existing: Subscription,
  attributes: Readonly<Record<string, string>>,
  input: SubscribeInput,
): SubscribeResponse {
  for (const [name, value] of Object.entries(attributes))
    if ((existing.attributes[name] ?? DEFAULTS[name]) !== value)
      throw invalidParameter('Attributes Reason: Subscription already exists with different attributes')
  if (existing.state === 'pending') sendConfirmation(tx, call, topic, existing)
  return { SubscriptionArn: answerArn(existing, input) }
}

const DEFAULTS: Readonly<Record<string, string>> = { RawMessageDelivery: 'false', FilterPolicyScope: 'MessageAttributes' }

function answerArn(subscription: Subscription, input: SubscribeInput): string {
  return subscription.state === 'pending' && input.ReturnSubscriptionArn !== true ? PENDING : subscription.subscriptionArn
}

/** CloudTrail hides the addresses of people; of a URL it keeps what names the host, never credentials or queries. */
function parametersOf(input: SubscribeInput): Record<string, unknown> {
  const {
    TopicArn: topicArn,
    Protocol: protocol,
    Endpoint: endpoint,
    ReturnSubscriptionArn: returnSubscriptionArn,
    Attributes: attributes,
  } = input
  return {
    topicArn,
    protocol,
    ...(endpoint !== undefined && { endpoint: toldEndpoint(protocol ?? '', endpoint) }),
    returnSubscriptionArn,
    attributes,
  }
}

function toldEndpoint(protocol: string, endpoint: string): string {
  return endpoint.startsWith('arn:') || protocol === 'http' || protocol === 'https' ? recordedEndpoint(protocol, endpoint) : 'REDACTED'
}
