// DeleteTopic: idempotent. Subscriptions stay readable for a while, as on AWS; they belong to no topic any more.
import type { DeleteTopicInput } from '@aws-sdk/client-sns'
import { sequenceCounter } from '../../model/sequence-number.ts'
import { Table } from '../../model/tables.ts'
import { archiveKey } from '../../model/topic-archive.ts'
import { topicArnOf } from './arns.ts'
import { invalidState } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { dropReplay, replaysOf } from './replays.ts'

export const deleteTopic: SnsOperation<DeleteTopicInput, undefined> = () => ({
  name: 'DeleteTopic',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topicArn = topicArnOf(input.TopicArn, call)
    const topic = tx.get(Table.topics, topicArn)
    if (topic === undefined) return undefined
    if (topic.attributes['ArchivePolicy'] !== undefined) throw invalidState('Cannot delete a topic with an ArchivePolicy')
    tx.delete(Table.topics, topicArn)
    if (topic.fifo === undefined) return undefined
    // What it remembers goes with it.
    for (const { key } of replaysOf(tx, topicArn)) dropReplay(tx, call.env, key)
    if (topic.archive !== undefined) tx.delete(Table.topicArchives, archiveKey(topic.archive))
    tx.drop(topic.fifo.number, Infinity)
    tx.delete(Table.counters, sequenceCounter(topic.fifo.number))
    return undefined
  },
})
