import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DELIVERED,
  LATER,
  NEVER,
  outcomes,
  elapse,
  later,
  letters,
  pending,
  publish,
  putQueue,
  REDRIVE,
  subscribe,
  told,
  topicArn,
  world,
} from '../../../tests/delivery-world.ts'
import type { Attempt, Outcome } from '../../engine/deliverer.ts'
import type { MessageHeader } from '../../model/message.ts'
import { JournalFailed, JournalFull } from '../../storage/journal.ts'

test('after a restart a retry comes at its time and the count goes on', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => LATER
  await publish(here, 'x')
  await elapse(here, 30_000)
  assert.equal(here.outside.attempts.length, 2)
  const again = await world(t, {}, {}, here)
  again.outside.answer = () => LATER
  await elapse(again, 5000)
  assert.equal(again.outside.attempts.length, 0)
  assert.deepEqual(again.delivery.deliveries(), {
    running: 0,
    fresh: 0,
    recorded: 1,
    oldestAt: Math.floor(Date.UTC(2026, 0, 2) / 1000) * 1000,
    parked: [],
  })
  await elapse(again, 60_000)
  assert.deepEqual(
    told(again).map(({ attempt, outcome }) => [attempt, outcome]),
    [
      [1, 'retry'],
      [2, 'retry'],
      [3, 'retry'],
      [4, 'exhausted'],
    ],
  )
})

test('killed at any moment, every message arrives, and dead letters come once', async (t) => {
  for (const killAt of [0, 1, 4, 6, 20, 500, 1100, 1300, 3000]) {
    const here = await world(t)
    await putQueue(here)
    await subscribe(here, 'http://a/')
    await subscribe(here, 'http://hangs/')
    await subscribe(here, 'http://refuses/', REDRIVE)
    const answer = ({ endpoint }: Attempt): Outcome | undefined =>
      endpoint === 'http://a/' ? DELIVERED : endpoint === 'http://refuses/' ? NEVER : undefined
    here.outside.answer = answer
    for (let at = 0; at < 5; at++) await publish(here, `m${at}`)
    await elapse(here, killAt)
    const again = await world(t, {}, {}, here)
    again.outside.answer = (attempt) => answer(attempt) ?? DELIVERED
    await elapse(again, 10_000)
    const arrived = (endpoint: string): number =>
      new Set([...here.outside.to(endpoint), ...again.outside.to(endpoint)].map(({ notification }) => notification.message)).size
    assert.deepEqual([arrived('http://a/'), arrived('http://hangs/')], [5, 5], `killed after ${killAt} ms`)
    assert.equal(letters(again).length, 5, `killed after ${killAt} ms`)
    assert.equal(pending(again).length, 0)
  }
})

test('a full journal is tried again; a failed one stops everything', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => DELIVERED
  await publish(here, 'one')
  here.journal.refuse = new JournalFull('later')
  await elapse(here, 500)
  assert.deepEqual(told(here), [])
  here.journal.refuse = undefined
  await elapse(here, 500)
  assert.deepEqual(outcomes(here), ['delivered'])
  await publish(here, 'two')
  here.journal.refuse = new JournalFailed('broken')
  await elapse(here, 500)
  here.journal.refuse = undefined
  await publish(here, 'three')
  await elapse(here, 5000)
  assert.deepEqual(
    here.outside.attempts.map(({ notification }) => notification.message),
    ['one', 'two'],
  )
})

test('a stop records what ended, and begins nothing more', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  await publish(here, 'one')
  await elapse(here, 100)
  const stopped = here.follows.stop()
  await later()
  here.outside.attempts[0]?.end(DELIVERED)
  await elapse(here, 10)
  await stopped
  assert.deepEqual(outcomes(here), ['delivered'])
  await publish(here, 'two')
  await elapse(here, 5000)
  assert.equal(here.outside.attempts.length, 1)
})

test('an attempt that hangs does not hold up a stop for ever', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  await publish(here, 'one')
  await elapse(here, 100)
  const stopped = here.follows.stop()
  await elapse(here, 3001)
  await stopped
  here.outside.attempts[0]?.end(DELIVERED)
  await elapse(here, 100)
  assert.deepEqual(told(here), [])
})

test('what can never fit into the journal is given up alone', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = ({ notification }) => (notification.message === 'fine' ? DELIVERED : LATER)
  await here.commits.commit((tx) => {
    for (const body of ['fine', 'x'.repeat(15_000)]) {
      const header: MessageHeader = { type: 'Notification', messageId: `m${body.length}`, topicArn, publishedAt: 0 }
      tx.message(header, body)
    }
  }).done
  here.journal.payloadBytesMax = 10_000
  await elapse(here, 500)
  assert.deepEqual(outcomes(here), ['delivered'])
  await publish(here, 'fine')
  await elapse(here, 500)
  assert.equal(told(here).length, 2)
  assert.equal(here.delivery.deliveries().fresh, 0)
})
