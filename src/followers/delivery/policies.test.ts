import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED, elapse, LATER, publish, putTopic, retrying, subscribe, told, world, type World } from '../../../tests/delivery-world.ts'

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
  const five = { numRetries: 5, minDelayTarget: 5, maxDelayTarget: 5 }
  await putTopic(here, { DeliveryPolicy: JSON.stringify({ http: { defaultHealthyRetryPolicy: five } }) })
  await subscribe(here, 'http://topic/')
  await subscribe(here, 'http://own/', retrying({ numRetries: 1, minDelayTarget: 1, maxDelayTarget: 1 }))
  here.outside.answer = () => LATER
  const counts = (): readonly number[] => ['http://topic/', 'http://own/'].map((endpoint) => here.outside.to(endpoint).length)
  await publish(here, 'x')
  await elapse(here, 40_000)
  assert.deepEqual(counts(), [6, 2])
  await putTopic(here, {
    DeliveryPolicy: JSON.stringify({ http: { defaultHealthyRetryPolicy: five, disableSubscriptionOverrides: true } }),
  })
  await publish(here, 'y')
  await elapse(here, 40_000)
  assert.deepEqual(counts(), [12, 8])
  await publish(here, 'z')
  await elapse(here, 7000)
  await putTopic(here)
  await elapse(here, 100_000)
  // Two attempts of five seconds, then what is left of the default: four in all, and the own policy's only retry is over.
  assert.deepEqual(counts(), [16, 11])
})

test('throttles of a topic and of a subscription', async (t) => {
  const here = await world(t)
  await putTopic(here, { DeliveryPolicy: '{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":2}}}' })
  await subscribe(here, 'http://topic/')
  await subscribe(here, 'http://own/', { DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":10}}' })
  here.outside.answer = () => DELIVERED
  for (let at = 0; at < 40; at++) await publish(here, 'x')
  await elapse(here, 2900)
  assert.equal(here.outside.to('http://topic/').length, 6)
  assert.ok(Math.abs(here.outside.to('http://own/').length - 29) <= 1)
})
