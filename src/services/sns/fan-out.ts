// A message goes to the topic's own queues in the frame of its Publish: one body, a reference for each queue. Everyone outside is served
// by the delivery follower.
import { evaluate } from '../../model/access-policy/evaluate.ts'
import { parseArn } from '../../model/arn.ts'
import { attemptRecord } from '../../model/delivery.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription, Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { policyOf } from '../../engine/policies.ts'
import type { MessageReference, Transaction } from '../../engine/transaction.ts'
import { deadLetterTargetOf } from './subscription-attributes.ts'

const SNS = { type: 'service', account: '', arn: '', principalId: 'sns.amazonaws.com', service: 'sns.amazonaws.com' } as const

/** Stages the message's arrival in every subscribed queue of this server; a queue that refuses is told as a failed attempt. */
export function enqueueForSubscribers(
  tx: Transaction,
  call: Call,
  topic: Topic,
  queues: readonly Subscription[],
  message: MessageReference & { readonly messageId: string },
): void {
  for (const subscription of queues) {
    const queue = tx.get(Table.queues, subscription.endpoint)
    const refusal = queue === undefined ? 'the queue does not exist' : refusalOf(queue, topic, call)
    if (queue !== undefined && refusal === undefined) {
      tx.enqueue(queue.number, message, { route: subscription.route, ...delay(queue, tx.now) })
      continue
    }
    const deadLetter = deadLetterQueue(tx, call, topic, subscription)
    if (deadLetter !== undefined) tx.enqueue(deadLetter.number, message, { route: subscription.route })
    tx.attempt(
      attemptRecord({
        deliveryId: call.env.random.uuid(),
        messageId: message.messageId,
        subscription,
        attempt: 1,
        startedAt: tx.now,
        durationMs: 0,
        outcome: deadLetter === undefined ? 'refused' : 'dead-lettered',
        reason: refusal ?? '',
      }),
    )
  }
}

/** As texts of times in conditions; calls of one millisecond share it. */
const isoTimes = { at: -1, text: '' }

function isoTime(at: number): string {
  if (isoTimes.at !== at) {
    isoTimes.at = at
    isoTimes.text = new Date(at).toISOString()
  }
  return isoTimes.text
}

/** Why the queue's policy keeps the topic out, or undefined. */
function refusalOf(queue: Queue, topic: Topic, call: Call): string | undefined {
  const policy = queue.attributes['Policy']
  const decision = evaluate(
    {
      principal: SNS,
      action: 'sqs:SendMessage',
      resource: queue.queueArn,
      context: {
        'aws:sourcearn': topic.topicArn,
        'aws:sourceaccount': topic.owner,
        'aws:sourceowner': topic.owner,
        'aws:securetransport': 'true',
        'aws:currenttime': isoTime(call.arrivedAt),
      },
    },
    { resourceOwner: queue.owner, resourcePolicy: policy === undefined ? undefined : policyOf(queue, policy) },
  )
  return decision.allowed ? undefined : "AccessDenied: the queue's policy does not allow sns.amazonaws.com to send from this topic"
}

/** The subscription's dead-letter queue when it exists, lies beside the subscription, and lets the topic in. */
function deadLetterQueue(tx: Transaction, call: Call, topic: Topic, subscription: Subscription): Queue | undefined {
  const target = deadLetterTargetOf(subscription.attributes['RedrivePolicy'])
  const queue = target === undefined ? undefined : tx.get(Table.queues, target)
  if (queue === undefined || parseArn(queue.queueArn)?.region !== parseArn(subscription.subscriptionArn)?.region) return undefined
  return refusalOf(queue, topic, call) === undefined ? queue : undefined
}

function delay(queue: Queue, now: number): { visibleAt?: number } {
  const seconds = Number(queue.attributes['DelaySeconds'] ?? 0)
  return seconds > 0 ? { visibleAt: now + seconds * 1000 } : {}
}
