import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DELIVERED, elapse, later, pending, publish, subscribe, told, world } from '../../../tests/delivery-world.ts'

test('a dead endpoint delays only itself', async (t) => {
  const here = await world(t, { perLane: 2, waitingPerLane: 4, waiting: 20 })
  await subscribe(here, 'http://dead/')
  await subscribe(here, 'http://alive/')
  here.outside.answer = ({ endpoint }) => (endpoint === 'http://alive/' ? DELIVERED : undefined)
  for (let at = 0; at < 100; at++) await publish(here, `m${at}`)
  await elapse(here, 500)
  assert.equal(here.outside.to('http://dead/').length, 2)
  assert.equal(here.outside.to('http://alive/').length, 100)
  // What waits for the dead one is kept, and the journal is not held back by it.
  await elapse(here, 2000)
  assert.equal(here.delivery.deliveries().fresh, 0)
  assert.equal(pending(here).length, 100)
  assert.ok(here.delivery.checkpoint >= (here.journal.frames[99]?.position ?? Infinity))
  here.outside.answer = () => DELIVERED
  for (const attempt of here.outside.attempts) attempt.end(DELIVERED)
  await elapse(here, 2000)
  assert.deepEqual(new Set(here.outside.to('http://dead/').map(({ notification }) => notification.message)).size, 100)
  assert.equal(here.outside.to('http://dead/').length, 100)
  assert.equal(pending(here).length, 0)
})

test('memory is bounded: the follower pauses while nothing can be recorded, and goes on', async (t) => {
  const here = await world(t, { perLane: 1, waitingPerLane: 100, waiting: 10, recordAfterMs: 5000 })
  await subscribe(here, 'http://slow/')
  for (let at = 0; at < 50; at++) await publish(here, `m${at}`)
  await elapse(here, 1000)
  assert.equal(here.delivery.deliveries().fresh, 10)
  assert.equal(here.follows.states()[0]?.checkpoint, here.delivery.checkpoint)
  here.outside.answer = () => DELIVERED
  here.outside.attempts[0]?.end(DELIVERED)
  await elapse(here, 1000)
  assert.equal(here.outside.attempts.length, 50)
})

test('maxReceivesPerSecond spaces the attempts', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/', { DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":4}}' })
  const at: number[] = []
  here.outside.answer = () => {
    at.push(here.clock.now())
    return DELIVERED
  }
  for (let count = 0; count < 12; count++) await publish(here, 'x')
  await elapse(here, 4000)
  assert.equal(at.length, 12)
  at.slice(1).forEach((time, index) => assert.ok(time - (at[index] ?? 0) >= 249, `${time - (at[index] ?? 0)}`))
})

test('attempts over all subscriptions are bounded, and everyone gets a turn', async (t) => {
  const here = await world(t, { running: 3 })
  for (let at = 0; at < 20; at++) await subscribe(here, `http://${at}/`)
  await publish(here, 'x')
  await elapse(here, 100)
  assert.equal(here.outside.attempts.length, 3)
  for (let ended = 0; ended < 20; ended++) {
    assert.ok(here.delivery.deliveries().running <= 3)
    here.outside.attempts[ended]?.end(DELIVERED)
    await elapse(here, 10)
  }
  assert.equal(new Set(here.outside.attempts.map(({ endpoint }) => endpoint)).size, 20)
  assert.equal(told(here).length, 20)
})

test('a wide topic does not hold up the event loop', async (t) => {
  const here = await world(t)
  for (let at = 0; at < 500; at++) await subscribe(here, `http://${at}/`)
  here.outside.answer = () => DELIVERED
  const inOneTurn: number[] = []
  await publish(here, 'x')
  while (here.outside.attempts.length < 500) {
    const before = here.outside.attempts.length
    here.clock.advance(1)
    await later()
    inOneTurn.push(here.outside.attempts.length - before)
  }
  assert.ok(Math.max(...inOneTurn) <= 64, `${Math.max(...inOneTurn)} attempts in one turn`)
})

test('attempts at one host are bounded, its endpoints take turns, and other hosts go on', async (t) => {
  const here = await world(t, { perHost: 4, perLane: 3 })
  for (let at = 0; at < 5; at++) await subscribe(here, `http://shared/${at}`)
  await subscribe(here, 'http://other/')
  here.outside.answer = ({ endpoint }) => (endpoint === 'http://other/' ? DELIVERED : undefined)
  const shared = () => here.outside.attempts.filter(({ endpoint }) => endpoint.startsWith('http://shared/'))
  for (let at = 0; at < 10; at++) await publish(here, `m${at}`)
  await elapse(here, 100)
  assert.equal(here.outside.to('http://other/').length, 10)
  for (let ended = 0; ended < 50; ended++) {
    assert.equal(shared().length, Math.min(50, ended + 4))
    shared()[ended]?.end(DELIVERED)
    await elapse(here, 5)
    // Whoever had its share stands behind those that wait.
    const counts = [0, 1, 2, 3, 4].map((at) => here.outside.to(`http://shared/${at}`).length)
    if (ended >= 4) assert.ok(Math.max(...counts) - Math.min(...counts) <= 4, counts.join(' '))
  }
  await elapse(here, 100)
  assert.equal(told(here).length, 60)
  assert.equal(here.delivery.deliveries().running, 0)
})
