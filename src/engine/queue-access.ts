// Whether a topic may send to a queue of this server, and when what it sends is seen: by the queue's own policy and settings.
import { evaluate } from '../model/access-policy/evaluate.ts'
import { parseArn } from '../model/arn.ts'
import { isFifoName } from '../model/fifo-attributes.ts'
import { fairGroup, orderedGroup } from '../model/message-group.ts'
import type { Queue } from '../model/topic.ts'
import { policyOf } from './policies.ts'

export const SNS_PRINCIPAL = {
  type: 'service',
  account: '',
  arn: '',
  principalId: 'sns.amazonaws.com',
  service: 'sns.amazonaws.com',
} as const

/** Why the queue's policy keeps the topic out, or undefined. */
export function queueRefusal(queue: Queue, topicArn: string, now: number): string | undefined {
  if (isFifoName(queue.queueArn) && !isFifoName(topicArn))
    return `${queue.queueArn} is a FIFO queue, which takes messages of FIFO topics alone`
  const policy = queue.attributes['Policy']
  const owner = parseArn(topicArn)?.account ?? ''
  const decision = evaluate(
    {
      principal: SNS_PRINCIPAL,
      action: 'sqs:SendMessage',
      resource: queue.queueArn,
      context: {
        'aws:sourcearn': topicArn,
        'aws:sourceaccount': owner,
        'aws:sourceowner': owner,
        'aws:securetransport': 'true',
        'aws:currenttime': isoTime(now),
      },
    },
    { resourceOwner: queue.owner, resourcePolicy: policy === undefined ? undefined : policyOf(queue, policy) },
  )
  return decision.allowed
    ? undefined
    : `AccessDenied: the policy of ${queue.queueArn} does not allow sns.amazonaws.com to send from this topic`
}

/** When a message that arrives now is seen: the queue may delay all of them. */
export function arrivalVisibleAt(queue: Queue, now: number): number {
  return now + Number(queue.attributes['DelaySeconds'] ?? 0) * 1000
}

/** The group's number under which a message waits there: in order in a FIFO queue, fairly in a standard one; 0 without a group. */
export function arrivalGroup({ queueArn }: Queue, groupId: string | undefined): number {
  if (groupId === undefined) return 0
  return isFifoName(queueArn) ? orderedGroup(groupId) : fairGroup(groupId)
}

/** The ARN of the dead-letter queue in a subscription's RedrivePolicy, or undefined. */
export function deadLetterArnOf({ attributes }: { readonly attributes: Readonly<Record<string, string>> }): string | undefined {
  const policy = attributes['RedrivePolicy']
  if (policy === undefined) return undefined
  const { deadLetterTargetArn } = JSON.parse(policy) as { readonly deadLetterTargetArn?: unknown }
  return typeof deadLetterTargetArn === 'string' ? deadLetterTargetArn : undefined
}

/** Calls of one millisecond share the text. */
const isoTimes = { at: -1, text: '' }

function isoTime(at: number): string {
  if (isoTimes.at !== at) {
    isoTimes.at = at
    isoTimes.text = new Date(at).toISOString()
  }
  return isoTimes.text
}
