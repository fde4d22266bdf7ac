import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptRecord, deliveryIdOf, orderedPrefix, pendingKey, pendingPrefix, recordedEndpoint } from './delivery.ts'

const topicArn = 'arn:aws:sns:eu-west-1:000000000001:orders'
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`

test('secrets and persons do not get into a record', () => {
  const cases: [string, string, string][] = [
    ['https', 'https://user:pass@example.com:8443/hooks/a?token=secret#part', 'https://example.com:8443/hooks/a'],
    ['http', 'http://example.com', 'http://example.com/'],
    ['http', 'http://[broken?token=secret', 'http://***'],
    ['email', 'jane.doe@example.com', '***@example.com'],
    ['email-json', 'nobody', '***'],
    ['sms', '+15551234567', '***'],
    ['sqs', 'arn:aws:sqs:eu-west-1:000000000001:jobs', 'arn:aws:sqs:eu-west-1:000000000001:jobs'],
  ]
  for (const [protocol, endpoint, recorded] of cases) assert.equal(recordedEndpoint(protocol, endpoint), recorded)
})

test('an attempt is told with the account and region of its topic', () => {
  const record = JSON.parse(
    attemptRecord({
      deliveryId: 'D',
      messageId: 'M',
      attempt: 2,
      startedAt: 10,
      durationMs: 1.5,
      status: 500,
      outcome: 'retry',
      reason: 'HTTP 500',
      nextAttemptAt: 20,
      subscription: { subscriptionArn, topicArn, protocol: 'http', endpoint: 'http://u:p@example.com/a?b' },
    }),
  ) as Record<string, unknown>
  assert.deepEqual(record, {
    deliveryId: 'D',
    messageId: 'M',
    topicArn,
    subscriptionArn,
    protocol: 'http',
    endpoint: 'http://example.com/a',
    attempt: 2,
    startedAt: 10,
    durationMs: 1.5,
    status: 500,
    outcome: 'retry',
    reason: 'HTTP 500',
    nextAttemptAt: 20,
    account: '000000000001',
    region: 'eu-west-1',
  })
})

test('keys of pending deliveries sort by subscription, then by time', () => {
  const keys = [5, 40, 300, 2_000_000_000_000].map((dueAt) => pendingKey({ subscriptionArn, dueAt, deliveryId: 'd' }))
  assert.deepEqual(keys.toSorted(), keys)
  assert.ok(keys.every((key) => key.startsWith(pendingPrefix(subscriptionArn))))
  assert.equal(deliveryIdOf(keys[0] ?? ''), 'd')
})

test('keys of what goes in order lie in order, apart from the others, whenever they are due', () => {
  const subscriptionArn = 'arn:aws:sns:us-east-1:000000000001:t.fifo:5e1d'
  const keys = [5, 40, 300].map((sequence) =>
    pendingKey({ subscriptionArn, dueAt: 1000 - sequence, deliveryId: 'd', header: { sequence } }),
  )
  assert.deepEqual(keys, keys.toSorted())
  assert.ok(keys.every((key) => key.startsWith(orderedPrefix(subscriptionArn)) && !key.startsWith(pendingPrefix(subscriptionArn))))
  assert.deepEqual(keys.map(deliveryIdOf), ['d', 'd', 'd'])
})
