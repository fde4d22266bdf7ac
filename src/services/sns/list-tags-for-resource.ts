// ListTagsForResource: the tags of a topic.
import type { ListTagsForResourceRequest, ListTagsForResourceResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicArnOf } from './arns.ts'
import { resourceNotFound } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { tagList } from './tags.ts'

export const listTagsForResource: SnsOperation<ListTagsForResourceRequest, ListTagsForResourceResponse> = () => ({
  name: 'ListTagsForResource',
  access: 'read',
  resource: (input, call) => topicArnOf(input.ResourceArn, call, 'ResourceArn'),
  run(tx, input, call) {
    const topic = tx.get(Table.topics, topicArnOf(input.ResourceArn, call, 'ResourceArn'))
    if (topic === undefined) throw resourceNotFound()
    return { Tags: tagList(topic.tags) }
  },
})
