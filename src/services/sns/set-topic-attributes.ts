// SetTopicAttributes: one attribute; an empty value clears it.
import type { SetTopicAttributesInput } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import { withArchive } from './archive-policy.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { invalidParameter } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { checkTopicAttribute } from './topic-attributes.ts'
import { largeMessagesProblem } from './large-messages.ts'

export const setTopicAttributes: SnsOperation<SetTopicAttributesInput, undefined> = (parts) => ({
  name: 'SetTopicAttributes',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const name = input.AttributeName ?? ''
    const { [name]: _replaced, ...others } = topic.attributes
    const value = checkTopicAttribute(name, input.AttributeValue ?? '', topic.fifo !== undefined, invalidParameter, 'AttributeName')
    const isOtherScope = name === 'FifoThroughputScope' && value !== topic.attributes[name]
    const changed: Topic = {
      ...topic,
      attributes: value === undefined ? others : { ...others, [name]: value },
      ...(topic.fifo !== undefined && isOtherScope && { fifo: { ...topic.fifo, changedAt: tx.now } }),
    }
    const problem = largeMessagesProblem(changed, () => [...parts.subscribers.of(topic).all.values()].map(({ protocol }) => protocol))
    if (problem !== undefined) throw invalidParameter(problem)
    tx.put(Table.topics, topic.topicArn, name === 'ArchivePolicy' ? withArchive(tx, call.env, changed) : changed)
    return undefined
  },
})
