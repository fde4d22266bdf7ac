// One attempt: what the subscription wants now, the deliverer's try, and what follows from its outcome.
import type { Attempt, Deliverer, DeliveryTools, Outcome } from '../../engine/deliverer.ts'
import type { Env } from '../../engine/env.ts'
import { SignerBusy, SignerFailed } from '../../engine/signer.ts'
import { openedBody } from '../../engine/topic-message.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { deadLetterArnOf } from '../../engine/queue-access.ts'
import { denialOf } from '../../model/data-protection/audience.ts'
import { type AttemptFields, type AttemptOutcome, attemptRecord, type PendingDelivery } from '../../model/delivery.ts'
import { type StatusLog, mayAskForStatus, statusLogOf } from '../../model/delivery-status.ts'
import { type Notification, createNotification } from '../../model/notification.ts'
import type { EffectivePolicy } from '../../model/delivery-policy.ts'
import { textNamesOf } from '../../model/platform.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue, type Subscription } from '../../model/topic.ts'
import { directSubscription, feedbackAttributes } from './direct.ts'
import type { Delivery } from './lanes.ts'
import type { LostLetters } from './lost-letters.ts'
import type { DeliveryOptions } from './options.ts'
import { putIntoQueue } from './own-queue.ts'
import type { ParkedEndpoint, Verdict } from './parking.ts'
import { attemptsBy, type Policies, pauseBefore, policyOfThrottled, spentAt } from './policies.ts'

export type Next = Pick<PendingDelivery, 'attempts' | 'dueAt' | 'parkedAt'>

/** What an attempt leaves behind. */
export interface Settled {
  readonly bytes: number
  readonly stage: (tx: Transaction) => void
  /** Undefined: the delivery is over. */
  readonly next: Next | undefined
  readonly verdict: Verdict
}

type Ended = Omit<Settled, 'verdict'>

export interface Attempts {
  /** Milliseconds between two attempts for the subscription, 0 when it does not throttle. */
  spacing(subscriptionArn: string): number
  /** When a delivery that is due at `dueAt` has spent its retries, if each fails at once. */
  spentAt(delivery: Delivery, dueAt: number): number
  /** Never rejects. */
  make(delivery: Delivery): Promise<Settled>
  /** What becomes of a delivery that is due although its endpoint is parked: its policy's clock runs on, to its end. Never rejects. */
  pass(delivery: Delivery, parked: ParkedEndpoint): Promise<Settled>
  /** What is told of a delivery that data protection forbids: a refusal, and no dead letter, because that would hold what was denied. */
  deny(delivery: Pick<Delivery, 'id' | 'subscriptionArn' | 'header' | 'body'>): Ended | undefined
}

export interface AttemptParts extends Pick<DeliveryOptions, 'outbound' | 'envelope' | 'baseUrl' | 'attempts'> {
  readonly env: Pick<Env, 'clock' | 'random' | 'log' | 'tables' | 'seal' | 'keys' | 'acts'>
  readonly deliverers: ReadonlyMap<string, Deliverer>
  readonly policies: Policies
  readonly lost: LostLetters
  readonly tools: DeliveryTools
}

/** Our own trouble (no signature to be had) costs the delivery no attempt. */
const OWN_FAULT_PAUSE_MS = 10_000
const RECORD_BYTES = 700
const NONE: Verdict = { kind: 'none' }
const ANSWERED: Verdict = { kind: 'answered' }

export function createAttempts(given: Omit<AttemptParts, 'tools'>): Attempts {
  const { policies, env, outbound, envelope } = given
  const parts: AttemptParts = { ...given, tools: { outbound, envelope, now: () => env.clock.now() } }
  return {
    spacing(subscriptionArn) {
      const subscription = env.tables.get(Table.subscriptions, subscriptionArn)
      const perSecond = subscription === undefined ? undefined : policies(subscription).maxReceivesPerSecond
      return perSecond === undefined ? 0 : 1000 / perSecond
    },
    spentAt(delivery, dueAt) {
      const subscription = subscriptionOf(env, delivery)
      return subscription === undefined ? dueAt : spentAt(subscription, policies(subscription), delivery.attempts, dueAt)
    },
    make: (delivery) => makeAttempt(parts, delivery),
    pass: (delivery, parked) => passAttempt(parts, delivery, parked),
    deny: (delivery) => denyAttempt(parts, delivery),
  }
}

