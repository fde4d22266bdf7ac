import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DELIVERED,
  elapse,
  entries,
  LATER,
  pending,
  publish,
  retrying,
  subscribe,
  topicArn,
  world,
  type World,
} from '../../../tests/delivery-world.ts'
import type { Attempt } from '../../engine/deliverer.ts'
import { type PendingDelivery, pendingKey } from '../../model/delivery.ts'
import { Table } from '../../model/tables.ts'
import { SHARED_BODY_CHARS_MIN } from './kept-bodies.ts'

const OFTEN = retrying({ numRetries: 9, minDelayTarget: 1, maxDelayTarget: 1 })
const large = (mark: string): string => mark.padEnd(SHARED_BODY_CHARS_MIN, '.')

function kept({ tables }: World): readonly (readonly [chars: number, uses: number | undefined])[] {
  return tables
    .range(Table.pendingBodies, {})
    .map(({ key, value }) => [value.body.length, tables.get(Table.pendingBodyUses, key)?.uses] as const)
}

function puts({ journal }: World, table: number): number {
  return entries(journal).filter(({ entry }) => entry.kind === 'put' && entry.table === table).length
}

async function failing(here: World, endpoints: number): Promise<void> {
  for (let at = 0; at < endpoints; at++) await subscribe(here, `http://${at}/`, OFTEN)
  here.outside.answer = () => LATER
}

test('a large body is kept once, written once, and goes with the last delivery that waits with it', async (t) => {
  const here = await world(t)
  await failing(here, 5)
  await publish(here, large('a'))
  await publish(here, large('b'))
  await publish(here, large('').slice(1))
  await elapse(here, 5500)
  assert.ok(here.outside.attempts.length > 5 * 3 * 4)
  assert.deepEqual(kept(here), [
    [SHARED_BODY_CHARS_MIN, 5],
    [SHARED_BODY_CHARS_MIN, 5],
  ])
  assert.equal(puts(here, Table.pendingBodies), 2)
  assert.deepEqual([...new Set(pending(here).map(({ body, bodyKey }) => [body.length, bodyKey === undefined].join()))].sort(), [
    '0,false',
    `${SHARED_BODY_CHARS_MIN - 1},true`,
  ])
  here.outside.answer = ({ endpoint }) => (endpoint === 'http://0/' ? LATER : DELIVERED)
  await elapse(here, 2000)
  assert.deepEqual(
    kept(here).map(([, uses]) => uses),
    [1, 1],
  )
  here.outside.answer = () => DELIVERED
  await elapse(here, 2000)
  assert.deepEqual([kept(here), here.tables.range(Table.pendingBodyUses, {}), pending(here)], [[], [], []])
  const texts = here.outside.attempts.map(({ notification }) => notification.message)
  assert.deepEqual(
    [...new Set(texts)].map((text) => text.length),
    [SHARED_BODY_CHARS_MIN, SHARED_BODY_CHARS_MIN, SHARED_BODY_CHARS_MIN - 1],
  )
})

test('killed at any moment, each gets the whole body, and none is left behind', async (t) => {
  for (const killAt of [0, 1, 5, 6, 20, 1005, 1100, 2500]) {
    const here = await world(t)
    await failing(here, 3)
    await publish(here, large('a'))
    await elapse(here, killAt)
    const again = await world(t, {}, {}, here)
    const answer = ({ endpoint }: Attempt) => (endpoint === 'http://1/' ? LATER : DELIVERED)
    again.outside.answer = answer
    await elapse(again, 3500)
    assert.deepEqual(
      kept(again).map(([, uses]) => uses),
      [1],
      `killed after ${killAt} ms`,
    )
    const last = await world(t, {}, {}, again)
    last.outside.answer = () => DELIVERED
    await elapse(last, 60_000)
    assert.deepEqual([kept(last), pending(last)], [[], []], `killed after ${killAt} ms`)
    for (const endpoint of ['http://0/', 'http://1/', 'http://2/'])
      assert.equal([...again.outside.to(endpoint), ...last.outside.to(endpoint)].at(-1)?.notification.message, large('a'))
  }
})

test('a delivery of an older release has its body in its own row, and is moved when it fails again', async (t) => {
  const here = await world(t)
  await failing(here, 1)
  const [subscription] = here.tables.range(Table.subscriptions, {})
  assert.ok(subscription !== undefined)
  const row: PendingDelivery = {
    deliveryId: '0b0c0d0e-0000-8000-8000-000000000001',
    subscriptionArn: subscription.key,
    header: { type: 'Notification', messageId: 'old', topicArn, publishedAt: here.clock.now() },
    body: large('old'),
    attempts: 1,
    dueAt: here.clock.now() + 1000,
  }
  await here.commits.commit((tx) => tx.put(Table.pendingDeliveries, pendingKey(row), row)).done
  const again = await world(t, {}, {}, here)
  again.outside.answer = () => LATER
  await elapse(again, 1500)
  assert.deepEqual(
    [again.outside.attempts.map(({ notification }) => notification.message), kept(again)],
    [[large('old')], [[SHARED_BODY_CHARS_MIN, 1]]],
  )
  again.outside.answer = () => DELIVERED
  await elapse(again, 2000)
  assert.deepEqual([kept(again), pending(again)], [[], []])
})
