// Deliveries: one message, one subscriber. What is recorded of each attempt, and what waits for its next one.
import { jsonObject, jsonText } from '../base/json-text.ts'
import { parseArn } from './arn.ts'
import type { MessageHeader } from './message.ts'
import type { Subscription } from './topic.ts'

/**
 * How an attempt ended. `retry`: another follows. `refused`: the endpoint will not take it, now or later. `exhausted`: the last retry
 * failed. `dead-lettered`: refused or exhausted, and put into the dead-letter queue. `dropped`: not attempted, the subscription is gone.
 */
export type AttemptOutcome = 'delivered' | 'retry' | 'refused' | 'exhausted' | 'dead-lettered' | 'dropped'

/** What is told of one attempt. Its one form: JSON, in entries of kind `attempt` and in the rows of SQL's table `deliveries`. */
export interface AttemptRecord {
  readonly deliveryId: string
  readonly messageId: string
  /** Empty for what was published straight to a phone number or a platform endpoint: `subscriptionArn` is its sender's then. */
  readonly topicArn: string
  readonly subscriptionArn: string
  readonly protocol: string
  /** Without user, password, query and what tells of a person. */
  readonly endpoint: string
  /** 1 = the first. */
  readonly attempt: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly durationMs: number
  /** The protocol's status code, where it has one. */
  readonly status?: number
  readonly outcome: AttemptOutcome
  /** Empty when delivered, but for `captured`. */
  readonly reason: string
  readonly nextAttemptAt?: number
  /** What the topic's feedback attributes ask to be told, as JSON, and the log group that AWS would write it to (delivery-status.ts). */
  readonly statusLog?: string
  readonly logGroup?: string
  /** The topic's, or the sender's. */
  readonly account: string
  readonly region: string
}

export type AttemptFields = Omit<AttemptRecord, 'topicArn' | 'subscriptionArn' | 'protocol' | 'endpoint' | 'account' | 'region'> & {
  readonly subscription: Pick<Subscription, 'subscriptionArn' | 'topicArn' | 'protocol' | 'endpoint'>
}

/** Written by hand, since every arrival in a queue is told by it. */
export function attemptRecord(fields: AttemptFields): string {
  const { subscription, deliveryId, messageId, status, nextAttemptAt, statusLog, logGroup } = fields
  let about = written.get(subscription)
  if (about === undefined) written.set(subscription, (about = aboutSubscription(subscription)))
  return (
    `{"deliveryId":${jsonText(deliveryId)},"messageId":${jsonText(messageId)},${about},"attempt":${fields.attempt},` +
    `"startedAt":${fields.startedAt},"durationMs":${fields.durationMs},"outcome":"${fields.outcome}","reason":${jsonText(fields.reason)}` +
    (status === undefined ? '' : `,"status":${status}`) +
    (nextAttemptAt === undefined ? '' : `,"nextAttemptAt":${nextAttemptAt}`) +
    (statusLog === undefined ? '' : `,"statusLog":${jsonText(statusLog)}`) +
    `${logGroup === undefined ? '' : `,"logGroup":${jsonText(logGroup)}`}}`
  )
}

/** What all records of a subscription share, without braces. */
function aboutSubscription({ topicArn, subscriptionArn, protocol, endpoint }: AttemptFields['subscription']): string {
  const topic = parseArn(originOf({ topicArn, subscriptionArn }))
  return jsonObject({
    topicArn,
    subscriptionArn,
    protocol,
    endpoint: recordedEndpoint(protocol, endpoint),
    account: topic?.account ?? '',
    region: topic?.region ?? '',
  }).slice(1, -1)
}

const written = new WeakMap<AttemptFields['subscription'], string>()

/** ARN of the topic, or of the sender of what was published straight. */
export function originOf({ topicArn, subscriptionArn }: Pick<Subscription, 'topicArn' | 'subscriptionArn'>): string {
  return topicArn === '' ? subscriptionArn : topicArn
}

/** An endpoint without secrets and without what tells of a person: of a URL its scheme, host and path, of an address only its domain. */
export function recordedEndpoint(protocol: string, endpoint: string): string {
  switch (protocol) {
    case 'http':
    case 'https': {
      const url = URL.parse(endpoint)
      return url === null ? `${protocol}://***` : `${url.protocol}//${url.host}${url.pathname}`
    }
    case 'email':
    case 'email-json':
      return `***${endpoint.slice(endpoint.lastIndexOf('@') === -1 ? endpoint.length : endpoint.lastIndexOf('@'))}`
    default:
      return endpoint.startsWith('arn:') ? endpoint : '***'
  }
}

/** A delivery that waits for its next attempt. */
export interface PendingDelivery {
  readonly deliveryId: string
  readonly subscriptionArn: string
  readonly header: MessageHeader
  /** Empty in the row of one with `bodyKey`: its body stands in a table of its own, for all deliveries that wait with it. */
  readonly body: string
  readonly bodyKey?: string
  /** Attempts made so far. */
  readonly attempts: number
  /** When the next attempt is due; of one that is parked: when its retries are spent. */
  readonly dueAt: number
  /** When its next attempt was due, of one that is parked. */
  readonly parkedAt?: number
}

const KEY_DIGITS = 15

/**
 * The key of a pending delivery: those of one subscription lie together, the next one due first. What was published to a FIFO topic goes
 * in order instead, and lies in order, apart from the others.
 */
export function pendingKey({
  subscriptionArn,
  dueAt,
  deliveryId,
  header,
}: Pick<PendingDelivery, 'subscriptionArn' | 'dueAt' | 'deliveryId'> & { readonly header?: Pick<MessageHeader, 'sequence'> }): string {
  const sequence = header?.sequence
  if (sequence !== undefined) return `${orderedPrefix(subscriptionArn)}${digits(sequence)}/${deliveryId}`
  return `${pendingPrefix(subscriptionArn)}${digits(Math.max(0, Math.floor(dueAt)))}/${deliveryId}`
}

export function pendingPrefix(subscriptionArn: string): string {
  return `${subscriptionArn}/`
}

export function orderedPrefix(subscriptionArn: string): string {
  return `${subscriptionArn}#`
}

/** The delivery id in a key that `pendingKey` made. */
export function deliveryIdOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}

function digits(number: number): string {
  return String(number).padStart(KEY_DIGITS, '0')
}