async function makeAttempt(parts: AttemptParts, taken: Delivery): Promise<Settled> {
  const { env } = parts
  let delivery = taken
  const startedAt = env.clock.now()
  try {
    const subscription = subscriptionOf(env, delivery)
    if (subscription === undefined) return { ...dropped(parts, delivery, startedAt), verdict: NONE }
    const from = env.clock.monotonic()
    const notification = notificationOf(parts, delivery, subscription)
    const policy = parts.policies(subscription)
    if (taken.parkedAt !== undefined) {
      const { attempts, parkedAt } = taken
      delivery = { ...taken, attempts: attemptsBy(subscription, policy, { attempts, dueAt: parkedAt }, startedAt) }
    }
    const made = { delivery, subscription, notification, startedAt, durationMs: 0 }
    if (isOwnQueue(subscription)) {
      const body = await parts.envelope(notification)
      made.durationMs = env.clock.monotonic() - from
      return { ...queued(parts, made, body), verdict: NONE }
    }
    let outcome: Outcome
    try {
      outcome = await deliver(parts, delivery, notification, subscription, policy)
    } catch (error) {
      outcome = faultOf(parts, subscription, error)
    }
    made.durationMs = env.clock.monotonic() - from
    const ended = endOf(parts, made, outcome, policy)
    const { bytes, stage, next } = ended instanceof Promise ? await ended : ended
    return { bytes, stage, next, verdict: verdictOf(outcome) }
  } catch (error) {
    return ownFault(parts, delivery, 'a delivery could not be attempted and will be later', error)
  }
}

async function passAttempt(
  parts: AttemptParts,
  delivery: Delivery,
  { reason, nextProbeAt, lastFailureAt }: ParkedEndpoint,
): Promise<Settled> {
  const { env } = parts
  const now = env.clock.now()
  const { attempts, parkedAt = now } = delivery
  try {
    const subscription = subscriptionOf(env, delivery)
    if (subscription === undefined) return { ...dropped(parts, delivery, now), verdict: NONE }
    const policy = parts.policies(subscription)
    const dueAt = spentAt(subscription, policy, attempts, parkedAt)
    // Somebody must have tried since it was due, so that nothing is given up at an endpoint that came back.
    const isSpent = dueAt <= now && lastFailureAt >= parkedAt
    if (!isSpent) return postponed({ attempts, parkedAt, dueAt: Math.max(dueAt, now + 1, dueAt <= now ? nextProbeAt : 0) })
    const last = { ...delivery, attempts: attemptsBy(subscription, policy, { attempts, dueAt: parkedAt }, now) }
    const made = { delivery: last, subscription, notification: notificationOf(parts, last, subscription), startedAt: now, durationMs: 0 }
    const ended = await hopeless(parts, made, { kind: 'retry', reason: `not tried, the endpoint was parked: ${reason}` })
    return { ...ended, verdict: NONE }
  } catch (error) {
    return ownFault(parts, delivery, 'a delivery could not be ended and will be later', error)
  }
}

function denyAttempt(parts: AttemptParts, delivery: Parameters<Attempts['deny']>[0]): Ended | undefined {
  const subscription = subscriptionOf(parts.env, delivery)
  if (subscription === undefined) return undefined
  const made = { delivery: { ...delivery, attempts: 0 }, subscription, startedAt: parts.env.clock.now(), durationMs: 0 }
  let notification: Notification | undefined
  try {
    notification = notificationOf(parts, delivery, subscription)
  } catch (error) {
    // Its hash alone is wanted, where the topic asks to be told.
    parts.env.log.warn('a sealed message that is denied cannot be opened', { deliveryId: delivery.id, error: String(error) })
  }
  return over(parts, { ...made, notification }, 'refused', denialOf(subscription.subscriptionArn))
}

function endOf(parts: AttemptParts, made: Made, outcome: Outcome, policy: EffectivePolicy): Ended | Promise<Ended> {
  const { env } = parts
  const { delivery, subscription } = made
  if (outcome.kind === 'delivered')
    return over(parts, made, 'delivered', {
      reason: outcome.captured === true ? 'captured' : '',
      status: outcome.status,
      response: outcome.response,
      provided: outcome.told,
    })
  const pause =
    outcome.kind === 'retry'
      ? pauseBefore(
          subscription,
          outcome.isThrottled === true ? policyOfThrottled(subscription, policy) : policy,
          delivery.attempts + 1,
          outcome.retryAfterMs,
          env.random,
        )
      : undefined
  return pause === undefined ? hopeless(parts, made, outcome) : again(parts, made, outcome, env.clock.now() + pause)
}

