// ConfirmSubscription: the token that went to the endpoint comes back. Works unsigned, from the link in the message.
import type { ConfirmSubscriptionInput, ConfirmSubscriptionResponse } from '@aws-sdk/client-sns'
import { parseArn } from '../../model/arn.ts'
import { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { invalidParameter, invalidParameterPlain } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { checkSpan, startReplay } from './replays.ts'
import { tokenKey } from './subscribe.ts'

export const confirmSubscription: SnsOperation<ConfirmSubscriptionInput, ConfirmSubscriptionResponse> = () => ({
  name: 'ConfirmSubscription',
  access: 'write',
  unsigned: true,
  ungated: true,
  record: { hidden: { Token: 'REDACTED' } },
  run(tx, input, call) {
    const token = input.Token ?? ''
    if (!/^[0-9a-f]+$/i.test(token)) throw invalidParameterPlain('Invalid token')
    const topicArn = parseArn(input.TopicArn ?? '')
    const confirmation = tx.get(Table.confirmations, tokenKey(token.toLowerCase()))
    const isSigned = call.principal.type !== 'anonymous'
    if (topicArn === undefined || topicArn.service !== 'sns' || (isSigned && topicArn.region !== call.region))
      throw invalidParameter('Topic')
    if (confirmation === undefined || confirmation.expiresAt <= tx.now) throw invalidParameter('Token')
    const existing = tx.get(Table.subscriptions, confirmation.subscriptionArn)
    const subscription = existing ?? confirmation.restores
    if (subscription === undefined) throw invalidParameter('Token')
    const owner = parseArn(subscription.topicArn)
    // Quirk: another topic name of the same region and account confirms as well (recorded against AWS).
    if (owner?.region !== topicArn.region || owner.account !== topicArn.account) throw invalidParameter('Topic')
    if (existing === undefined) tx.put(Table.subscriptions, subscription.subscriptionArn, subscription)
    else if (subscription.state === 'pending') {
      const confirmed: Subscription = {
        ...subscription,
        state: 'confirmed',
        confirmationWasAuthenticated: isSigned,
        authenticateOnUnsubscribe: isSigned && input.AuthenticateOnUnsubscribe === 'true',
      }
      tx.put(Table.subscriptions, subscription.subscriptionArn, withReplay(tx, call, confirmed))
    }
    return { SubscriptionArn: subscription.subscriptionArn }
  },
})

/** A replay that was asked for begins now. Where the archive went meanwhile, it fails, and the subscription is confirmed all the same. */
function withReplay(tx: Transaction, { env }: Call, subscription: Subscription): Subscription {
  const topic = tx.get(Table.topics, subscription.topicArn)
  if (subscription.attributes['ReplayPolicy'] === undefined || topic === undefined) return subscription
  try {
    return startReplay(tx, env, topic, subscription, checkSpan(tx, topic, subscription, invalidParameter))
  } catch (error) {
    if (error instanceof ServiceError) return { ...subscription, replayStatus: 'Failed' }
    throw error
  }
}
