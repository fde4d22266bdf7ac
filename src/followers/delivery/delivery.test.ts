import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acts,
  DELIVERED,
  LATER,
  NEVER,
  POLICY,
  elapse,
  later,
  letters,
  pending,
  publish,
  putQueue,
  queueArn,
  seal,
  subscribe,
  told,
  topicArn,
  world,
} from '../../../tests/delivery-world.ts'
import { SignerBusy } from '../../engine/signer.ts'
import { readEntries } from '../../model/entry.ts'
import { formatEnvelope } from '../../model/notification.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import { deliveryId } from './index.ts'

test('a message goes to each confirmed subscription of its topic, and nowhere else', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  await subscribe(here, 'http://b/')
  await subscribe(here, 'http://pending/', {}, { state: 'pending' })
  await subscribe(here, queueArn, {}, { protocol: 'sqs' })
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

test('many outcomes and the checkpoint share one frame', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => DELIVERED
  await here.commits.commit((tx) => {
    for (let at = 0; at < 200; at++) tx.message({ type: 'Notification', messageId: `m${at}`, topicArn, publishedAt: 0 }, 'x')
  }).done
  const published = here.journal.frames.at(-1)
  await elapse(here, 200)
  assert.equal(told(here).length, 200)
  assert.equal(here.delivery.checkpoint, published?.end)
  const frames = here.journal.frames.filter(({ position }) => position > (published?.position ?? 0))
  assert.ok(frames.length <= 4, `${frames.length} frames`)
  const checkpointed = readEntries(frames.at(-1)?.payload ?? Buffer.alloc(0)).map(({ entry }) =>
    entry.kind === 'put' ? entry.table : entry.kind,
  )
  assert.ok(checkpointed.includes('attempt') && checkpointed.includes(Table.checkpoints))
})

test('idle, it writes nothing', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/')
  here.outside.answer = () => DELIVERED
  await publish(here, 'x')
  await elapse(here, 1000)
  const frames = here.journal.frames.length
  await elapse(here, 600_000)
  assert.equal(here.journal.frames.length, frames)
})

test('frames without deliveries move the checkpoint on as well', async (t) => {
  const here = await world(t)
  for (let at = 0; at < 1001; at++) await publish(here, 'nobody listens')
  await elapse(here, 1000)
  assert.ok(here.delivery.checkpoint > (here.journal.frames[900]?.position ?? Infinity))
})

test('failed attempts come again as the policy says, then end; the count is told', async (t) => {
  const here = await world(t)
  await subscribe(here, 'http://a/', {
    DeliveryPolicy: JSON.stringify({
      healthyRetryPolicy: {
        numRetries: 4,
        numNoDelayRetries: 1,
        numMinDelayRetries: 1,
        numMaxDelayRetries: 1,
        minDelayTarget: 10,
        maxDelayTarget: 100,
      },
    }),
  })
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

test('dead letters: what the endpoint would have got, in the frame that tells of the end', async (t) => {
  const here = await world(t)
  await putQueue(here, { Policy: POLICY, DelaySeconds: '5' })
  const redrive = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) }
  await subscribe(here, 'http://a/', redrive)
  await subscribe(here, 'http://raw/', { ...redrive, RawMessageDelivery: 'true' })
  here.outside.answer = () => NEVER
  await publish(here, 'hi', { groupId: 'g' })
  await elapse(here, 1000)
  const [second, first] = letters(here).sort((a, b) => a.body.length - b.body.length)
  assert.equal(first?.body, formatEnvelope(here.outside.to('http://a/')[0]?.notification ?? assert.fail(), undefined))
  assert.equal(second?.body, 'hi')
  assert.deepEqual([first.header.type, first.header.groupId, first.enqueue.queue, first.enqueue.route], ['Queued', 'g', 7, 0])
  assert.equal(first.enqueue.visibleAt - first.enqueue.sentAt, 5000)
  assert.deepEqual(
    told(here).map(({ outcome }) => outcome),
    ['dead-lettered', 'dead-lettered'],
  )
  const frame = here.journal.frames.find(({ payload }) => readEntries(payload).some(({ entry }) => entry.kind === 'enqueue'))
  assert.ok(frame !== undefined && readEntries(frame.payload).some(({ entry }) => entry.kind === 'attempt'))
})

test('a dead-letter queue that is missing or keeps the topic out is told', async (t) => {
  for (const [attributes, reason] of [
    [undefined, /HTTP 404; no dead letter: AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist/],
    [{}, /HTTP 404; no dead letter: AccessDenied: Access to the resource/],
  ] as const) {
    const here = await world(t)
    if (attributes !== undefined) await putQueue(here, attributes)
    await subscribe(here, 'http://a/', { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) })
    here.outside.answer = () => NEVER
    await publish(here, 'x')
    await elapse(here, 100)
    assert.deepEqual(letters(here), [])
    const [record] = told(here)
    assert.equal(record?.outcome, 'refused')
    assert.match(record.reason, reason)
    assert.equal(acts(here).length, 1)
    for (let at = 0; at < 5; at++) await publish(here, 'y')
    await elapse(here, 60_000)
    await publish(here, 'z')
    await elapse(here, 100)
    // Many losses are two acts.
    assert.deepEqual(
      acts(here).map(({ eventName, serviceEventDetails }) => [eventName, serviceEventDetails['queueArn'], serviceEventDetails['messages']]),
      [
        ['DeadLettersLost', queueArn, 1],
        ['DeadLettersLost', queueArn, 6],
      ],
    )
  }
})

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

test('a subscription that goes between two attempts ends its deliveries', async (t) => {
  const here = await world(t)
  const subscription = await subscribe(here, 'http://a/')
  here.outside.answer = () => LATER
  await publish(here, 'x')
  await elapse(here, 1000)
  await here.commits.commit((tx) => tx.delete(Table.subscriptions, subscription.subscriptionArn)).done
  await elapse(here, 60_000)
  assert.deepEqual(
    told(here).map(({ outcome }) => outcome),
    ['retry', 'dropped'],
  )
  assert.equal(pending(here).length, 0)
})

test('a confirmation goes to its pending subscription with its token, and is no dead letter', async (t) => {
  const here = await world(t)
  await putQueue(here)
  const subscription = await subscribe(
    here,
    'http://new/',
    { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) },
    { state: 'pending' },
  )
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

test('a queue that has to confirm gets its confirmation as a message', async (t) => {
  const here = await world(t)
  await putQueue(here)
  const { subscriptionArn } = await subscribe(here, queueArn, {}, { protocol: 'sqs', state: 'pending' })
  await publish(here, '', {
    type: 'SubscriptionConfirmation',
    subscriptionArn,
    sealedToken: seal.seal('secret', `confirmation ${subscriptionArn}`),
  })
  await elapse(here, 100)
  assert.equal((JSON.parse(letters(here)[0]?.body ?? '{}') as { Type?: string }).Type, 'SubscriptionConfirmation')
  assert.equal(told(here)[0]?.outcome, 'delivered')
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
  assert.deepEqual(
    told(here).map(({ outcome }) => outcome),
    ['retry', 'delivered'],
  )
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

test('delivery ids are UUIDs, one per message and subscription', () => {
  assert.match(deliveryId('m', 's'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(deliveryId('m', 's'), deliveryId('m', 's'))
  assert.notEqual(deliveryId('m', 's'), deliveryId('m', 't'))
})
