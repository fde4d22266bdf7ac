// A message goes to the topic's own queues in the frame of its Publish: one body, a reference for each queue. Everyone outside is served
// by the delivery follower.
import { parseArn } from '../../model/arn.ts'
import { attemptRecord } from '../../model/delivery.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription, Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { arrivalGroup, arrivalVisibleAt, deadLetterArnOf, queueRefusal } from '../../engine/queue-access.ts'
import type { MessageReference, Transaction } from '../../engine/transaction.ts'

/** Stages the message's arrival in every subscribed queue of this server; a queue that refuses is told as a failed attempt. */
export function enqueueForSubscribers(
  tx: Transaction,
  call: Call,
  topic: Topic,
  queues: readonly Subscription[],
  message: MessageReference & { readonly messageId: string; readonly groupId: string | undefined },
): void {
  for (const subscription of queues) {
    const queue = tx.get(Table.queues, subscription.endpoint)
    const refusal = queue === undefined ? 'the queue does not exist' : queueRefusal(queue, topic.topicArn, tx.now)
    if (queue !== undefined && refusal === undefined) {
      const group = arrivalGroup(queue, message.groupId)
      tx.enqueue(queue.number, message, { route: subscription.route, visibleAt: arrivalVisibleAt(queue, tx.now), group })
      continue
    }
    const deadLetter = deadLetterQueue(tx, topic, subscription)
    if (deadLetter !== undefined)
      tx.enqueue(deadLetter.number, message, { route: subscription.route, group: arrivalGroup(deadLetter, message.groupId) })
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

/** The subscription's dead-letter queue when it exists, lies beside the subscription, and lets the topic in. */
function deadLetterQueue(tx: Transaction, topic: Topic, subscription: Subscription): Queue | undefined {
  const target = deadLetterArnOf(subscription)
  const queue = target === undefined ? undefined : tx.get(Table.queues, target)
  if (queue === undefined || parseArn(queue.queueArn)?.region !== parseArn(subscription.subscriptionArn)?.region) return undefined
  return queueRefusal(queue, topic.topicArn, tx.now) === undefined ? queue : undefined
}
