// ListSubscriptions: those the account made, also of other accounts' topics, a hundred at a time; pending ones do not show their ARN.
import type { ListSubscriptionsInput, ListSubscriptionsResponse, Subscription as SubscriptionRow } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { SnsOperation } from './operation.ts'
import { readPage } from './paging.ts'
import { maskPassword } from './subscription-attributes.ts'

export const listSubscriptions: SnsOperation<ListSubscriptionsInput, ListSubscriptionsResponse> = () => ({
  name: 'ListSubscriptions',
  access: 'read',
  run(tx, input, call) {
    const prefix = `arn:${call.partition}:sns:${call.region}:`
    const { values, NextToken } = readPage(tx, call, Table.subscriptions, {
      prefix,
      token: input.NextToken,
      keep: ({ owner }) => owner === call.account,
    })
    return { Subscriptions: values.map(describeSubscription), NextToken }
  },
})

export function describeSubscription(subscription: Subscription): SubscriptionRow {
  return {
    SubscriptionArn: subscription.state === 'pending' ? 'PendingConfirmation' : subscription.subscriptionArn,
    Owner: subscription.owner,
    Protocol: subscription.protocol,
    Endpoint: maskPassword(subscription.endpoint),
    TopicArn: subscription.topicArn,
  }
}
