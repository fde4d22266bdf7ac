import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acts,
  elapse,
  letters,
  NEVER,
  outcomes,
  POLICY,
  publish,
  putQueue,
  queueArn,
  REDRIVE,
  seal,
  subscribe,
  told,
  world,
} from '../../../tests/delivery-world.ts'
import { readEntries } from '../../model/entry.ts'
import { formatEnvelope } from '../../model/notification.ts'

test('dead letters: what the endpoint would have got, in the frame that tells of the end', async (t) => {
  const here = await world(t)
  await putQueue(here, { Policy: POLICY, DelaySeconds: '5' })
  await subscribe(here, 'http://a/', REDRIVE)
  await subscribe(here, 'http://raw/', { ...REDRIVE, RawMessageDelivery: 'true' })
  here.outside.answer = () => NEVER
  await publish(here, 'hi', { groupId: 'g' })
  await elapse(here, 1000)
  const [second, first] = letters(here).sort((a, b) => a.body.length - b.body.length)
  assert.equal(first?.body, formatEnvelope(here.outside.to('http://a/')[0]?.notification ?? assert.fail(), undefined))
  assert.equal(second?.body, 'hi')
  assert.deepEqual([first.header.type, first.header.groupId, first.enqueue.queue, first.enqueue.route], ['Queued', 'g', 7, 0])
  assert.equal(first.enqueue.visibleAt - first.enqueue.sentAt, 5000)
  assert.deepEqual(outcomes(here), ['dead-lettered', 'dead-lettered'])
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
    await subscribe(here, 'http://a/', REDRIVE)
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

test('a queue that has to confirm gets its confirmation as a message', async (t) => {
  const here = await world(t)
  await putQueue(here)
  const { subscriptionArn } = await subscribe(here, queueArn, {}, { protocol: 'sqs', route: 1, state: 'pending' })
  await publish(here, '', {
    type: 'SubscriptionConfirmation',
    subscriptionArn,
    sealedToken: seal.seal('secret', `confirmation ${subscriptionArn}`),
  })
  await elapse(here, 100)
  assert.equal((JSON.parse(letters(here)[0]?.body ?? '{}') as { Type?: string }).Type, 'SubscriptionConfirmation')
  assert.equal(told(here)[0]?.outcome, 'delivered')
})
