// ListSubscriptionsByTopic.
import type { ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { describeSubscription } from './list-subscriptions.ts'
import type { SnsOperation } from './operation.ts'
import { readPage } from './paging.ts'

export const listSubscriptionsByTopic: SnsOperation<ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse> = () => ({
  name: 'ListSubscriptionsByTopic',
  access: 'read',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const { values, NextToken } = readPage(tx, call, Table.subscriptions, {
      prefix: `${topic.topicArn}:`,
      token: input.NextToken,
      keep: ({ createdAt }) => createdAt >= topic.createdAt,
    })
    return { Subscriptions: values.map(describeSubscription), NextToken }
  },
})
