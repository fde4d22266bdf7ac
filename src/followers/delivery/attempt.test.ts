import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DELIVERED,
  elapse,
  LATER,
  NEVER,
  outcomes,
  pending,
  publish,
  retrying,
  subscribe,
  told,
  world,
} from '../../../tests/delivery-world.ts'
import { SignerBusy } from '../../engine/signer.ts'
import { Table } from '../../model/tables.ts'

test('failed attempts come again as the policy says, then end; the count is told', async (t) => {
  const here = await world(t)
  await subscribe(
    here,
    'http://a/',
    retrying({
      numRetries: 4,
      numNoDelayRetries: 1,
      numMinDelayRetries: 1,
      numMaxDelayRetries: 1,
      minDelayTarget: 10,
      maxDelayTarget: 100,
    }),
  )
  here.outside.answer = () => LATER
  await publish(here, 'x')
  await elapse(here, 400_000)
  const records = told(here)
  assert.deepEqual(
    records.map(({ outcome, attempt }) => [outcome, attempt]),
    [
      ['retry', 1],
      ['retry', 2],
      ['retry', 3],
      ['retry', 4],
      ['exhausted', 5],
    ],
  )
  const pauses = records.slice(1).map(({ startedAt }, at) => startedAt - (records[at]?.startedAt ?? 0))
  const least = [0, 10_000, 10_000, 100_000]
  pauses.forEach((pause, at) => assert.ok(pause >= (least[at] ?? 0) && pause <= (least[at] ?? 0) * 1.1 + 50, `pause ${at}: ${pause}`))
  assert.ok(
    records
      .slice(0, 4)
      .every(
        ({ nextAttemptAt, startedAt }, at) =>
          (nextAttemptAt ?? 0) >= startedAt && (records[at + 1]?.startedAt ?? 0) >= (nextAttemptAt ?? 0),
      ),
  )
  assert.deepEqual([here.outside.attempts.length, pending(here).length, here.delivery.deliveries().recorded], [5, 0, 0])
  assert.equal(new Set(here.outside.attempts.map(({ notification }) => JSON.stringify(notification))).size, 1)
})

test('an endpoint that asks for a longer pause gets it', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => ({ kind: 'retry', reason: 'HTTP 429', status: 429, retryAfterMs: 90_000 })
  await publish(here, 'x')
  await elapse(here, 89_000)
  assert.equal(here.outside.attempts.length, 1)
  await elapse(here, 2000)
  assert.equal(here.outside.attempts.length, 2)
})

test('refused is final', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => NEVER
  await publish(here, 'x')
  await elapse(here, 400_000)
  assert.deepEqual(
    told(here).map(({ outcome, reason, status }) => [outcome, reason, status]),
    [['refused', 'HTTP 404', 404]],
  )
  assert.equal(here.delivery.deliveries().oldestAt, undefined)
})

test('a subscription that goes between two attempts ends its deliveries', async (t) => {
  const here = await world(t)
  const subscription = await subscribe(here, 'http://a/')
  here.outside.answer = () => LATER
  await publish(here, 'x')
  await elapse(here, 1000)
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscription.subscriptionArn)).done
  await elapse(here, 60_000)
  assert.deepEqual(outcomes(here), ['retry', 'dropped'])
  assert.equal(pending(here).length, 0)
})

test('our own trouble costs the delivery no attempt, a fault in a deliverer does', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.fault = new SignerBusy('no')
  await publish(here, 'x')
  await elapse(here, 25_000)
  assert.deepEqual([told(here).length, pending(here)[0]?.attempts], [0, 0])
  here.outside.fault = new TypeError('a bug')
  await elapse(here, 10_000)
  assert.deepEqual(
    told(here).map(({ outcome, attempt, reason }) => [outcome, attempt, reason]),
    [['retry', 1, 'an internal error of this server']],
  )
  here.outside.fault = undefined
  here.outside.answer = () => DELIVERED
  await elapse(here, 30_000)
  assert.deepEqual(outcomes(here), ['retry', 'delivered'])
})
