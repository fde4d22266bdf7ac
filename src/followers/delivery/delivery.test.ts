import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DELIVERED,
  elapse,
  letters,
  NEVER,
  publish,
  putQueue,
  queueArn,
  REDRIVE,
  seal,
  subscribe,
  told,
  topicArn,
  world,
} from '../../../tests/delivery-world.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import { deliveryIdOfMessage } from '../../model/delivery-id.ts'

test('a message goes to each confirmed subscription of its topic, and nowhere else', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  await subscribe(here, 'http://b/')
  await subscribe(here, 'http://pending/', {}, { state: 'pending' })
  await subscribe(here, queueArn, {}, { protocol: 'sqs', route: 1 })
  await subscribe(
    here,
    'http://other/',
    {},
    { subscriptionArn: `${topicArn}2:5e1d2c3b-0000-4000-8000-000000000001`, topicArn: `${topicArn}2` },
  )
  here.outside.answer = () => DELIVERED
  const messageId = await publish(here, 'hi')
  await elapse(here, 100)
  assert.deepEqual(
    here.outside.attempts.map(({ endpoint, notification }) => [endpoint, notification.message, notification.messageId]),
    [
      ['http://a/', 'hi', messageId],
      ['http://b/', 'hi', messageId],
    ],
  )
  const records = told(here)
  assert.deepEqual(
    records.map(({ outcome, attempt, status, endpoint, account, region }) => [outcome, attempt, status, endpoint, account, region]),
    [
      ['delivered', 1, 200, 'http://a/', '000000000001', 'us-east-1'],
      ['delivered', 1, 200, 'http://b/', '000000000001', 'us-east-1'],
    ],
  )
  assert.equal(new Set(records.map(({ deliveryId: id }) => id)).size, 2)
})

test('a subscription that is confirmed or deleted counts from then on', async (t) => {
  const here = await world(t)
  here.outside.answer = () => DELIVERED
  await publish(here, 'before')
  await elapse(here, 100)
  const subscription = await subscribe(here, 'http://a/')
  await publish(here, 'with')
  await elapse(here, 100)
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscription.subscriptionArn)).done
  await publish(here, 'after')
  await elapse(here, 100)
  assert.deepEqual(
    here.outside.attempts.map(({ notification }) => notification.message),
    ['with'],
  )
})

test('a confirmation goes to its pending subscription with its token, and is no dead letter', async (t) => {
  const here = await world(t)
  await putQueue(here)
  const subscription = await subscribe(here, 'http://new/', REDRIVE, { state: 'pending' })
  await subscribe(here, 'http://old/')
  here.outside.answer = () => NEVER
  const { subscriptionArn } = subscription
  await publish(here, '', {
    type: 'SubscriptionConfirmation',
    subscriptionArn,
    sealedToken: seal.seal('secret', `confirmation ${subscriptionArn}`),
  })
  await elapse(here, 100)
  assert.deepEqual(
    here.outside.attempts.map(({ endpoint, notification }) => [endpoint, notification.type, notification.token]),
    [['http://new/', 'SubscriptionConfirmation', 'secret']],
  )
  assert.deepEqual([told(here)[0]?.outcome, letters(here).length], ['refused', 0])
  assert.ok(here.journal.frames.every(({ payload }) => !payload.includes('secret')))
})

test('a farewell reaches a subscription that is no more', async (t) => {
  const here = await world(t)
  const gone: Subscription = { ...(await subscribe(here, 'http://gone/')) }
  const { subscriptionArn } = gone
  here.outside.answer = () => DELIVERED
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscriptionArn)).done
  await publish(here, JSON.stringify(gone), {
    type: 'UnsubscribeConfirmation',
    subscriptionArn,
    sealedToken: seal.seal('secret', `confirmation ${subscriptionArn}`),
  })
  await elapse(here, 100)
  const [attempt] = here.outside.attempts
  assert.deepEqual([attempt?.endpoint, attempt?.notification.token], ['http://gone/', 'secret'])
  assert.match(attempt?.notification.message ?? '', /^You have chosen to deactivate subscription /)
})

test('delivery ids are UUIDs, one per message and subscription', () => {
  assert.match(deliveryIdOfMessage('m', 's'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(deliveryIdOfMessage('m', 's'), deliveryIdOfMessage('m', 's'))
  assert.notEqual(deliveryIdOfMessage('m', 's'), deliveryIdOfMessage('m', 't'))
})
