// What this follower itself puts into queues of this server: letters that nobody takes, and confirmations of subscribed queues. A queue
// gets exactly what the endpoint would have got, when its policy lets the topic in.
import { parseArn } from '../../model/arn.ts'
import type { MessageAttribute, MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription } from '../../model/topic.ts'
import {
  SNS_PRINCIPAL,
  arrivalGroup,
  arrivalVisibleAt,
  groupIdIn,
  keyRefusal,
  NO_QUEUE,
  queueRefusal,
  topicKeyUser,
} from '../../engine/queue-access.ts'
import { stageQueued } from '../../engine/queued-message.ts'
import type { Transaction } from '../../engine/transaction.ts'

export interface Letter {
  readonly queueArn: string
  readonly messageId: string
  readonly body: string
  /** Of a raw message. */
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
  readonly of: MessageHeader
}

export type LetterParts = Parameters<typeof stageQueued>[1]

/** Stages the letter's arrival; undefined when it arrived, else why it cannot. */
export function putIntoQueue(
  tx: Transaction,
  env: LetterParts,
  subscription: Subscription,
  { queueArn, messageId, body, attributes, of }: Letter,
): string | undefined {
  const queue = tx.get(Table.queues, queueArn)
  if (queue === undefined) return `${NO_QUEUE.reason} It is ${queueArn}.`
  const refusal = refusalOf(queue, subscription, tx.now)
  if (refusal !== undefined) return refusal
  const header: MessageHeader = {
    type: 'Queued',
    messageId,
    publishedAt: tx.now,
    ...(attributes !== undefined && { attributes }),
    groupId: groupIdIn(queue, of),
    deduplicationId: of.deduplicationId,
    traceHeader: of.traceHeader,
    senderId: SNS_PRINCIPAL.principalId,
  }
  try {
    const reference = stageQueued(tx, env, queue, { header, body }, topicKeyUser(subscription.topicArn))
    const group = arrivalGroup(queue, of)
    tx.enqueue(queue.number, reference, { route: 0, visibleAt: arrivalVisibleAt(queue, tx.now), group })
    return undefined
  } catch (error) {
    return keyRefusal(error).reason
  }
}

function refusalOf(queue: Queue, subscription: Subscription, now: number): string | undefined {
  if (parseArn(queue.queueArn)?.region !== parseArn(subscription.topicArn)?.region)
    return `the queue ${queue.queueArn} lies in another region than the subscription`
  return queueRefusal(queue, subscription.topicArn, now)?.reason
}
