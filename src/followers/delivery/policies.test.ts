import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elapse, LATER, publish, subscribe, told, topicArn, world, type World } from '../../../tests/delivery-world.ts'
import { Table } from '../../model/tables.ts'

/** Pauses between the attempts of 70 s are those, in seconds, but for the jitter. */
async function assertPauses(here: World, protocol: string, endpoint: string, expected: readonly number[]): Promise<void> {
  await subscribe(here, endpoint, {}, { protocol })
  here.outside.answer = () => LATER
  await publish(here, 'x')
  await elapse(here, 70_000)
  const starts = told(here).map(({ startedAt }) => startedAt / 1000)
  expected.forEach((pause, at) => {
    const found = (starts[at + 1] ?? Infinity) - (starts[at] ?? 0)
    assert.ok(found >= pause && found <= pause * 1.1 + 0.05, `${protocol}, pause ${at + 1}: ${found}`)
  })
}

test('each protocol has the schedule that AWS documents', async (t) => {
  await assertPauses(await world(t), 'http', 'http://a/', [20, 20, 20])
  await assertPauses(await world(t), 'email', 'a@example.com', [10, 10, 10])
  await assertPauses(await world(t), 'lambda', 'arn:aws:lambda:us-east-1:000000000001:function:f', [0, 0, 0, 1, 1, 1])
})

test("a topic's policy holds for its subscriptions from the next attempt on, and may forbid their own", async (t) => {
  const here = await world(t)
  const topic = (DeliveryPolicy: string | undefined) => ({
    ...{ topicArn, owner: '000000000001', createdAt: 0, tags: {}, subscriptionsDeleted: 0 },
    attributes: { ...(DeliveryPolicy !== undefined && { DeliveryPolicy }) },
  })
  const put = (policy: object | undefined): Promise<void> =>
    here.commits.commit((tx) => tx.put(Table.topics, topicArn, topic(policy && JSON.stringify(policy)))).done
  const five = { numRetries: 5, minDelayTarget: 5, maxDelayTarget: 5 }
  await put({ http: { defaultHealthyRetryPolicy: five } })
  await subscribe(here, 'http://topic/')
  await subscribe(here, 'http://own/', {
    DeliveryPolicy: JSON.stringify({ healthyRetryPolicy: { numRetries: 1, minDelayTarget: 1, maxDelayTarget: 1 } }),
  })
  here.outside.answer = () => LATER
  const counts = (): readonly number[] => ['http://topic/', 'http://own/'].map((endpoint) => here.outside.to(endpoint).length)
  await publish(here, 'x')
  await elapse(here, 40_000)
  assert.deepEqual(counts(), [6, 2])
  await put({ http: { defaultHealthyRetryPolicy: five, disableSubscriptionOverrides: true } })
  await publish(here, 'y')
  await elapse(here, 40_000)
  assert.deepEqual(counts(), [12, 8])
  await publish(here, 'z')
  await elapse(here, 7000)
  await put(undefined)
  await elapse(here, 100_000)
  // Two attempts of five seconds, then what is left of the default: four in all, and the own policy's only retry is over.
  assert.deepEqual(counts(), [16, 11])
})

test('throttles of a topic and of a subscription', async (t) => {
  const here = await world(t)
  const attributes = { DeliveryPolicy: '{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":2}}}' }
  const topic = { topicArn, owner: '000000000001', createdAt: 0, tags: {}, subscriptionsDeleted: 0, attributes }
  await here.commits.commit((tx) => tx.put(Table.topics, topicArn, topic)).done
  await subscribe(here, 'http://topic/')
  await subscribe(here, 'http://own/', { DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":10}}' })
  here.outside.answer = () => ({ kind: 'delivered', status: 200 })
  for (let at = 0; at < 40; at++) await publish(here, 'x')
  await elapse(here, 2900)
  assert.equal(here.outside.to('http://topic/').length, 6)
  assert.ok(Math.abs(here.outside.to('http://own/').length - 29) <= 1)
})
