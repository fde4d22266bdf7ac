import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { ACCOUNT } from '../../../tests/harness.ts'
import { createWorld, refusal, SECOND, type World } from '../../../tests/sqs-world.ts'
import { memoryFiles } from '../../storage/memory/files.ts'

const FIFO = { FifoQueue: 'true', ContentBasedDeduplication: 'true' }
const MINUTE = 60 * SECOND

async function fifoWorld(t: TestContext, attributes: Record<string, string> = {}, options = {}) {
  const world = await createWorld(t, options)
  const QueueUrl = await world.create('q.fifo', { ...FIFO, ...attributes })
  return { world, ...callsOn(world, QueueUrl) }
}

type Received = Awaited<ReturnType<World['receive']>>[number] | undefined

function callsOn(world: World, QueueUrl: string) {
  return {
    QueueUrl,
    /** `a1 a2 b1`: messages of groups a and b. */
    async send(bodies: string) {
      for (const MessageBody of bodies.split(' '))
        await world.sqs('SendMessage', { QueueUrl, MessageBody, MessageGroupId: MessageBody.slice(0, 1) })
    },
    receive: (more = {}) => world.receive(QueueUrl, more),
    bodies: async (more = {}) => (await world.receive(QueueUrl, more)).map(({ Body }) => Body).join(' '),
    remove: (message: Received) => world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: message?.ReceiptHandle }),
    change: (message: Received, VisibilityTimeout: number) =>
      world.sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
  }
}

const EXPIRED = /for parameter ReceiptHandle is invalid\. Reason: The receipt handle has expired\.$/

test('one group is given as far as asked before the next, and nothing of a group that is in flight', async (t) => {
  const { send, receive, bodies, remove } = await fifoWorld(t)
  await send('a1 b1 a2 b2 a3')
  const [first, second] = await receive({ MaxNumberOfMessages: 2 })
  assert.deepEqual([first?.Body, second?.Body], ['a1', 'a2'])
  assert.equal(await bodies({ MaxNumberOfMessages: 1 }), 'b1')
  assert.equal(await bodies(), '')
  await remove(first)
  assert.equal(await bodies(), '')
  await remove(second)
  assert.equal(await bodies(), 'a3')
})

test('what comes back comes before what is behind it', async (t) => {
  const { world, send, receive, bodies, remove, change } = await fifoWorld(t)
  await send('a1 a2 a3')
  const [first, second] = await receive({ MaxNumberOfMessages: 2, VisibilityTimeout: 10 })
  await change(second, 0)
  assert.equal(await bodies(), '')
  world.clock.advance(10 * SECOND)
  const again = await receive({ MaxNumberOfMessages: 10, VisibilityTimeout: 10 })
  assert.deepEqual(
    again.map(({ Body }) => Body),
    ['a1', 'a2', 'a3'],
  )
  await change(again[0], 0)
  await change(again[1], 0)
  await remove(again[2])
  assert.equal(await bodies(), 'a1 a2')
  assert.match((await refusal(remove(first))).message, EXPIRED)
})

