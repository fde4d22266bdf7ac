// TagResource: sets tags of a topic; present keys are overwritten.
import type { TagResourceRequest, TagResourceResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicArnOf } from './arns.ts'
import { requireMembers, resourceNotFound } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { checkTagCount, tagsOf } from './tags.ts'

export const tagResource: SnsOperation<TagResourceRequest, TagResourceResponse> = () => ({
  name: 'TagResource',
  access: 'write',
  resource: (input, call) => topicArnOf(input.ResourceArn, call, 'ResourceArn'),
  run(tx, input, call) {
    const tags = tagsOf(requireMembers(input.Tags, 'tags'))
    const topic = tx.get(Table.topics, topicArnOf(input.ResourceArn, call, 'ResourceArn'))
    if (topic === undefined) throw resourceNotFound()
    tx.put(Table.topics, topic.topicArn, { ...topic, tags: checkTagCount({ ...topic.tags, ...tags }) })
    return {}
  },
})
