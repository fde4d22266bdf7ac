import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acts,
  DELIVERED,
  elapse,
  LATER,
  letters,
  NEVER,
  outcomes,
  pending,
  publish,
  putQueue,
  REDRIVE,
  retrying,
  subscribe,
  told,
  world,
  type World,
} from '../../../tests/delivery-world.ts'
import { Table } from '../../model/tables.ts'

const LONG = retrying({ numRetries: 100, minDelayTarget: 30, maxDelayTarget: 30 })

/** An endpoint that fails until it is parked, and one beside it that does not. */
async function parkedWorld(t: Parameters<typeof world>[0], attributes: Record<string, string>, messages = 20): Promise<World> {
  const here = await world(t)
  await putQueue(here)
  await subscribe(here, 'http://dead/', attributes)
  await subscribe(here, 'http://alive/')
  here.outside.answer = ({ endpoint }) => (endpoint === 'http://alive/' ? DELIVERED : LATER)
  for (let at = 0; at < messages; at++) await publish(here, `m${at}`)
  await elapse(here, 500)
  return here
}

const names = (here: World): readonly string[] => acts(here).map(({ eventName }) => eventName)

test('many failures in a row park an endpoint: probes go there, ever more seldom, and nothing else', async (t) => {
  const here = await parkedWorld(t, LONG)
  assert.deepEqual(
    here.delivery.deliveries().parked.map(({ reason, nextProbeAt, since }) => [reason, nextProbeAt - since]),
    [['HTTP 500', 1000]],
  )
  assert.deepEqual(names(here), ['EndpointParked'])
  const before = here.outside.to('http://dead/').length
  assert.ok(before <= 20, `${before} attempts`)
  const probes: number[] = []
  here.outside.answer = ({ endpoint }) => {
    if (endpoint === 'http://dead/') probes.push(here.clock.now())
    return endpoint === 'http://dead/' ? LATER : DELIVERED
  }
  for (let at = 0; at < 100; at++) {
    await publish(here, `later ${at}`)
    await elapse(here, 3000)
  }
  const pauses = probes.slice(1).map((at, index) => Math.round((at - (probes[index] ?? 0)) / 1000))
  assert.deepEqual(pauses.slice(0, 6), [2, 4, 8, 16, 30, 30])
  assert.ok(
    pauses.slice(6).every((pause) => pause === 30),
    pauses.join(),
  )
  assert.equal(here.outside.to('http://alive/').length, 120)
  assert.deepEqual(names(here), ['EndpointParked'])
})

test('failures in a row park an endpoint however long the pauses between its messages are', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://dead/', retrying({ numRetries: 0, minDelayTarget: 1, maxDelayTarget: 1 }))
  here.outside.answer = () => LATER
  for (let at = 0; at < 10; at++) {
    assert.deepEqual(names(here), [], `after ${at}`)
    await publish(here, `m${at}`)
    await elapse(here, 60_000)
  }
  assert.deepEqual(names(here), ['EndpointParked'])
})

test('the first answer frees the endpoint: everything that waits goes out at once, each message once', async (t) => {
  const here = await parkedWorld(t, LONG)
  for (let at = 20; at < 500; at++) await publish(here, `m${at}`)
  await elapse(here, 10_000)
  assert.ok(pending(here).length >= 490)
  assert.ok(pending(here).filter(({ parkedAt }) => parkedAt !== undefined).length > 400)
  const arrived: string[] = []
  here.outside.answer = ({ notification }) => {
    arrived.push(notification.message)
    return DELIVERED
  }
  // The next probe, and whatever failed before the parking is due by its policy.
  await elapse(here, 60_000)
  assert.equal(new Set(arrived).size, 500)
  assert.equal(arrived.length, 500)
  assert.deepEqual([pending(here).length, here.delivery.deliveries().recorded, here.delivery.deliveries().parked], [0, 0, []])
  assert.deepEqual(names(here), ['EndpointParked', 'EndpointResumed'])
  assert.equal(told(here).filter(({ outcome, endpoint }) => outcome === 'delivered' && endpoint === 'http://dead/').length, 500)
})

test('whenever the endpoint comes back, nothing stays behind', async (t) => {
  for (let round = 0; round < 12; round++) {
    const here = await parkedWorld(t, LONG)
    for (let at = 20; at < 150; at++) await publish(here, `m${at}`)
    await elapse(here, 400 + round * 2903)
    here.outside.answer = () => DELIVERED
    for (let at = 150; at < 200; at++) await publish(here, `m${at}`)
    await elapse(here, 100_000)
    const arrived = new Set(
      told(here).flatMap(({ outcome, endpoint, messageId }) => (outcome === 'delivered' && endpoint === 'http://dead/' ? [messageId] : [])),
    )
    assert.deepEqual([arrived.size, pending(here).length], [200, 0], `round ${round}`)
  }
})

