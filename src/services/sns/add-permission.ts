// AddPermission: one more statement in the topic's policy, under a label of its own.
import type { AddPermissionInput } from '@aws-sdk/client-sns'
import { addPermission as withPermission } from '../../model/access-policy/policy-edits.ts'
import { isAccountId } from '../../model/arn.ts'
import { Table } from '../../model/tables.ts'
import { requireTopic, topicArnOf } from './arns.ts'
import { invalidParameter, requireMembers } from './errors.ts'
import type { SnsOperation } from './operation.ts'
import { OUT_OF_SCOPE, TOPIC_ACTIONS, topicPolicy, topicPolicyProblem } from './topic-policy.ts'

const LABEL = /^[A-Za-z0-9_-]{1,80}$/

export const addPermission: SnsOperation<AddPermissionInput, undefined> = () => ({
  name: 'AddPermission',
  access: 'write',
  resource: (input, call) => topicArnOf(input.TopicArn, call),
  run(tx, input, call) {
    const topic = requireTopic(tx, topicArnOf(input.TopicArn, call))
    const label = input.Label ?? ''
    const accounts = requireMembers(input.AWSAccountId, 'aWSAccountId')
    const names = requireMembers(input.ActionName, 'actionName')
    if (!LABEL.test(label)) throw invalidParameter('Label Reason: must have 1 to 80 alphanumeric characters, hyphens or underscores')
    if (!accounts.every(isAccountId)) throw invalidParameter('A provided account ID is not valid')
    if (!names.every((name) => TOPIC_ACTIONS.has(name))) throw invalidParameter(OUT_OF_SCOPE)
    const actions = names.map((name) => `SNS:${name}`)
    const policy = withPermission(topicPolicy(topic), { label, accounts, actions, resource: topic.topicArn, partition: call.partition })
    if (policy === undefined) throw invalidParameter('Statement already exists')
    const problem = topicPolicyProblem(policy)
    if (problem !== undefined) throw invalidParameter(problem)
    tx.put(Table.topics, topic.topicArn, { ...topic, attributes: { ...topic.attributes, Policy: policy } })
    return undefined
  },
})
