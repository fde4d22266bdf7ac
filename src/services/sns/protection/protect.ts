// What a topic's data protection policy does to a message on its way: the message is refused, changed, told of, and goes to its
// subscribers in as many copies as they are to get different ones. A topic without a policy costs a look at its row.
import { type Audience, audienceKey, heldStatements } from '../../../model/data-protection/audience.ts'
import type { Outgoing } from '../../../model/data-protection/outgoing.ts'
import type { Message } from '../../../model/message.ts'
import { ServiceError } from '../../../model/service-error.ts'
import type { Subscription, Topic } from '../../../model/topic.ts'
import type { Publisher } from '../operation.ts'
import type { Transaction } from '../../../engine/transaction.ts'
import type { Audit, Examined } from './examine.ts'

/** The message as the topic takes it. Throws AuthorizationError where the policy denies it. */
export function protectedMessage<Given extends { readonly body: string }>(
  tx: Transaction,
  call: Publisher,
  topic: Topic,
  given: Given,
  messageId: string,
  { refusal, body, audits }: Examined,
): Given {
  if (refusal !== undefined) throw refusal
  for (const audit of audits) tellAudit(tx, call, topic, audit, messageId)
  return body === given.body ? given : { ...given, body }
}

/** A refusal of one message, which a batch tells of its entry. */
export function isDenial(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === 'AuthorizationError'
}

export interface Copies<Staged> {
  readonly whole: Staged
  readonly copyFor: (subscription: Subscription) => Staged | 'denied' | undefined
}

/**
 * Stages the message as it was published, whole, and behind it each copy with less in it: in this order the delivery follower reads them.
 */
export function stageCopies<Staged>(
  { statements, gets, denied, copies }: Outgoing,
  { header, body }: Message,
  stage: (message: Message, isWhole: boolean) => Staged,
): Copies<Staged> {
  const byKey = new Map<string, Staged>()
  const put = (audience: Audience, text: string): Staged => {
    const staged = stage({ header: { ...header, audience }, body: text }, audience.isCopy !== true)
    for (const key of audience.gets) byKey.set(key, staged)
    return staged
  }
  const whole = put({ statements, gets, denied }, body)
  for (const copy of copies) put({ statements, gets: copy.gets, isCopy: true }, copy.body)
  return {
    whole,
    copyFor(subscription) {
      const key = audienceKey(heldStatements(statements, subscription), subscription)
      return denied.includes(key) ? 'denied' : byKey.get(key)
    },
  }
}

/** Told with the message, or not at all. */
function tellAudit(tx: Transaction, call: Publisher, topic: Topic, { statement, counts }: Audit, messageId: string): void {
  const { operation, direction, sid } = statement
  if (operation.kind !== 'audit' || call.env.random.below(100) >= operation.sampleRate) return
  if (!(counts.length > 0 ? operation.tellsFindings : operation.tellsNoFindings)) return
  call.env.acts.tell(tx, {
    name: counts.length > 0 ? 'SensitiveDataFound' : 'NoSensitiveDataFound',
    details: {
      messageId,
      resourceArn: topic.topicArn,
      callerPrincipal: call.principal.arn === '' ? (call.principal.service ?? call.principal.principalId) : call.principal.arn,
      ...(direction === 'outbound' && { dataDirection: 'Outbound' }),
      ...(sid !== undefined && { sid }),
      dataIdentifiers: counts,
    },
  })
}
