import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import type { Queue } from '../../model/topic.ts'
import { createWorld, refusal, SECOND, UUID } from '../../../tests/sqs-world.ts'
import { type Call, Wait } from '../../engine/operation.ts'
import { FrameBuilder } from '../../model/entry.ts'
import { md5OfAttributes, md5OfText } from '../../model/md5.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import { messagesToMove } from './redrive.ts'

test('a message received too often moves to the dead-letter queue, whole and once', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead')
  const deadArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`
  const QueueUrl = await world.create('q', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: '2' }),
  })
  const sent = await world.sqs<{ MessageId: string }>('SendMessage', {
    QueueUrl,
    MessageBody: 'poison',
    MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } },
  })
  const sentAt = world.clock.now()
  assert.equal((await world.receive(QueueUrl)).length, 1)
  assert.equal((await world.receive(QueueUrl)).length, 1)
  world.clock.advance(SECOND)
  assert.deepEqual(await world.receive(dead), [])
  assert.deepEqual(await world.receive(QueueUrl), [])
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessages'), '0')
  const moved = await world.receive(dead, { AttributeNames: ['All'], MessageAttributeNames: ['All'] })
  assert.equal(moved.length, 1)
  assert.equal(moved[0]?.MessageId, sent.MessageId)
  assert.equal(moved[0]?.Body, 'poison')
  assert.deepEqual(moved[0]?.MessageAttributes, { a: { DataType: 'String', StringValue: 'b' } })
  assert.equal(moved[0]?.Attributes?.['SentTimestamp'], String(sentAt))
  assert.equal(moved[0]?.Attributes?.['DeadLetterQueueSourceArn'], `arn:aws:sqs:us-east-1:${ACCOUNT}:q`)
  assert.deepEqual(await world.sqs('ListDeadLetterSourceQueues', { QueueUrl: dead }), { queueUrls: [QueueUrl] })
  assert.deepEqual(await world.sqs('ListDeadLetterSourceQueues', { QueueUrl }), { queueUrls: [] })
})

test('the age of a message counts on in a standard dead-letter queue', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead', { MessageRetentionPeriod: '120' })
  const QueueUrl = await world.create('q', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`, maxReceiveCount: 1 }),
  })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'old' })
  await world.receive(QueueUrl)
  world.clock.advance(60 * SECOND)
  await world.sqs('SendMessage', { QueueUrl: dead, MessageBody: 'younger, and there before' })
  await world.receive(QueueUrl)
  const bodies = async () => (await world.receive(dead, { VisibilityTimeout: 0 })).map(({ Body }) => Body).sort()
  assert.deepEqual(await bodies(), ['old', 'younger, and there before'])
  world.clock.advance(60 * SECOND - 1)
  assert.equal((await bodies()).length, 2)
  world.clock.advance(1)
  assert.deepEqual(await bodies(), ['younger, and there before'])
  assert.equal(await world.attribute(dead, 'ApproximateNumberOfMessages'), '1')
  world.clock.advance(60 * SECOND)
  assert.deepEqual(await bodies(), [])
})

