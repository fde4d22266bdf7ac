// UntagResource: takes tags off a topic; absent keys are no error.
import type { UntagResourceRequest, UntagResourceResponse } from '@aws-sdk/client-sns'
import { Table } from '../../model/tables.ts'
import { topicArnOf } from './arns.ts'
import { resourceNotFound } from './errors.ts'
import type { SnsOperation } from './operation.ts'

export const untagResource: SnsOperation<UntagResourceRequest, UntagResourceResponse> = () => ({
  name: 'UntagResource',
  access: 'write',
  resource: (input, call) => topicArnOf(input.ResourceArn, call, 'ResourceArn'),
  run(tx, input, call) {
    const topic = tx.get(Table.topics, topicArnOf(input.ResourceArn, call, 'ResourceArn'))
    if (topic === undefined) throw resourceNotFound()
    const gone = new Set(input.TagKeys)
    const tags = Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !gone.has(key)))
    tx.put(Table.topics, topic.topicArn, { ...topic, tags })
    return {}
  },
})
