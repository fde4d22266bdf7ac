// GetTopicAttributes.
import type { GetTopicAttributesInput, GetTopicAttributesResponse } from '@aws-sdk/client-sns'
import { requireTopic, topicArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'
import { readTopicAttributes } from './topic-attributes.ts'

export const getTopicAttributes: SnsOperation<GetTopicAttributesInput, GetTopicAttributesResponse> = ({ subscribers }) => ({
  name: 'GetTopicAttributes',
  access: 'read',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    return { Attributes: readTopicAttributes(topic, subscribers.of(topic)) }
  },
})
