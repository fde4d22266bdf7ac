// SetSubscriptionAttributes: one attribute; an empty value clears it. A changed wrapping takes a new route, since messages that
// wait already keep the wrapping under which they came.
import type { SetSubscriptionAttributesInput } from '@aws-sdk/client-sns'
import { FILTER_CHANGES, withFormerFilter } from '../../model/filter-policy/former-filters.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { requireSubscription, subscriptionArnOf, topicOfSubscription } from './arns.ts'
import { invalidParameter } from './errors.ts'
import { checkFilterRoom, loadFilterCounts } from './filter-limits.ts'
import type { SnsOperation } from './operation.ts'
import { newRoute } from './subscribe.ts'
import { checkSubscriptionAttribute } from './subscription-attributes.ts'

export const setSubscriptionAttributes: SnsOperation<SetSubscriptionAttributesInput, undefined> = (parts) => ({
  name: 'SetSubscriptionAttributes',
  access: 'write',
  resource: (input) => subscriptionArnOf(input.SubscriptionArn),
  ...(parts.limits !== undefined && {
    prepare: (call: Call, { SubscriptionArn: arn = '' }: SetSubscriptionAttributesInput) =>
      loadFilterCounts(parts, topicOfSubscription(arn), call),
  }),
  run(tx, input) {
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
    tx.put(Table.subscriptions, changed.subscriptionArn, isRewrapped ? { ...changed, route: newRoute(tx, changed) } : changed)
    return undefined
  },
})
