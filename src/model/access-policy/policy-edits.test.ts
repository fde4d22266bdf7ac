import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addPermission, defaultTopicPolicy, removePermission } from './policy-edits.ts'

const TOPIC = 'arn:aws:sns:us-east-1:111111111111:orders'

test('the default topic policy is AWS’s, byte for byte', () => {
  assert.equal(
    defaultTopicPolicy(TOPIC, '111111111111'),
    '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",' +
      '"Effect":"Allow","Principal":{"AWS":"*"},' +
      '"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",' +
      '"SNS:DeleteTopic","SNS:Subscribe",' +
      '"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"arn:aws:sns:us-east-1:111111111111:orders",' +
      '"Condition":{"StringEquals":{"AWS:SourceOwner":"111111111111"}}}]}',
  )
})

test('AddPermission appends a statement: single values as a text, several as a list', () => {
  const before = defaultTopicPolicy(TOPIC, '111111111111')
  const one = addPermission(before, { label: 'one', accounts: ['222222222222'], actions: ['SNS:Publish'], resource: TOPIC })
  assert.ok(one !== undefined)
  const [kept, added] = (JSON.parse(one) as { Statement: unknown[] }).Statement
  assert.deepEqual(kept, (JSON.parse(before) as { Statement: unknown[] }).Statement[0])
  const principal = { AWS: 'arn:aws:iam::222222222222:root' }
  assert.deepEqual(added, { Sid: 'one', Effect: 'Allow', Principal: principal, Action: 'SNS:Publish', Resource: TOPIC })
  const permission = {
    label: 'two',
    accounts: ['222222222222', '333333333333'],
    actions: ['SNS:Publish', 'SNS:Subscribe'],
    resource: TOPIC,
    partition: 'aws-cn',
  }
  const two = addPermission(one, permission)
  assert.deepEqual((JSON.parse(two ?? '') as { Statement: unknown[] }).Statement[2], {
    Sid: 'two',
    Effect: 'Allow',
    Principal: { AWS: ['arn:aws-cn:iam::222222222222:root', 'arn:aws-cn:iam::333333333333:root'] },
    Action: ['SNS:Publish', 'SNS:Subscribe'],
    Resource: TOPIC,
  })
})

test('AddPermission leaves a label alone that is in use, RemovePermission one that is not', () => {
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Sid: 'a', Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' },
  })
  assert.equal(addPermission(policy, { label: 'a', accounts: ['222222222222'], actions: ['SNS:Publish'], resource: TOPIC }), undefined)
  assert.equal(removePermission(policy, 'b'), policy)
})

test('RemovePermission undoes AddPermission', () => {
  const before = defaultTopicPolicy(TOPIC, '111111111111')
  const added = addPermission(before, { label: 'x', accounts: ['222222222222'], actions: ['SNS:Publish'], resource: TOPIC })
  assert.equal(removePermission(added ?? '', 'x'), before)
})
