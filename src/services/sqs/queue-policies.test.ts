import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, other, refusal, type World } from '../../../tests/sqs-world.ts'
import { NO_QUEUE, queueRefusal } from '../../engine/queue-access.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'

const ARN = `arn:aws:sqs:us-east-1:${ACCOUNT}:q`
const TOPIC = `arn:aws:sns:us-east-1:${OTHER_ACCOUNT}:orders`
const allow = (more: object = {}) => ({ Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: ARN, ...more })

async function withPolicy(world: World, ...Statement: object[]): Promise<string> {
  const QueueUrl = await world.create('q')
  await world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } })
  return QueueUrl
}

test('other accounts come in by principal, wildcard, action and condition', async (t) => {
  const world = await createWorld(t)
  const root = `arn:aws:iam::${OTHER_ACCOUNT}:root`
  for (const [statement, isLetIn] of [
    [allow(), true],
    [allow({ Principal: { AWS: '*' } }), true],
    [allow({ Principal: { AWS: OTHER_ACCOUNT } }), true],
    [allow({ Principal: { AWS: [root] } }), true],
    [allow({ Principal: { AWS: '000000000009' } }), false],
    [allow({ Action: 'SQS:*' }), true],
    [allow({ Action: 'sqs:Send*' }), true],
    [allow({ Action: 'sqs:ReceiveMessage' }), false],
    [allow({ Resource: '*' }), true],
    [allow({ Resource: `arn:aws:sqs:us-east-1:${ACCOUNT}:other` }), false],
    [allow({ Condition: { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${OTHER_ACCOUNT}:*` } } }), true],
    [allow({ Condition: { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::000000000009:root' } } }), false],
    [allow({ Condition: { StringEquals: { 'aws:PrincipalAccount': OTHER_ACCOUNT } } }), true],
    [allow({ Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }), true],
    [allow({ Condition: { IpAddress: { 'aws:SourceIp': '198.51.100.0/24' } } }), false],
    [allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }), false],
  ] as const) {
    const QueueUrl = await withPolicy(world, statement)
    const result = world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, other)
    if (isLetIn) await result
    else assert.equal((await refusal(result)).code, 'AccessDenied', JSON.stringify(statement))
  }
  const QueueUrl = await withPolicy(world, allow(), allow({ Effect: 'Deny' }))
  for (const as of [other, undefined])
    assert.match((await refusal(world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' }, as))).message, /with an explicit deny/)
})

test('a topic comes in by its ARN, its account, and wildcards; a refusal has the code and words of SQS', async (t) => {
  const world = await createWorld(t)
  const sns = (more: object = {}) => allow({ Principal: { Service: 'sns.amazonaws.com' }, ...more })
  for (const [statement, isLetIn] of [
    [sns(), true],
    [allow(), true],
    [allow({ Principal: { AWS: OTHER_ACCOUNT } }), false],
    [allow({ Principal: { Service: 's3.amazonaws.com' } }), false],
    [sns({ Condition: { ArnEquals: { 'aws:SourceArn': TOPIC } } }), true],
    [sns({ Condition: { ArnLike: { 'AWS:SourceArn': `arn:aws:sns:*:${OTHER_ACCOUNT}:ord*` } } }), true],
    [sns({ Condition: { StringEquals: { 'aws:SourceArn': TOPIC.replace('orders', 'other') } } }), false],
    [sns({ Condition: { StringEquals: { 'aws:SourceAccount': OTHER_ACCOUNT } } }), true],
    [sns({ Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } } }), false],
  ] as const) {
    await withPolicy(world, statement)
    const queue = world.env.tables.get(Table.queues, ARN) as Queue
    const refused = queueRefusal(queue, TOPIC, world.clock.now())
    assert.equal(refused === undefined, isLetIn, JSON.stringify(statement))
    if (refused !== undefined) {
      assert.equal(refused.status, 403)
      assert.ok(refused.reason.startsWith(`AccessDenied: Access to the resource ${ARN} is denied. `))
    }
  }
  assert.equal(NO_QUEUE.status, 400)
})
