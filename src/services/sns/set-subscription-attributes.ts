// SetSubscriptionAttributes: one attribute; an empty value clears it. A changed wrapping takes a new route, since messages that
// wait already keep the wrapping under which they came.
import type { SetSubscriptionAttributesInput } from '@aws-sdk/client-sns'
import { FILTER_CHANGES, withFormerFilter } from '../../model/filter-policy/former-filters.ts'
import { Table } from '../../model/tables.ts'
import { requireSubscription, subscriptionArnOf } from './arns.ts'
import { invalidParameter } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { newRoute } from './subscribe.ts'
import { checkSubscriptionAttribute } from './subscription-attributes.ts'

export const setSubscriptionAttributes: SnsOperation<SetSubscriptionAttributesInput, undefined> = () => ({
  name: 'SetSubscriptionAttributes',
  access: 'write',
  resource: (input) => subscriptionArnOf(input.SubscriptionArn),
  run(tx, input) {
    const subscription = requireSubscription(tx, subscriptionArnOf(input.SubscriptionArn))
    const name = input.AttributeName ?? ''
    const value = checkSubscriptionAttribute(name, input.AttributeValue ?? '', subscription, invalidParameter, 'AttributeName')
    const { [name]: _replaced, ...others } = subscription.attributes
    const attributes = value === undefined ? others : { ...others, [name]: value }
    const changed = withFormerFilter(subscription, { ...subscription, attributes }, tx.now, () => tx.nextNumber(FILTER_CHANGES))
    const isRewrapped = name === 'RawMessageDelivery' && changed.attributes[name] !== subscription.attributes[name]
    tx.put(Table.subscriptions, changed.subscriptionArn, isRewrapped ? { ...changed, route: newRoute(tx, changed) } : changed)
    return undefined
  },
})
