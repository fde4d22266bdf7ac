// DeleteTopic: idempotent. Subscriptions stay readable for a while, as on AWS; they belong to no topic any more.
import type { DeleteTopicInput } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'

export const deleteTopic: SnsOperation<DeleteTopicInput, undefined> = () => ({
  name: 'DeleteTopic',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topicArn = topicArnOf(input.TopicArn, call)
    if (tx.get(Table.topics, topicArn) !== undefined) tx.delete(Table.topics, topicArn)
    return undefined
  },
})
