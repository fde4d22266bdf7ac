// What this follower itself puts into queues of this server: letters that nobody takes, and confirmations of subscribed queues. A queue
// gets exactly what the endpoint would have got, when its policy lets the topic in.
import { evaluate } from '../../model/access-policy/evaluate.ts'
import { parseArn } from '../../model/arn.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription } from '../../model/topic.ts'
import { policyOf } from '../../engine/policies.ts'
import type { Transaction } from '../../engine/transaction.ts'

const SNS = { type: 'service', account: '', arn: '', principalId: 'sns.amazonaws.com', service: 'sns.amazonaws.com' } as const

/** The ARN of the dead-letter queue that a subscription names, or undefined. */
export function deadLetterArnOf({ attributes }: Subscription): string | undefined {
  const policy = attributes['RedrivePolicy']
  if (policy === undefined) return undefined
  const { deadLetterTargetArn } = JSON.parse(policy) as { readonly deadLetterTargetArn?: unknown }
  return typeof deadLetterTargetArn === 'string' ? deadLetterTargetArn : undefined
}

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
    senderId: SNS.principalId,
  }
  const delaySeconds = Number(queue.attributes['DelaySeconds'] ?? 0)
  tx.enqueue(queue.number, tx.message(JSON.stringify(header), body), {
    route: 0,
    ...(delaySeconds > 0 && { visibleAt: tx.now + delaySeconds * 1000 }),
  })
  return undefined
}

function refusalOf(queue: Queue, subscription: Subscription, now: number): string | undefined {
  const topic = parseArn(subscription.topicArn)
  const place = parseArn(queue.queueArn)
  if (place?.region !== topic?.region) return `the queue ${queue.queueArn} lies in another region than the subscription`
  const policy = queue.attributes['Policy']
  const decision = evaluate(
    {
      principal: SNS,
      action: 'sqs:SendMessage',
      resource: queue.queueArn,
      context: {
        'aws:sourcearn': subscription.topicArn,
        'aws:sourceaccount': topic?.account ?? '',
        'aws:sourceowner': topic?.account ?? '',
        'aws:securetransport': 'true',
        'aws:currenttime': new Date(now).toISOString(),
      },
    },
    { resourceOwner: queue.owner, resourcePolicy: policy === undefined ? undefined : policyOf(queue, policy) },
  )
  return decision.allowed ? undefined : `the policy of the queue ${queue.queueArn} does not allow sns.amazonaws.com to send from this topic`
}