test('only the newest handle deletes, and only while its message is hidden', async (t) => {
  const { world, QueueUrl, send, receive, remove, change } = await fifoWorld(t)
  await send('a1')
  const [first] = await receive({ VisibilityTimeout: 5 })
  world.clock.advance(5 * SECOND)
  const expired = await refusal(remove(first))
  assert.equal(expired.code, 'InvalidParameterValue')
  assert.equal(
    expired.message,
    `Value ${first?.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
  )
  const [second] = await receive()
  assert.match((await refusal(remove(first))).message, EXPIRED)
  assert.equal((await refusal(change(first, 0))).code, 'InvalidParameterValue')
  const batch = await world.sqs<{ Successful: { Id: string }[]; Failed: { Id: string; Message: string }[] }>('DeleteMessageBatch', {
    QueueUrl,
    Entries: [
      { Id: 'old', ReceiptHandle: first?.ReceiptHandle },
      { Id: 'new', ReceiptHandle: second?.ReceiptHandle },
    ],
  })
  assert.deepEqual([batch.Successful.map(({ Id }) => Id), batch.Failed.map(({ Id }) => Id)], [['new'], ['old']])
  assert.match(batch.Failed[0]?.Message ?? '', EXPIRED)
  // What is gone may be deleted again.
  await remove(second)
  await remove(first)
})

test('a repeated attempt gets the same messages by the same handles, hidden anew', async (t) => {
  const { world, send, receive, bodies } = await fifoWorld(t)
  await send('a1 a2 b1')
  const ask = { ReceiveRequestAttemptId: 'attempt', MaxNumberOfMessages: 2, VisibilityTimeout: 10, AttributeNames: ['All'] }
  const first = await receive(ask)
  world.clock.advance(9 * SECOND)
  assert.deepEqual(await receive(ask), first)
  world.clock.advance(9 * SECOND)
  assert.deepEqual(await receive(ask), first)
  assert.equal(await bodies(), 'b1')
  assert.equal(first[0]?.Attributes?.['ApproximateReceiveCount'], '1')
  // Another id is another receive.
  assert.deepEqual(await receive({ ...ask, ReceiveRequestAttemptId: 'other' }), [])
})

test('an attempt holds no longer once a message of it was changed, deleted or came back', async (t) => {
  const { world, send, receive, remove, change } = await fifoWorld(t)
  await send('a1 a2 b1 b2 c1')
  const ask = (ReceiveRequestAttemptId: string) => receive({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2, VisibilityTimeout: 10 })
  const a = await ask('a')
  await remove(a[0])
  const b = await ask('a')
  assert.deepEqual(
    b.map(({ Body }) => Body),
    ['b1', 'b2'],
  )
  await change(b[1], 20)
  const c = await ask('a')
  assert.deepEqual(
    c.map(({ Body }) => Body),
    ['c1'],
  )
  assert.deepEqual(await ask('a'), c)
  world.clock.advance(10 * SECOND)
  const again = await ask('a')
  assert.deepEqual(
    again.map(({ Body }) => Body),
    ['a2', 'c1'],
  )
  assert.ok(again.every(({ ReceiptHandle }) => !c.some((old) => old.ReceiptHandle === ReceiptHandle)))
})

test('an attempt holds for five minutes and over a restart', async (t) => {
  const files = memoryFiles()
  const { world, send, receive } = await fifoWorld(t, {}, { files })
  await send('a1 a2')
  const ask = { ReceiveRequestAttemptId: 'lost-answer', VisibilityTimeout: 1000 }
  const first = await receive(ask)
  const restarted = await createWorld(t, { files, seed: 2, now: world.clock.now() + MINUTE })
  const again = callsOn(restarted, await restarted.create('q.fifo', FIFO))
  assert.deepEqual(await again.receive(ask), first)
  restarted.clock.advance(4 * MINUTE - 1)
  assert.deepEqual(await again.receive(ask), first)
  restarted.clock.advance(1)
  assert.deepEqual(await again.receive(ask), [])
})

test('two calls at once under one attempt id get the same', async (t) => {
  const { send, receive } = await fifoWorld(t)
  await send('a1 b1')
  const ask = { ReceiveRequestAttemptId: 'attempt', MaxNumberOfMessages: 1 }
  const [first, second] = await Promise.all([receive(ask), receive(ask)])
  assert.equal(first?.[0]?.Body, 'a1')
  assert.deepEqual(second, first)
})

test('an attempt id has a form, and is of FIFO queues alone', async (t) => {
  const { world, receive } = await fifoWorld(t)
  await receive({ ReceiveRequestAttemptId: 'a'.repeat(128) })
  for (const text of ['', 'a b', 'a'.repeat(129)])
    assert.equal(
      (await refusal(receive({ ReceiveRequestAttemptId: text }))).message,
      `Value ${text} for parameter ReceiveRequestAttemptId is invalid. ` +
        'Reason: ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    )
  const refused = await refusal(world.receive(await world.create('standard'), { ReceiveRequestAttemptId: 'a' }))
  assert.match(refused.message, /The request include parameter that is not valid for this queue type\.$/)
})

test('a long poll is answered when a group becomes free, by a delete or by time', async (t) => {
  const { world, QueueUrl, send, receive, bodies, remove } = await fifoWorld(t)
  await send('a1 a2')
  const [first] = await receive({ MaxNumberOfMessages: 1 })
  let answered = false
  const polling = bodies({ WaitTimeSeconds: 20, VisibilityTimeout: 5 }).finally(() => (answered = true))
  await world.attribute(QueueUrl, 'All')
  assert.equal(answered, false)
  await remove(first)
  assert.equal(await polling, 'a2')
  const next = bodies({ WaitTimeSeconds: 20 })
  await world.attribute(QueueUrl, 'All')
  world.clock.advance(5 * SECOND)
  assert.equal(await next, 'a2')
})

test('the delay of a FIFO queue is the same for all, so order holds', async (t) => {
  const { world, send, bodies } = await fifoWorld(t, { DelaySeconds: '10' })
  await send('a1')
  world.clock.advance(5 * SECOND)
  await send('a2')
  assert.equal(await bodies(), '')
  world.clock.advance(5 * SECOND)
  assert.equal(await bodies({ VisibilityTimeout: 0 }), 'a1')
  world.clock.advance(5 * SECOND)
  assert.equal(await bodies(), 'a1 a2')
})

test('messages past their retention leave a FIFO queue, and their groups are free', async (t) => {
  const { world, send, bodies } = await fifoWorld(t, { MessageRetentionPeriod: '60' })
  await send('a1 a2')
  world.clock.advance(59 * SECOND)
  await send('a3')
  world.clock.advance(SECOND)
  const received = [await bodies(), await bodies()]
  assert.deepEqual(
    received.filter((text) => text !== ''),
    ['a3'],
  )
})

test('a purge frees the groups, and leaves what ids were seen', async (t) => {
  const { world, QueueUrl, send, receive, bodies } = await fifoWorld(t)
  await send('a1 a2 a3')
  await receive({ MaxNumberOfMessages: 1 })
  await world.sqs('PurgeQueue', { QueueUrl })
  await send('a1 a4')
  assert.equal(await bodies(), 'a4')
})

test('a FIFO dead-letter queue gets messages in order, with their ids, and counts from their arrival', async (t) => {
  const world = await createWorld(t)
  const dead = callsOn(world, await world.create('dead.fifo', FIFO))
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:dead.fifo`
  const source = callsOn(
    world,
    await world.create('q.fifo', {
      ...FIFO,
      VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }),
    }),
  )
  await source.send('a1 a2 a3 b1')
  const first = await source.receive({ MaxNumberOfMessages: 2, AttributeNames: ['All'] })
  world.clock.advance(MINUTE)
  // The two that were received once leave, what is behind them is given.
  assert.deepEqual((await source.bodies()).split(' ').sort(), ['a3', 'b1'])
  assert.equal(await source.bodies(), '')
  const moved = await dead.receive({ AttributeNames: ['All'] })
  assert.deepEqual(
    moved.flatMap(({ Body }) => (Body.startsWith('a') ? [Body] : [])),
    ['a1', 'a2', 'a3'],
  )
  assert.equal(moved.length, 4)
  assert.deepEqual(
    moved.slice(0, 2).map(({ MessageId }) => MessageId),
    first.map(({ MessageId }) => MessageId),
  )
  const attributes = moved[0]?.Attributes ?? {}
  assert.equal(attributes['MessageDeduplicationId'], first[0]?.Attributes?.['MessageDeduplicationId'])
  assert.equal(attributes['MessageGroupId'], 'a')
  assert.equal(attributes['DeadLetterQueueSourceArn'], `arn:aws:sqs:us-east-1:${ACCOUNT}:q.fifo`)
  assert.equal(attributes['SentTimestamp'], String(world.clock.now()))
  assert.match(attributes['SequenceNumber'] ?? '', /^\d{20}$/)
  assert.ok((attributes['SequenceNumber'] ?? '') < (moved[1]?.Attributes?.['SequenceNumber'] ?? ''))
})

test('order and repeats hold over a restart', async (t) => {
  const files = memoryFiles()
  const { world, send, receive } = await fifoWorld(t, { VisibilityTimeout: '60' }, { files })
  await send('a1 a2 a3 b1')
  const [first] = await receive({ MaxNumberOfMessages: 1 })
  const restarted = await createWorld(t, { files, seed: 2, now: world.clock.now() + SECOND })
  const again = callsOn(restarted, await restarted.create('q.fifo', FIFO))
  await again.send('a1 a2 a4')
  assert.equal(await again.bodies(), 'b1')
  await again.remove(first)
  assert.equal(await again.bodies(), 'a2 a3 a4')
})
