// ListTopics: the account's topics in the region, a hundred at a time.
import type { ListTopicsInput, ListTopicsResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicPrefix } from './arns.ts'
import type { SnsOperation } from './operation.ts'
import { readPage } from './paging.ts'

export const listTopics: SnsOperation<ListTopicsInput, ListTopicsResponse> = () => ({
  name: 'ListTopics',
  access: 'read',
  run(tx, input, call) {
    const { values, NextToken } = readPage(tx, call, Table.topics, { prefix: topicPrefix(call), token: input.NextToken })
    return { Topics: values.map(({ topicArn }) => ({ TopicArn: topicArn })), NextToken }
  },
})
