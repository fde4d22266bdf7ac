// GetTopicAttributes.
import type { GetTopicAttributesInput, GetTopicAttributesResponse } from '@aws-sdk/client-sns'
import { archiveOf, shownBeginning } from './archive-policy.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'
import { readTopicAttributes } from './topic-attributes.ts'

export const getTopicAttributes: SnsOperation<GetTopicAttributesInput, GetTopicAttributesResponse> = ({ subscribers }) => ({
  name: 'GetTopicAttributes',
  access: 'read',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const archive = archiveOf(tx, topic)
    const beginning = archive === undefined ? undefined : shownBeginning(archive, tx.now)
    return { Attributes: readTopicAttributes(topic, subscribers.of(topic), beginning) }
  },
})
