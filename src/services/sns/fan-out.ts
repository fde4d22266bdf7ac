// A message goes to the topic's own queues in the frame of its Publish: one body, a reference for each queue. Everyone outside is served
// by the delivery follower.
import { parseArn } from '../../model/arn.ts'
import { denialOf } from '../../model/data-protection/audience.ts'
import { type AttemptFields, attemptRecord } from '../../model/delivery.ts'
import { statusLogOf } from '../../model/delivery-status.ts'
import type { Message, MessageHeader } from '../../model/message.ts'
import { selectText } from '../../model/notification.ts'
import { copyIdOf } from '../../model/copy-id.ts'
import type { FirstSend } from '../../model/deduplication.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription, Topic } from '../../model/topic.ts'
import { findFirstArrival, type IdScope, idScopeOf, type NewId, rememberFirstSend, topicIdScopeOf } from '../../engine/first-sends.ts'
import {
  arrivalGroup,
  arrivalVisibleAt,
  deadLetterArnOf,
  keyRefusal,
  NO_QUEUE,
  type QueueRefusal,
  queueRefusal,
  topicKeyUser,
} from '../../engine/queue-access.ts'
import type { Publisher } from './operation.ts'
import { stageQueued } from '../../engine/queued-message.ts'
import type { MessageReference, Transaction } from '../../engine/transaction.ts'

/** As many as SQS takes. */
const RAW_ATTRIBUTES_MAX = 10

export interface PublishedMessage extends Message {
  /** The entry in the frame, for all queues that keep the message as it is. Undefined until one asks for it. */
  reference: MessageReference | undefined
  /** It was published long ago: that its id was seen since tells nothing of it, and it tells nothing of its id. */
  readonly isRepeat?: boolean
}

/**
 * Stages the message's arrival in every subscribed queue of this server; a queue that refuses is told as a failed attempt. `copyFor`: what
 * a subscription gets where data protection makes several copies; undefined: it came too late. What is denied is a failed attempt too, and
 * no dead letter, because that would hold it.
 */
export function enqueueForSubscribers(
  tx: Transaction,
  call: Pick<Publisher, 'env'>,
  topic: Topic,
  queues: readonly Subscription[],
  message: PublishedMessage,
  copyFor?: (subscription: Subscription) => PublishedMessage | 'denied' | undefined,
): void {
  for (const subscription of queues) {
    const copy = copyFor === undefined ? message : copyFor(subscription)
    if (copy === undefined) continue
    if (copy === 'denied') {
      const denial = denialOf(subscription.subscriptionArn)
      tellRefusal(tx, call, topic, subscription, message, denial, { outcome: 'refused', reason: denial.reason })
      continue
    }
    const queue = tx.get(Table.queues, subscription.endpoint)
    const refusal =
      queue === undefined ? NO_QUEUE : (rawRefusal(subscription, copy) ?? arrive(tx, call, topic, subscription, queue, copy, false))
    if (refusal === undefined) continue
    const deadLetter = deadLetterQueue(tx, subscription)
    const obstacle = deadLetter === undefined ? NO_QUEUE.reason : arrive(tx, call, topic, subscription, deadLetter, copy, true)?.reason
    const isLost = obstacle !== undefined && deadLetterArnOf(subscription) !== undefined
    tellRefusal(tx, call, topic, subscription, copy, refusal, {
      outcome: obstacle === undefined ? 'dead-lettered' : 'refused',
      reason: isLost ? `${refusal.reason}; no dead letter: ${obstacle}` : refusal.reason,
    })
  }
}

/** "Amazon SNS message attributes": a raw message with more attributes than a queue's message can have is the client's mistake. */
function rawRefusal({ attributes }: Subscription, { header }: PublishedMessage): QueueRefusal | undefined {
  if (header.attributes === undefined || attributes['RawMessageDelivery'] !== 'true') return undefined
  const count = Object.keys(header.attributes).length
  return count <= RAW_ATTRIBUTES_MAX
    ? undefined
    : {
        status: 400,
        reason: `InvalidParameterValue: ${count} message attributes; a raw message has at most ${RAW_ATTRIBUTES_MAX} in a queue.`,
      }
}

