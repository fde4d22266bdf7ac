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
  subscribe,
  told,
  type World,
  world,
} from '../../../tests/delivery-world.ts'
import { seededRandom } from '../../base/random.ts'
import type { Attempt } from '../../engine/deliverer.ts'

const fifoTopicArn = 'arn:aws:sns:us-east-1:000000000001:orders.fifo'
const remoteArn = 'arn:aws:sqs:eu-west-1:000000000009:there.fifo'
let sequence = 0

const subscribeQueue = (here: World, endpoint = remoteArn) =>
  subscribe(here, endpoint, {}, { protocol: 'sqs', topicArn: fifoTopicArn, subscriptionArn: `${fifoTopicArn}:${endpoint.slice(-9)}` })

/** As a FIFO topic publishes; the body begins with the group. */
const send = (here: World, body: string) =>
  publish(here, body, { topicArn: fifoTopicArn, groupId: body.slice(0, 1), deduplicationId: body, sequence: ++sequence })

const bodies = (attempts: readonly Attempt[]): string[] => attempts.map(({ notification }) => notification.message)

test('within a group one goes when the one before it is done, other groups do not wait', async (t) => {
  const here = await world(t)
  await subscribeQueue(here)
  for (const body of ['a1', 'a2', 'b1', 'a3', 'b2']) await send(here, body)
  await elapse(here, 20)
  assert.deepEqual(bodies(here.outside.attempts), ['a1', 'b1'])
  here.outside.attempts[1]?.end(DELIVERED)
  await elapse(here, 20)
  here.outside.attempts[0]?.end(NEVER)
  await elapse(here, 20)
  assert.deepEqual(bodies(here.outside.attempts), ['a1', 'b1', 'b2', 'a2'])
  here.outside.answer = () => DELIVERED
  here.outside.attempts[2]?.end(DELIVERED)
  here.outside.attempts[3]?.end(DELIVERED)
  await elapse(here, 20)
  assert.deepEqual(bodies(here.outside.attempts).slice(4), ['a3'])
  assert.deepEqual(outcomes(here).toSorted(), ['delivered', 'delivered', 'delivered', 'delivered', 'refused'])
})

test('a group waits while its first is tried again, also among the records, and goes on after it', async (t) => {
  const here = await world(t, { waitingPerLane: 2 })
  await subscribeQueue(here)
  here.outside.answer = ({ notification }) => (notification.message.startsWith('a') ? LATER : DELIVERED)
  for (const body of ['a1', 'a2', 'a3', 'b1', 'a4']) await send(here, body)
  await elapse(here, 5000)
  assert.deepEqual([...new Set(bodies(here.outside.attempts))], ['a1'])
  assert.equal(pending(here).length, 5)
  here.outside.answer = () => DELIVERED
  await elapse(here, 25_000)
  const done = told(here).filter(({ outcome }) => outcome === 'delivered').length
  assert.deepEqual([done, pending(here).length, here.delivery.deliveries().recorded], [5, 0, 0])
  assert.deepEqual(bodies(here.outside.attempts).slice(-5).toSorted(), ['a1', 'a2', 'a3', 'a4', 'b1'])
  assert.deepEqual(
    bodies(here.outside.attempts)
      .slice(-5)
      .filter((body) => body.startsWith('a')),
    ['a1', 'a2', 'a3', 'a4'],
  )
})

test('whatever fails, whenever it is killed: each group arrives whole and in order', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed)
    const limits = { waitingPerLane: 3 + random.below(8), perLane: 1 + random.below(4), recordAfterMs: 20 + random.below(500) }
    const arrived: string[] = []
    const answerIn = (here: World): void => {
      here.outside.answer = (attempt) => {
        const dice = random.below(10)
        if (dice < 3) return LATER
        arrived.push(attempt.notification.message)
        return DELIVERED
      }
    }
    let here = await world(t, limits)
    answerIn(here)
    await subscribeQueue(here)
    const sent: string[] = []
    for (let at = 0; at < 60; at++) {
      const body = `${'abc'[random.below(3)] ?? ''}${String(at).padStart(3, '0')}`
      sent.push(body)
      await send(here, body)
      if (random.below(4) === 0) await elapse(here, random.below(2000))
      if (random.below(12) === 0) {
        here.outside.answer = () => undefined
        here = await world(t, limits, {}, here)
        answerIn(here)
      }
    }
    await elapse(here, 600_000)
    for (const group of ['a', 'b', 'c']) {
      const firsts = [...new Set(arrived.filter((body) => body.startsWith(group)))]
      assert.deepEqual(
        firsts,
        sent.filter((body) => body.startsWith(group)),
        `seed ${seed}, group ${group}`,
      )
    }
    assert.equal(pending(here).length, 0)
  }
})

test('subscriptions do not wait for each other', async (t) => {
  const here = await world(t)
  await subscribeQueue(here)
  await subscribeQueue(here, remoteArn.replace('there', 'other'))
  here.outside.answer = ({ endpoint }) => (endpoint === remoteArn ? LATER : DELIVERED)
  for (const body of ['a1', 'a2', 'a3']) await send(here, body)
  await elapse(here, 1000)
  assert.deepEqual(bodies(here.outside.to(remoteArn.replace('there', 'other'))), ['a1', 'a2', 'a3'])
  assert.deepEqual([...new Set(bodies(here.outside.to(remoteArn)))], ['a1'])
})
