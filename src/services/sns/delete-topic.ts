// DeleteTopic: idempotent. Subscriptions stay readable for a while, as on AWS; they belong to no topic any more.
import type { DeleteTopicInput } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicArnOf } from './arns.ts'
import { sequenceCounter } from './fifo-publish.ts'
import type { SnsOperation } from './operation.ts'

export const deleteTopic: SnsOperation<DeleteTopicInput, undefined> = () => ({
  name: 'DeleteTopic',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topicArn = topicArnOf(input.TopicArn, call)
    const topic = tx.get(Table.topics, topicArn)
    if (topic === undefined) return undefined
    tx.delete(Table.topics, topicArn)
    if (topic.fifo === undefined) return undefined
    // What it remembers goes with it.
    tx.drop(topic.fifo.number, Infinity)
    tx.delete(Table.counters, sequenceCounter(topic.fifo.number))
    return undefined
  },
})