test("the policy's clock runs on: what would be spent is a dead letter, though nobody tried it", async (t) => {
  const here = await parkedWorld(t, { ...REDRIVE, ...retrying({ numRetries: 3, minDelayTarget: 10, maxDelayTarget: 10 }) })
  await elapse(here, 2000)
  const publishedAt = here.clock.now()
  for (let at = 0; at < 300; at++) await publish(here, `late ${at}`)
  await elapse(here, 29_000)
  assert.equal(letters(here).filter(({ body }) => body.includes('late')).length, 0)
  await elapse(here, 35_000)
  assert.equal(letters(here).length, 320)
  assert.equal(pending(here).length, 0)
  const ends = told(here).filter(({ outcome }) => outcome === 'dead-lettered')
  assert.equal(new Set(ends.map(({ messageId }) => messageId)).size, 320)
  const untried = ends.filter(({ reason }) => reason === 'not tried, the endpoint was parked: HTTP 500')
  assert.ok(untried.length > 250)
  for (const { attempt, startedAt, durationMs } of untried) {
    assert.deepEqual([attempt, durationMs], [4, 0])
    assert.ok(startedAt >= publishedAt - 35_000 && startedAt < publishedAt + 62_000)
  }
})

test('a subscription that goes while its endpoint is parked leaves nothing behind', async (t) => {
  for (const [attributes, waiting] of [
    [LONG, 120],
    [retrying({ numRetries: 0, minDelayTarget: 1, maxDelayTarget: 1 }), 0],
  ] as const) {
    const here = await parkedWorld(t, attributes)
    if (waiting > 0) for (let at = 20; at < waiting; at++) await publish(here, `m${at}`)
    await elapse(here, 10_000)
    assert.equal(pending(here).length, waiting)
    const [parked] = here.delivery.deliveries().parked
    assert.ok(parked !== undefined)
    await here.commits.commit((tx) => tx.delete(Table.subscriptions, parked.subscriptionArn)).done
    await elapse(here, 100)
    assert.deepEqual(here.delivery.deliveries().parked, [])
    await elapse(here, 31_000)
    assert.deepEqual([pending(here).length, here.delivery.deliveries().recorded], [0, 0])
    assert.equal(outcomes(here).filter((outcome) => outcome === 'dropped').length, waiting)
    assert.deepEqual(names(here), ['EndpointParked'])
  }
})

test('nothing is given up at an endpoint that nobody tried since', async (t) => {
  const here = await parkedWorld(t, { ...REDRIVE, ...retrying({ numRetries: 0, minDelayTarget: 1, maxDelayTarget: 1 }) })
  await elapse(here, 20_000)
  const [parked] = here.delivery.deliveries().parked
  assert.ok(parked !== undefined)
  const letterCount = letters(here).length
  here.outside.answer = () => DELIVERED
  await publish(here, 'after')
  await elapse(here, 31_000)
  assert.equal(letters(here).length, letterCount)
  assert.ok(here.outside.to('http://dead/').some(({ notification }) => notification.message === 'after'))
})

test('a refusal is an answer, one message that keeps failing parks nothing, and the pause that was asked for counts', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/', retrying({ numRetries: 30, minDelayTarget: 1, maxDelayTarget: 1 }))
  here.outside.answer = () => LATER
  await publish(here, 'alone')
  await elapse(here, 20_000)
  assert.ok(told(here).length > 15)
  assert.deepEqual(here.delivery.deliveries().parked, [])
  here.outside.answer = ({ notification }) => (notification.message === '7' ? NEVER : LATER)
  for (let at = 0; at < 14; at++) await publish(here, String(at))
  await elapse(here, 100)
  assert.deepEqual(here.delivery.deliveries().parked, [])
  here.outside.answer = () => ({ kind: 'retry', reason: 'HTTP 429', retryAfterMs: 60_000 })
  for (let at = 20; at < 40; at++) await publish(here, String(at))
  await elapse(here, 1100)
  const [parked] = here.delivery.deliveries().parked
  assert.equal((parked?.nextProbeAt ?? 0) - (parked?.since ?? 0) >= 60_000, true)
})

test('after a crash what was parked is tried anew, and comes once', async (t) => {
  const here = await parkedWorld(t, LONG)
  for (let at = 20; at < 200; at++) await publish(here, `m${at}`)
  await elapse(here, 10_000)
  const again = await world(t, {}, {}, here)
  again.outside.answer = () => LATER
  await elapse(again, 3000)
  assert.equal(again.delivery.deliveries().parked.length, 1, 'parked anew after a few attempts')
  assert.ok(again.outside.to('http://dead/').length < 40)
  const third = await world(t, {}, {}, again)
  third.outside.answer = () => DELIVERED
  await elapse(third, 61_000)
  assert.equal(new Set(third.outside.to('http://dead/').map(({ notification }) => notification.message)).size, 200)
  assert.equal(third.outside.to('http://dead/').length, 200)
  assert.equal(pending(third).length, 0)
})
