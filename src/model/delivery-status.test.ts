import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type DeliveryEnd, statusLogOf } from './delivery-status.ts'

const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const ROLE = 'arn:aws:iam::000000000001:role/feedback'
const ID = '00000000-0000-8000-8000-000000000000'

function end(more: Partial<DeliveryEnd> & { readonly protocol?: string; readonly endpoint?: string } = {}): DeliveryEnd {
  const { protocol = 'https', endpoint = 'https://user:secret@a.example/hook?token=secret', ...fields } = more
  return {
    ...{ isSuccess: true, deliveryId: ID, messageId: 'm', publishedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 67), attempts: 1, status: 200 },
    ...{
      subscription: { topicArn, subscriptionArn: `${topicArn}:s`, protocol, endpoint },
      message: () => 'hello',
      endedAt: Date.UTC(2026, 0, 2, 3, 4, 6),
      response: '',
    },
    ...fields,
  }
}

test("a success and a failure are told in AWS's JSON", () => {
  const topic = { HTTPSuccessFeedbackRoleArn: ROLE, HTTPSuccessFeedbackSampleRate: '100', HTTPFailureFeedbackRoleArn: ROLE }
  const notification = {
    messageMD5Sum: '5d41402abc4b2a76b9719d911017c592',
    messageId: 'm',
    topicArn,
    timestamp: '2026-01-02 03:04:05.067',
  }
  const told = statusLogOf(topic, end())
  assert.equal(told?.logGroup, 'sns/us-east-1/000000000001/orders')
  const delivery = { deliveryId: ID, destination: 'https://a.example/hook', providerResponse: '', dwellTimeMs: 933, statusCode: 200 }
  assert.equal(told.statusLog, JSON.stringify({ notification, delivery, status: 'SUCCESS' }))
  const failed = statusLogOf(topic, end({ isSuccess: false, attempts: 4, status: 500, response: 'the endpoint answered with status 500' }))
  assert.equal(failed?.logGroup, 'sns/us-east-1/000000000001/orders/Failure')
  assert.deepEqual(JSON.parse(failed.statusLog), {
    notification,
    delivery: { ...delivery, providerResponse: 'the endpoint answered with status 500', attempts: 4, statusCode: 500 },
    status: 'FAILURE',
  })
  const { notification: sealed } = JSON.parse(statusLogOf(topic, end({ message: () => undefined }))?.statusLog ?? '{}') as {
    notification: object
  }
  assert.ok(!('messageMD5Sum' in sealed))
})

test('each class of endpoints has its own three attributes, and no other speaks for it', () => {
  const protocols = { http: 'HTTP', https: 'HTTP', sqs: 'SQS', lambda: 'Lambda', firehose: 'Firehose', application: 'Application' }
  const classes = [...new Set(Object.values(protocols))]
  for (const [protocol, own] of Object.entries(protocols))
    for (const name of classes)
      for (const isSuccess of [true, false]) {
        const topic = { [`${name}${isSuccess ? 'Success' : 'Failure'}FeedbackRoleArn`]: ROLE }
        const isTold = statusLogOf(topic, end({ protocol, isSuccess })) !== undefined
        assert.equal(isTold, name === own, `${name}, ${protocol}`)
        assert.equal(statusLogOf(topic, end({ protocol, isSuccess: !isSuccess })), undefined)
      }
  assert.equal(statusLogOf({ HTTPSuccessFeedbackSampleRate: '100' }, end()), undefined, 'a rate without a role')
  assert.equal(statusLogOf(undefined, end()), undefined)
  assert.equal(statusLogOf({ HTTPSuccessFeedbackRoleArn: ROLE }, end({ protocol: 'email' })), undefined)
})

test('successes are sampled, failures are not', () => {
  const ids = Array.from({ length: 5000 }, (_, at) => createHash('sha256').update(String(at)).digest('hex'))
  for (const rate of [0, 1, 50, 99, 100]) {
    const topic = {
      ...{ HTTPSuccessFeedbackRoleArn: ROLE, HTTPFailureFeedbackRoleArn: ROLE },
      HTTPSuccessFeedbackSampleRate: String(rate),
    }
    const told = ids.filter((deliveryId) => statusLogOf(topic, end({ deliveryId })) !== undefined).length
    assert.ok(Math.abs(told / 50 - rate) <= (rate === 0 || rate === 100 ? 0 : 2.5), `${told} of 5000 at ${rate} %`)
    assert.ok(ids.every((deliveryId) => statusLogOf(topic, end({ deliveryId, isSuccess: false })) !== undefined))
  }
})