test('large messages reach the dead-letter queue as well, a few with each receive', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead')
  const QueueUrl = await world.create('q', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`, maxReceiveCount: 1 }),
  })
  for (let at = 0; at < 7; at++) await world.sqs('SendMessage', { QueueUrl, MessageBody: String(at).repeat(700_000) })
  assert.equal((await world.receive(QueueUrl)).length, 7)
  for (let at = 0; at < 7; at++) assert.deepEqual(await world.receive(QueueUrl), [])
  assert.deepEqual((await world.receive(dead)).map(({ Body }) => Body.slice(0, 1)).sort(), ['0', '1', '2', '3', '4', '5', '6'])
})

test('a dead-letter queue must exist, in the same place, and allow its source', async (t) => {
  const world = await createWorld(t)
  const policy = (arn: string) => ({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1 }) })
  const arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`
  assert.match((await refusal(world.create('q', policy(arn)))).message, /Dead letter target does not exist\.$/)
  assert.match((await refusal(world.create('q', policy(`arn:aws:sqs:eu-west-1:${ACCOUNT}:dead`)))).message, /same region/)
  const dead = await world.create('dead', { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' })
  assert.match((await refusal(world.create('q', policy(arn)))).message, /RedriveAllowPolicy/)
  await world.sqs('SetQueueAttributes', { QueueUrl: dead, Attributes: { RedriveAllowPolicy: '' } })
  const QueueUrl = await world.create('q', { ...policy(arn), VisibilityTimeout: '0' })
  // Where the target is gone, messages stay.
  await world.sqs('DeleteQueue', { QueueUrl: dead })
  await world.sqs('SendMessage', { QueueUrl, MessageBody: 'x' })
  for (let at = 0; at < 3; at++) assert.equal((await world.receive(QueueUrl)).length, 1)
})

test('bodies that have to be read from disk are waited for before anything moves', async () => {
  const builder = new FrameBuilder()
  builder.message(JSON.stringify({ type: 'Queued', messageId: 'm', publishedAt: 1 } satisfies MessageHeader), 'from disk')
  const bytes = Buffer.from(builder.bytes)
  const call = { env: { queues: { body: () => Promise.resolve(bytes) } } } as unknown as Call
  const queue = { queueArn: 'arn:aws:sqs:us-east-1:000000000001:q', number: 1 } as Queue
  const waiting = { sequence: 5, sentAt: 1, route: 0, receives: 3, firstReceivedAt: 2 }
  const wait = messagesToMove(queue, [waiting], call)
  assert.ok(wait instanceof Wait)
  await wait.until
  const moved = messagesToMove(queue, [waiting], call)
  assert.ok(!(moved instanceof Wait))
  assert.deepEqual(
    moved.map(({ body, waiting: { sequence } }) => [sequence, body]),
    [[5, 'from disk']],
  )
})

test('what a topic put into a queue comes in the envelope, or raw with its attributes', async (t) => {
  const world = await createWorld(t)
  const dead = await world.create('dead')
  const QueueUrl = await world.create('q', {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead`, maxReceiveCount: 2 }),
  })
  const topicArn = `arn:aws:sns:us-east-1:${ACCOUNT}:t`
  const header: MessageHeader = {
    type: 'Notification',
    messageId: '11111111-1111-4111-8111-111111111111',
    topicArn,
    publishedAt: world.clock.now(),
    attributes: { kind: { type: 'Binary', value: 'AgME' } },
    structure: 'json',
  }
  await world.env.commits.commit((tx) => {
    tx.put(Table.routes, '1', {
      subscriptionArn: `${topicArn}:enveloped`,
      topicArn,
      endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:q`,
      raw: false,
    })
    tx.put(Table.routes, '2', { subscriptionArn: `${topicArn}:raw`, topicArn, endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:q`, raw: true })
    const number = tx.get(Table.queues, `arn:aws:sqs:us-east-1:${ACCOUNT}:q`)?.number ?? 0
    const message = tx.message(header, '{"default":"everyone","sqs":"queues"}')
    tx.enqueue(number, message, { route: 1 })
    tx.enqueue(number, message, { route: 2 })
  }).done
  const ask = { MessageAttributeNames: ['All'], AttributeNames: ['All'] }
  const [enveloped, raw] = await world.receive(QueueUrl, ask)
  assert.deepEqual(JSON.parse(enveloped?.Body ?? ''), {
    Type: 'Notification',
    Message: '{"default":"everyone","sqs":"queues"}',
    For: `${topicArn}:enveloped`,
  })
  assert.equal(enveloped?.MessageAttributes, undefined)
  assert.equal(enveloped?.MD5OfBody, md5OfText(enveloped?.Body ?? ''))
  assert.equal(raw?.Body, 'queues')
  assert.deepEqual([...(raw?.MessageAttributes?.['kind']?.BinaryValue ?? [])], [2, 3, 4])
  assert.equal(raw?.MD5OfMessageAttributes, md5OfAttributes({ kind: { type: 'Binary', value: 'AgME' } }))
  const ids = [enveloped?.MessageId ?? '', raw?.MessageId ?? '']
  assert.equal(new Set([...ids, header.messageId]).size, 3)
  for (const id of ids) assert.match(id, UUID)
  assert.deepEqual(
    (await world.receive(QueueUrl, ask)).map(({ MessageId }) => MessageId),
    ids,
  )
  // On to the dead-letter queue, where they are still what they were.
  assert.deepEqual(await world.receive(QueueUrl, ask), [])
  const moved = await world.receive(dead, ask)
  assert.deepEqual(
    moved.map(({ MessageId, Body }) => [MessageId, Body]),
    [
      [ids[0], enveloped?.Body],
      [ids[1], 'queues'],
    ],
  )
})

test('a confirmation comes in the envelope whatever the subscription wants', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const topicArn = `arn:aws:sns:us-east-1:${ACCOUNT}:t`
  const header: MessageHeader = { type: 'SubscriptionConfirmation', messageId: 'm', topicArn, publishedAt: world.clock.now() }
  await world.env.commits.commit((tx) => {
    tx.put(Table.routes, '1', { subscriptionArn: `${topicArn}:raw`, topicArn, endpoint: `arn:aws:sqs:us-east-1:${ACCOUNT}:q`, raw: true })
    tx.enqueue(1, tx.message(header, ''), { route: 1 })
  }).done
  const [message] = await world.receive(QueueUrl)
  assert.deepEqual(JSON.parse(message?.Body ?? ''), { Type: 'SubscriptionConfirmation', Message: '', For: `${topicArn}:raw` })
})