/** An endpoint that refuses a message answers; an address that may not be reached says nothing of it. */
function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind === 'retry')
    return { kind: 'failed', reason: outcome.reason, ...(outcome.retryAfterMs !== undefined && { atLeastMs: outcome.retryAfterMs }) }
  return outcome.kind === 'refused' && outcome.status === undefined ? NONE : ANSWERED
}

function ownFault({ env }: AttemptParts, { id, attempts }: Delivery, text: string, error: unknown): Settled {
  env.log.error(text, { deliveryId: id, error: error instanceof Error ? error.message : String(error) })
  return postponed({ attempts, dueAt: env.clock.now() + OWN_FAULT_PAUSE_MS })
}

function postponed(next: Next): Settled {
  return { bytes: 0, stage: () => {}, next, verdict: NONE }
}

interface Ending {
  readonly delivery: Pick<Delivery, 'id' | 'header' | 'attempts'>
  readonly subscription: AttemptFields['subscription']
  /** Undefined where it was not made any more. */
  readonly notification: Notification | undefined
  readonly startedAt: number
  readonly durationMs: number
}

interface Made extends Ending {
  readonly delivery: Delivery
  readonly subscription: Subscription
  readonly notification: Notification
}

type Told = {
  readonly reason: string
  readonly status?: number
  readonly nextAttemptAt?: number
  /** For the status log; `response` in place of the reason. */
  readonly response?: string
  readonly provided?: Outcome['told']
}

function tell({ attempts, env }: AttemptParts, tx: Transaction, ending: Ending, outcome: AttemptOutcome, told: Told): void {
  const { delivery, subscription, startedAt, durationMs } = ending
  const log = outcome === 'retry' ? undefined : statusLog(env.tables, ending, outcome, told)
  tx.attempt(
    attemptRecord({
      deliveryId: delivery.id,
      messageId: delivery.header.messageId,
      subscription,
      attempt: delivery.attempts + 1,
      startedAt,
      durationMs: Math.round(durationMs * 1000) / 1000,
      outcome,
      reason: told.reason,
      status: told.status,
      nextAttemptAt: told.nextAttemptAt,
      statusLog: log?.statusLog,
      logGroup: log?.logGroup,
    }),
  )
  attempts?.add(1, { protocol: subscription.protocol, outcome })
}

/** Undefined where the topic does not ask. Confirmations are no messages of the topic. */
function statusLog(
  tables: TableReader,
  ending: Ending,
  outcome: AttemptOutcome,
  { status, reason, response = reason, provided }: Told,
): StatusLog | undefined {
  const { delivery, subscription, notification, startedAt, durationMs } = ending
  if (notification?.type !== 'Notification') return undefined
  const isSuccess = outcome === 'delivered'
  const attributes = feedbackAttributes(tables, subscription)
  if (!mayAskForStatus(attributes, subscription.protocol, isSuccess)) return undefined
  return statusLogOf(attributes, {
    isSuccess,
    deliveryId: delivery.id,
    messageId: delivery.header.messageId,
    subscription,
    message: () => notification.message,
    publishedAt: delivery.header.publishedAt,
    endedAt: startedAt + durationMs,
    attempts: delivery.attempts + 1,
    status,
    response,
    told: provided,
  })
}

function over(parts: AttemptParts, ending: Ending, outcome: AttemptOutcome, told: Told): Ended {
  return { bytes: RECORD_BYTES, stage: (tx) => tell(parts, tx, ending, outcome, told), next: undefined }
}

function again(parts: AttemptParts, made: Made, { reason, status }: Told, dueAt: number): Ended {
  const next = { attempts: made.delivery.attempts + 1, dueAt }
  return { bytes: RECORD_BYTES, stage: (tx) => tell(parts, tx, made, 'retry', { reason, status, nextAttemptAt: dueAt }), next }
}

