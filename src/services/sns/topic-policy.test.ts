import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCOUNT, createHarness, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { policyOf } from '../../engine/policies.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'
import { createSns } from './index.ts'
import { OUT_OF_SCOPE, topicPolicyProblem } from './topic-policy.ts'

const problemOf = (Action: string) =>
  topicPolicyProblem(JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action, Resource: '*' }] }))

test('an action with wildcards covers actions of a topic alone, and is looked through at once however many it has', () => {
  for (const action of ['SNS:Publish', 'sns:publ?sh', 'sns:*Permission', 'SNS:GetTopic*'])
    assert.equal(problemOf(action), undefined, action)
  for (const action of ['sns:*', 'sns:Get*', 'sns:Publis', 'sqs:Publish', `sns:${'*?'.repeat(30)}0`])
    assert.equal(problemOf(action), OUT_OF_SCOPE, action)
})

test('a policy whose last statement was taken away allows nothing, to whoever asks it', async (t) => {
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols: {} }) }))
  t.after(() => server.close())
  const { TopicArn = '' } = await server.call('sns', 'CreateTopic', { Name: 'orders' })
  await server.call('sns', 'RemovePermission', { TopicArn, Label: '__default_statement_ID' })
  const publish = (account: string) => server.call('sns', 'Publish', { TopicArn, Message: 'x' }, rootPrincipal(account, 'AKIATEST'))
  await assert.rejects(publish(OTHER_ACCOUNT), { code: 'AuthorizationError' })
  await publish(ACCOUNT)
  const topic = server.env.tables.get(Table.topics, TopicArn)
  assert.ok(topic)
  assert.deepEqual(policyOf(topic, topic.attributes['Policy'] ?? '').statements, [])
})
