// ListTopics: the account's topics in the region, a hundred at a time.
import type { ListTopicsInput, ListTopicsResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { SnsOperation } from './operation.ts'
import { readPage } from './paging.ts'

export const listTopics: SnsOperation<ListTopicsInput, ListTopicsResponse> = () => ({
  name: 'ListTopics',
  access: 'read',
  run(tx, input, call) {
    const prefix = `arn:${call.partition}:sns:${call.region}:${call.account}:`
    const { rows, NextToken } = readPage(tx, Table.topics, { seal: call.env.seal, prefix, token: input.NextToken })
    return { Topics: rows.map(({ value }) => ({ TopicArn: value.topicArn })), NextToken }
  },
})
