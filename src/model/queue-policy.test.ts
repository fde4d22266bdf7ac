import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from './access-policy/policy.ts'
import { problemOfQueuePolicy } from './queue-policy.ts'

test('an action with wildcards covers an action of SQS, and is looked through at once however many it has', () => {
  const kindOf = (Action: string) => {
    const text = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action, Resource: '*' }] })
    return problemOfQueuePolicy(text, compilePolicy(text, { kind: 'resource' }))?.kind
  }
  for (const action of ['*', 'sqs:*', 'SQS:Send*', 'sqs:receivem?ssage']) assert.equal(kindOf(action), undefined, action)
  for (const action of ['sqs:Publ*', 'sns:Publish', `sqs:${'*?'.repeat(30)}z`]) assert.equal(kindOf(action), 'action', action)
})
