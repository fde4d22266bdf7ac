// GetSubscriptionAttributes.
import type { GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { requireSubscription, subscriptionArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'
import { readSubscriptionAttributes } from './subscription-attributes.ts'

export const getSubscriptionAttributes: SnsOperation<GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse> = () => ({
  name: 'GetSubscriptionAttributes',
  access: 'read',
  resource: (input) => subscriptionArnOf(input.SubscriptionArn),
  run(tx, input) {
    const subscription = requireSubscription(tx, subscriptionArnOf(input.SubscriptionArn))
    return { Attributes: readSubscriptionAttributes(subscription, tx.get(Table.topics, subscription.topicArn)) }
  },
})