/** Refused, or out of retries: to the dead-letter queue, if there is one. Confirmations are never dead letters. */
async function hopeless(parts: AttemptParts, made: Made, outcome: Exclude<Outcome, { kind: 'delivered' }>): Promise<Ended> {
  const { subscription, delivery, notification } = made
  const { reason, status, told: provided } = outcome
  const end = outcome.kind === 'retry' ? 'exhausted' : 'refused'
  const queueArn = notification.type === 'Notification' ? deadLetterArnOf(subscription) : undefined
  if (queueArn === undefined) return over(parts, made, end, { reason, status, provided })
  const body = isRaw(subscription) ? notification.message : await parts.envelope(notification)
  // "SNS raw message delivery": queues alone get the attributes beside a raw message.
  const attributes = isRaw(subscription) && subscription.protocol === 'sqs' ? delivery.header.attributes : undefined
  const letter = { queueArn, messageId: parts.env.random.uuid(), body, attributes, of: delivery.header }
  return {
    bytes: RECORD_BYTES + body.length,
    next: undefined,
    stage(tx) {
      const obstacle = putIntoQueue(tx, parts.env, subscription, letter)
      if (obstacle === undefined) return tell(parts, tx, made, 'dead-lettered', { reason, status, provided })
      tell(parts, tx, made, end, { reason: `${reason}; no dead letter: ${obstacle}`, status, provided })
      parts.lost.tell(tx, { subscriptionArn: subscription.subscriptionArn, queueArn, reason: obstacle })
    },
  }
}

/** The confirmation of a subscribed queue of this server. */
function queued(parts: AttemptParts, made: Made, body: string): Ended {
  const { subscription, delivery } = made
  const letter = { queueArn: subscription.endpoint, messageId: parts.env.random.uuid(), body, of: delivery.header }
  return {
    bytes: RECORD_BYTES + body.length,
    next: undefined,
    stage(tx) {
      const obstacle = putIntoQueue(tx, parts.env, subscription, letter)
      tell(parts, tx, made, obstacle === undefined ? 'delivered' : 'refused', { reason: obstacle ?? '' })
    },
  }
}

function deliver(
  parts: AttemptParts,
  delivery: Delivery,
  notification: Notification,
  subscription: Subscription,
  { contentType }: EffectivePolicy,
): Promise<Outcome> {
  const { protocol, endpoint } = subscription
  const deliverer = parts.deliverers.get(protocol)
  if (deliverer === undefined) return Promise.resolve({ kind: 'refused', reason: `this server does not deliver to ${protocol}` })
  const attempt: Attempt = {
    notification,
    endpoint,
    raw: isRaw(subscription),
    contentType,
    number: delivery.attempts + 1,
    marks: delivery.header,
  }
  return deliverer.deliver(attempt, parts.tools)
}

/** No signature to be had is our own trouble and goes up; a fault in the deliverer's code counts as a failed attempt, so that it ends. */
function faultOf({ env }: AttemptParts, { protocol }: Subscription, error: unknown): Outcome {
  if (error instanceof SignerBusy || error instanceof SignerFailed) throw error
  env.log.error('a deliverer failed unexpectedly', {
    protocol,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  return { kind: 'retry', reason: 'an internal error of this server' }
}

function isRaw({ attributes }: Subscription): boolean {
  return attributes['RawMessageDelivery'] === 'true'
}

type Content = Pick<Delivery, 'header' | 'body' | 'subscriptionArn'>

/** The subscription as it is now. One that unsubscribed is no more; the message that tells it so carries it. */
function subscriptionOf({ tables }: AttemptParts['env'], { header, body, subscriptionArn }: Content): Subscription | undefined {
  if (header.direct !== undefined) return directSubscription(header.direct)
  const current = tables.get(Table.subscriptions, subscriptionArn)
  switch (header.type) {
    case 'Notification':
      return current?.state === 'confirmed' ? current : undefined
    case 'SubscriptionConfirmation':
      return current?.state === 'pending' ? current : undefined
    default:
      return current ?? (body === '' ? undefined : (JSON.parse(body) as Subscription))
  }
}

function dropped(parts: AttemptParts, delivery: Delivery, startedAt: number): Ended {
  const { header, subscriptionArn } = delivery
  const reason =
    header.type === 'SubscriptionConfirmation' ? 'the subscription no longer waits for its confirmation' : 'the subscription is gone'
  // What it was is not known any more.
  const subscription = { subscriptionArn, topicArn: header.topicArn ?? '', protocol: '', endpoint: '' }
  return over(parts, { delivery, subscription, notification: undefined, startedAt, durationMs: 0 }, 'dropped', { reason })
}

function notificationOf({ env, baseUrl }: AttemptParts, { header, body }: Content, subscription: Subscription): Notification {
  const { subscriptionArn, protocol, endpoint } = subscription
  const { sealedToken } = header
  const textNames = protocol === 'application' ? textNamesOf(endpoint) : []
  const token = sealedToken === undefined ? undefined : env.seal.open(sealedToken, `confirmation ${subscriptionArn}`)
  return createNotification(header, openedBody(env, header, body), { protocol, textNames, subscriptionArn, baseUrl: baseUrl(), token })
}