/** `refusal`: as the status log has it; `told`: as the attempt is told. */
function tellRefusal(
  tx: Transaction,
  call: Pick<Publisher, 'env'>,
  topic: Topic,
  subscription: Subscription,
  { header: { messageId, publishedAt, structure }, body }: Message,
  { status, reason }: Pick<QueueRefusal, 'status' | 'reason'>,
  told: Pick<AttemptFields, 'outcome' | 'reason'>,
): void {
  const deliveryId = call.env.random.uuid()
  const log = statusLogOf(topic.attributes, {
    ...{ isSuccess: false, deliveryId, messageId, subscription, publishedAt, endedAt: tx.now, attempts: 1 },
    message: () => selectText(body, structure, 'sqs'),
    status,
    response: reason,
  })
  const when = { attempt: 1, startedAt: tx.now, durationMs: 0 }
  tx.attempt(attemptRecord({ ...log, deliveryId, messageId, subscription, ...when, status, ...told }))
}

/** Undefined when it arrived. A queue with encryption gets a copy of its own. Dead letters of several subscriptions may bear one id. */
function arrive(
  tx: Transaction,
  { env }: Pick<Publisher, 'env'>,
  topic: Topic,
  { route }: Subscription,
  queue: Queue,
  message: PublishedMessage,
  isDeadLetter: boolean,
): QueueRefusal | undefined {
  const { header, body } = message
  const refusal = queueRefusal(queue, topic.topicArn, tx.now)
  if (refusal !== undefined) return refusal
  const arrival = isDeadLetter || message.isRepeat === true ? undefined : arrivalIn(tx, topic, queue, header)
  // As when it is sent there: it counts as delivered.
  if (arrival !== undefined && 'messageId' in arrival.found) return undefined
  let kept: MessageReference
  if (settingsOf(queue).encryption === undefined) kept = message.reference ??= tx.message(header, body, false)
  else {
    try {
      kept = stageQueued(tx, env, queue, message, topicKeyUser(topic.topicArn))
    } catch (error) {
      return keyRefusal(error)
    }
  }
  const visibleAt = isDeadLetter ? tx.now : arrivalVisibleAt(queue, tx.now)
  const group = arrivalGroup(queue, header)
  const sequence = tx.enqueue(queue.number, kept, { route, visibleAt, group })
  if (arrival !== undefined && 'key' in arrival.found)
    rememberFirstSend(tx, arrival.scope, arrival.found, { messageId: copyIdOf(header.messageId, route), sequence, group })
  return undefined
}

/** How a message of a FIFO topic counts in a FIFO queue, which has ids of its own: others may send there too. */
function arrivalIn(
  tx: Transaction,
  topic: Topic,
  queue: Queue,
  { groupId, deduplicationId }: MessageHeader,
): { readonly scope: IdScope; readonly found: FirstSend | NewId } | undefined {
  if (groupId === undefined || deduplicationId === undefined) return undefined
  const scope = idScopeOf(queue)
  const topicScope = topicIdScopeOf(topic)
  if (scope === undefined || topicScope === undefined) return undefined
  return { scope, found: findFirstArrival(tx, scope, topicScope, { groupId, deduplicationId }) }
}

/** The subscription's dead-letter queue when it exists and lies beside the subscription. */
function deadLetterQueue(tx: Transaction, subscription: Subscription): Queue | undefined {
  const target = deadLetterArnOf(subscription)
  const queue = target === undefined ? undefined : tx.get(Table.queues, target)
  return queue === undefined || parseArn(queue.queueArn)?.region !== parseArn(subscription.subscriptionArn)?.region ? undefined : queue
}
