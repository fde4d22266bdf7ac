// Whether a topic may send to a queue of this server, and when what it sends is seen: by the queue's own policy and settings.
import { evaluate } from '../model/access-policy/evaluate.ts'
import { parseArn } from '../model/arn.ts'
import { isFifoName } from '../model/fifo-attributes.ts'
import { fairGroup, orderedGroup } from '../model/message-group.ts'
import type { MessageHeader } from '../model/message.ts'
import { settingsOf } from '../model/queue-attributes.ts'
import type { Queue } from '../model/topic.ts'
import { policyOf } from './policies.ts'
import { keyProblem, type KeyUser } from './message-keys.ts'

export const SNS_PRINCIPAL = {
  type: 'service',
  account: '',
  arn: '',
  principalId: 'sns.amazonaws.com',
  service: 'sns.amazonaws.com',
} as const

/** Why a queue takes no message of a topic: the code and words of SQS, as AWS's delivery status logs have them, and what to do. */
export interface QueueRefusal {
  /** SQS's HTTP status. */
  readonly status: number
  readonly reason: string
}

export const NO_QUEUE: QueueRefusal = {
  status: 400,
  reason: 'AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist or you do not have access to it.',
}

/** Why the queue or its policy keeps the topic out, or undefined. */
export function queueRefusal(queue: Queue, topicArn: string, now: number): QueueRefusal | undefined {
  if (isFifoName(queue.queueArn) && !isFifoName(topicArn))
    return { status: 400, reason: `InvalidParameterValue: ${queue.queueArn} is a FIFO queue, which takes messages of FIFO topics alone.` }
  const policy = queue.attributes['Policy']
  const decision = evaluate(
    { principal: SNS_PRINCIPAL, action: 'sqs:SendMessage', resource: queue.queueArn, context: contextOf(topicArn, now) },
    { resourceOwner: queue.owner, resourcePolicy: policy === undefined ? undefined : policyOf(queue, policy) },
  )
  return decision.allowed
    ? undefined
    : {
        status: 403,
        reason:
          `AccessDenied: Access to the resource ${queue.queueArn} is denied. ` +
          'Its policy does not allow sns.amazonaws.com to send from this topic.',
      }
}

/** Whose keys a topic may use. */
export function topicKeyUser(topicArn: string): KeyUser {
  return { account: parseArn(topicArn)?.account ?? '', isService: true }
}

/** SQS's codes for what a key has against a message. */
export const KEY_CODES = {
  missing: 'KMS.NotFoundException',
  disabled: 'KMS.DisabledException',
  foreign: 'KMS.AccessDeniedException',
} as const

/** Why a message could not be sealed for a queue. Throws what has nothing to do with keys. */
export function keyRefusal(error: unknown): QueueRefusal {
  const problem = keyProblem(error)
  if (problem === undefined) throw error
  return { status: 400, reason: `${KEY_CODES[problem.kind]}: ${problem.message}` }
}

/** When a message that arrives now is seen: the queue may delay all of them. */
export function arrivalVisibleAt(queue: Queue, now: number): number {
  return now + settingsOf(queue).delayMs
}

/** The group's number under which a message waits there: in order in a FIFO queue, fairly in a standard one; 0 without a group. */
export function arrivalGroup(queue: Queue, header: Pick<MessageHeader, 'groupId' | 'topicArn'>): number {
  const groupId = groupIdIn(queue, header)
  if (groupId === undefined) return 0
  return isFifoName(queue.queueArn) ? orderedGroup(groupId) : fairGroup(groupId)
}

/** Quirk: the groups of a FIFO topic are those of its FIFO queues; standard ones do not learn of them (recorded against AWS). */
export function groupIdIn(
  { queueArn }: Queue,
  { groupId, topicArn = '' }: Pick<MessageHeader, 'groupId' | 'topicArn'>,
): string | undefined {
  return isFifoName(topicArn) && !isFifoName(queueArn) ? undefined : groupId
}

/** The ARN of the dead-letter queue in a subscription's RedrivePolicy, or undefined. */
export function deadLetterArnOf({ attributes }: { readonly attributes: Readonly<Record<string, string>> }): string | undefined {
  const policy = attributes['RedrivePolicy']
  if (policy === undefined) return undefined
  const { deadLetterTargetArn } = JSON.parse(policy) as { readonly deadLetterTargetArn?: unknown }
  return typeof deadLetterTargetArn === 'string' ? deadLetterTargetArn : undefined
}

/** The last one: a message goes to many queues in the same millisecond. */
let known: { readonly topicArn: string; readonly at: number; readonly context: Readonly<Record<string, string>> } | undefined

/** What a queue's policy may ask of a topic that sends. */
function contextOf(topicArn: string, at: number): Readonly<Record<string, string>> {
  if (known?.at === at && known.topicArn === topicArn) return known.context
  const owner = parseArn(topicArn)?.account ?? ''
  const context = {
    'aws:sourcearn': topicArn,
    'aws:sourceaccount': owner,
    'aws:sourceowner': owner,
    'aws:securetransport': 'true',
    'aws:currenttime': new Date(at).toISOString(),
  }
  known = { topicArn, at, context }
  return context
}
