// RemovePermission: takes the statement of that label out of the topic's policy; a label that is not there is no error.
import type { RemovePermissionInput } from '@aws-sdk/client-sns'
import { removePermission as withoutPermission } from '../../model/access-policy/policy-edits.ts'
import { Table } from '../../model/tables.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import type { SnsOperation } from './operation.ts'
import { topicPolicy } from './topic-policy.ts'

export const removePermission: SnsOperation<RemovePermissionInput, undefined> = () => ({
  name: 'RemovePermission',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const before = topicPolicy(topic)
    const policy = withoutPermission(before, input.Label ?? '')
    if (policy !== before) tx.put(Table.topics, topic.topicArn, { ...topic, attributes: { ...topic.attributes, Policy: policy } })
    return undefined
  },
})
