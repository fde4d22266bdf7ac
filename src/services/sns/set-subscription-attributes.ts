// SetSubscriptionAttributes: one attribute; an empty value clears it. A changed wrapping takes a new route, since messages that
// wait already keep the wrapping under which they came.
import type { SetSubscriptionAttributesInput } from '@aws-sdk/client-sns'
import { FILTER_CHANGES, withFormerFilter } from '../../model/filter-policy/former-filters.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue, type Subscription, type Topic } from '../../model/topic.ts'
import type { Env } from '../../engine/env.ts'
import type { Call } from '../../engine/operation.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { requireSubscription, subscriptionArnOf, topicOfSubscription } from './arns.ts'
import { invalidParameter } from './errors.ts'
import { checkFilterRoom, loadFilterCounts } from './filter-limits.ts'
import type { SnsOperation } from './operation.ts'
import { checkSpan, startReplay, stopReplay } from './replays.ts'
import { newRoute } from './routes.ts'
import { checkSubscriptionAttribute } from './subscription-attributes.ts'

export const setSubscriptionAttributes: SnsOperation<SetSubscriptionAttributesInput, undefined> = (parts) => ({
  name: 'SetSubscriptionAttributes',
  access: 'write',
  resource: (input) => subscriptionArnOf(input.SubscriptionArn),
  ...(parts.limits !== undefined && {
    prepare: (call: Call, { SubscriptionArn: arn = '' }: SetSubscriptionAttributesInput) =>
      loadFilterCounts(parts, topicOfSubscription(arn), call),
  }),
  run(tx, input, { env }) {
    const subscription = requireSubscription(tx, subscriptionArnOf(input.SubscriptionArn))
    const name = input.AttributeName ?? ''
    const value = checkSubscriptionAttribute(name, input.AttributeValue ?? '', subscription, invalidParameter, 'AttributeName')
    const { [name]: _replaced, ...others } = subscription.attributes
    const topic = tx.get(Table.topics, subscription.topicArn)
    if (name === 'FilterPolicy' && value !== undefined && subscription.attributes[name] === undefined && topic !== undefined)
      checkFilterRoom(parts, topic)
    const attributes = value === undefined ? others : { ...others, [name]: value }
    const changed = withFormerFilter(subscription, { ...subscription, attributes }, tx.now, () => tx.nextNumber(FILTER_CHANGES))
    const isRewrapped =
      isOwnQueue(subscription) && name === 'RawMessageDelivery' && changed.attributes[name] !== subscription.attributes[name]
    const next = isRewrapped ? rewrapped(tx, changed) : name === 'ReplayPolicy' ? replayed(tx, env, topic, changed) : changed
    tx.put(Table.subscriptions, next.subscriptionArn, next)
    return undefined
  },
})

function rewrapped(tx: Transaction, subscription: Subscription): Subscription {
  const replay = tx.get(Table.replays, subscription.subscriptionArn)
  if (replay !== undefined) tx.put(Table.replays, subscription.subscriptionArn, { ...replay, route: newRoute(tx, subscription, true) })
  return { ...subscription, route: newRoute(tx, subscription) }
}

/** With the replay that its policy asks for. Setting the policy again begins it again, as on AWS. */
function replayed(tx: Transaction, env: Env, topic: Topic | undefined, subscription: Subscription): Subscription {
  if (subscription.attributes['ReplayPolicy'] === undefined) return stopReplay(tx, env, topic, subscription)
  const span = checkSpan(tx, topic, subscription, invalidParameter)
  if (topic === undefined || subscription.state === 'pending') return { ...subscription, replayStatus: 'Pending' }
  return startReplay(tx, env, topic, subscription, span)
}
