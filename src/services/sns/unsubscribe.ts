// Unsubscribe: idempotent; works unsigned from the link in a notification, unless the subscriber asked for signatures.
import type { UnsubscribeInput } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { subscriptionArnOf } from './arns.ts'
import { authorizationError } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { dropReplay } from './replays.ts'
import { sendConfirmation } from './subscribe.ts'

export const unsubscribe: SnsOperation<UnsubscribeInput, undefined> = () => ({
  name: 'Unsubscribe',
  access: 'write',
  unsigned: true,
  ungated: true,
  run(tx, input, call) {
    const subscriptionArn = subscriptionArnOf(input.SubscriptionArn)
    const subscription = tx.get(Table.subscriptions, subscriptionArn)
    if (subscription === undefined) return undefined
    const before = tx.get(Table.topics, subscription.topicArn)
    const isOwner = call.account !== '' && (call.account === subscription.owner || call.account === before?.owner)
    if (subscription.authenticateOnUnsubscribe && !isOwner) throw refusal(subscription, call)
    if (call.principal.type !== 'anonymous' && !isOwner) throw refusal(subscription, call)
    tx.delete(Table.subscriptions, subscriptionArn)
    dropReplay(tx, call.env, subscriptionArn)
    const topic = tx.get(Table.topics, subscription.topicArn)
    if (topic === undefined) return undefined
    tx.put(Table.topics, topic.topicArn, { ...topic, subscriptionsDeleted: topic.subscriptionsDeleted + 1 })
    // Whoever used the link may not be the one who reads the endpoint: that one is told, and may take it back.
    if (!isOwner && subscription.protocol.startsWith('http')) sendConfirmation(tx, call, topic, subscription, 'UnsubscribeConfirmation')
    return undefined
  },
})

function refusal(subscription: Subscription, call: Call): Error {
  const who = call.principal.arn === '' ? 'anonymous' : call.principal.arn
  return authorizationError(`User: ${who} is not authorized to perform: SNS:Unsubscribe on resource: ${subscription.subscriptionArn}`)
}
