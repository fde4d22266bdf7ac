// What this follower itself puts into queues of this server: letters that nobody takes, and confirmations of subscribed queues. A queue
// gets exactly what the endpoint would have got, when its policy lets the topic in.
import { parseArn } from '../../model/arn.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription } from '../../model/topic.ts'
import { SNS_PRINCIPAL, arrivalGroup, arrivalVisibleAt, queueRefusal } from '../../engine/queue-access.ts'
import type { Transaction } from '../../engine/transaction.ts'

export interface Letter {
  readonly queueArn: string
  readonly messageId: string
  readonly body: string
  readonly of: MessageHeader
}

/** Stages the letter's arrival; undefined when it arrived, else why it cannot. */
export function putIntoQueue(tx: Transaction, subscription: Subscription, { queueArn, messageId, body, of }: Letter): string | undefined {
  const queue = tx.get(Table.queues, queueArn)
  if (queue === undefined) return `the queue ${queueArn} does not exist`
  const refusal = refusalOf(queue, subscription, tx.now)
  if (refusal !== undefined) return refusal
  const header: MessageHeader = {
    type: 'Queued',
    messageId,
    publishedAt: tx.now,
    groupId: of.groupId,
    traceHeader: of.traceHeader,
    senderId: SNS_PRINCIPAL.principalId,
  }
  const group = arrivalGroup(queue, of.groupId)
  tx.enqueue(queue.number, tx.message(header, body, false), { route: 0, visibleAt: arrivalVisibleAt(queue, tx.now), group })
  return undefined
}

function refusalOf(queue: Queue, subscription: Subscription, now: number): string | undefined {
  if (parseArn(queue.queueArn)?.region !== parseArn(subscription.topicArn)?.region)
    return `the queue ${queue.queueArn} lies in another region than the subscription`
  return queueRefusal(queue, subscription.topicArn, now)
}
