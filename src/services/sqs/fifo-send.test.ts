import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { createWorld, refusal, SECOND, type World } from '../../../tests/sqs-world.ts'
import { md5OfText } from '../../model/md5.ts'
import { memoryFiles } from '../../storage/memory/files.ts'

const FIFO = { FifoQueue: 'true' }
const MINUTE = 60 * SECOND

interface Sent {
  readonly MessageId: string
  readonly SequenceNumber: string
  readonly MD5OfMessageBody: string
}

async function fifoWorld(t: TestContext, attributes: Record<string, string> = {}, options = {}) {
  const world = await createWorld(t, options)
  const QueueUrl = await world.create('q.fifo', { ...FIFO, ...attributes })
  return { world, ...callsOn(world, QueueUrl) }
}

function callsOn(world: World, QueueUrl: string) {
  return {
    QueueUrl,
    send: (MessageBody: string, MessageGroupId: string, MessageDeduplicationId?: string, more = {}) =>
      world.sqs<Sent>('SendMessage', { QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId, ...more }),
    bodies: async (more = {}) => (await world.receive(QueueUrl, more)).map(({ Body }) => Body),
  }
}

test('a message shows its group, its id, and a number of twenty digits that rises', async (t) => {
  const { world, QueueUrl, send } = await fifoWorld(t)
  const first = await send('one', 'g', 'd1')
  const second = await send('two', 'g', 'd2')
  assert.match(first.SequenceNumber, /^\d{20}$/)
  assert.ok(first.SequenceNumber < second.SequenceNumber)
  const [message] = await world.receive(QueueUrl, { AttributeNames: ['All'] })
  const { SequenceNumber, MessageDeduplicationId, MessageGroupId } = message?.Attributes ?? {}
  assert.deepEqual([SequenceNumber, MessageDeduplicationId, MessageGroupId], [first.SequenceNumber, 'd1', 'g'])
})

test('a message needs a group and an id, and its delay is that of the queue', async (t) => {
  const { world, QueueUrl, bodies } = await fifoWorld(t)
  const send = (more: object) => world.sqs<Sent>('SendMessage', { QueueUrl, MessageBody: 'x', ...more })
  const group = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
  const missing = await refusal(send({ MessageDeduplicationId: 'd' }))
  assert.deepEqual([missing.code, missing.message], ['MissingParameter', 'The request must contain the parameter MessageGroupId.'])
  const noId = await refusal(send({ MessageGroupId: 'g' }))
  assert.deepEqual(
    [noId.code, noId.message],
    [
      'InvalidParameterValue',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    ],
  )
  const delayed = await refusal(send({ ...group, DelaySeconds: 2 }))
  assert.equal(
    delayed.message,
    'Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.',
  )
  for (const name of ['MessageGroupId', 'MessageDeduplicationId'])
    for (const text of ['a b', 'ä', 'a'.repeat(129), 'a\n']) {
      const refused = await refusal(send({ ...group, [name]: text }))
      assert.equal(
        refused.message,
        `Value ${text} for parameter ${name} is invalid. ` +
          `Reason: ${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
      )
    }
  assert.deepEqual(await bodies(), [])
  await send({
    MessageGroupId: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'.padEnd(128, 'g'),
    MessageDeduplicationId: 'd'.repeat(128),
    DelaySeconds: 0,
  })
  assert.deepEqual(await bodies(), ['x'])
})

test('a repeat within five minutes is answered as the first send was, and arrives nowhere', async (t) => {
  const { world, QueueUrl, send, bodies } = await fifoWorld(t)
  const first = await send('one', 'g', 'd')
  world.clock.advance(MINUTE)
  const repeat = await send('another text', 'other', 'd')
  assert.deepEqual([repeat.MessageId, repeat.SequenceNumber], [first.MessageId, first.SequenceNumber])
  assert.equal(repeat.MD5OfMessageBody, md5OfText('another text'))
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessages'), '1')
  // Also when the first was received and deleted already; a repeat prolongs nothing.
  const [message] = await world.receive(QueueUrl)
  await world.sqs('DeleteMessage', { QueueUrl, ReceiptHandle: message?.ReceiptHandle })
  world.clock.advance(4 * MINUTE - 1)
  assert.equal((await send('one', 'g', 'd')).MessageId, first.MessageId)
  assert.deepEqual(await bodies(), [])
  world.clock.advance(1)
  assert.notEqual((await send('one', 'g', 'd')).MessageId, first.MessageId)
  assert.deepEqual(await bodies(), ['one'])
})

test('a repeat is known after a restart, and is not after the queue was created anew', async (t) => {
  const files = memoryFiles()
  const { world, send } = await fifoWorld(t, {}, { files })
  const first = await send('one', 'g', 'd')
  const restarted = await createWorld(t, { files, seed: 2, now: world.clock.now() + MINUTE })
  const QueueUrl = await restarted.create('q.fifo', FIFO)
  const again = callsOn(restarted, QueueUrl)
  const repeat = await again.send('one', 'g', 'd')
  assert.deepEqual([repeat.MessageId, repeat.SequenceNumber], [first.MessageId, first.SequenceNumber])
  assert.ok((await again.send('two', 'g', 'd2')).SequenceNumber > first.SequenceNumber)
  assert.deepEqual(await again.bodies(), ['one', 'two'])
  await restarted.sqs('DeleteQueue', { QueueUrl })
  await restarted.create('q.fifo', FIFO)
  assert.notEqual((await again.send('one', 'g', 'd')).MessageId, first.MessageId)
})

test('without an id the body is the id, and its attributes are not', async (t) => {
  const { world, QueueUrl, send } = await fifoWorld(t, { ContentBasedDeduplication: 'true' })
  const first = await send('body', 'g')
  const MessageAttributes = { a: { DataType: 'String', StringValue: 'b' } }
  assert.equal((await send('body', 'g', undefined, { MessageAttributes })).MessageId, first.MessageId)
  const own = await send('body', 'g', 'own-id')
  assert.notEqual(own.MessageId, first.MessageId)
  const hash = createHash('sha256').update('body').digest('hex')
  assert.equal((await send('anything', 'g', hash)).MessageId, first.MessageId)
  const messages = await world.receive(QueueUrl, { AttributeNames: ['MessageDeduplicationId'] })
  assert.deepEqual(
    messages.map(({ Attributes }) => Attributes?.['MessageDeduplicationId']),
    [hash, 'own-id'],
  )
})

test('an id counts in the queue or in its group, also while the scope is changed', async (t) => {
  const { world, QueueUrl, send } = await fifoWorld(t, { DeduplicationScope: 'messageGroup' })
  const scope = (DeduplicationScope: string) => world.sqs('SetQueueAttributes', { QueueUrl, Attributes: { DeduplicationScope } })
  const a = await send('x', 'a', 'd')
  const b = await send('x', 'b', 'd')
  assert.notEqual(a.MessageId, b.MessageId)
  assert.equal((await send('x', 'a', 'd')).MessageId, a.MessageId)
  await scope('queue')
  assert.equal((await send('x', 'a', 'd')).MessageId, a.MessageId)
  const c = await send('x', 'c', 'd')
  assert.equal((await send('x', 'd', 'd')).MessageId, c.MessageId)
  await scope('messageGroup')
  assert.equal((await send('x', 'c', 'd')).MessageId, c.MessageId)
  assert.notEqual((await send('x', 'e', 'd')).MessageId, c.MessageId)
})

test('a repeat is answered only when the first send is committed', async (t) => {
  const { world, QueueUrl } = await fifoWorld(t)
  const order: string[] = []
  const send = (name: string) =>
    world
      .call('sqs', 'SendMessage', { QueueUrl, MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd' })
      .finally(() => order.push(name))
  const [first, repeat] = await Promise.all([send('first'), send('repeat')])
  assert.deepEqual(order, ['first', 'repeat'])
  assert.equal(first['MessageId'], repeat['MessageId'])
  assert.equal(await world.attribute(QueueUrl, 'ApproximateNumberOfMessages'), '1')
})

test('a batch keeps its order, and drops repeats within itself', async (t) => {
  const { world, QueueUrl, bodies } = await fifoWorld(t)
  const entry = (Id: string, MessageBody: string, id: string, more = {}) => ({
    Id,
    MessageBody,
    MessageGroupId: 'g',
    MessageDeduplicationId: id,
    ...more,
  })
  const { Successful = [], Failed = [] } = await world.sqs<{
    Successful?: (Sent & { Id: string })[]
    Failed?: { Id: string; Code: string }[]
  }>('SendMessageBatch', {
    QueueUrl,
    Entries: [entry('1', 'one', 'd1'), entry('2', 'late', 'd2', { DelaySeconds: 1 }), entry('3', 'two', 'd3'), entry('4', 'x', 'd1')],
  })
  const [one, two, repeat] = Successful
  assert.deepEqual(
    [one?.Id, two?.Id, repeat?.Id, repeat?.MessageId, repeat?.SequenceNumber],
    ['1', '3', '4', one?.MessageId, one?.SequenceNumber],
  )
  assert.ok((one?.SequenceNumber ?? '') < (two?.SequenceNumber ?? ''))
  assert.deepEqual(
    Failed.map(({ Id, Code }) => [Id, Code]),
    [['2', 'InvalidParameterValue']],
  )
  assert.deepEqual(await bodies(), ['one', 'two'])
})

test('a batch with an entry that has no group or no id is refused as a whole', async (t) => {
  const { world, QueueUrl, bodies } = await fifoWorld(t)
  const whole = { Id: '1', MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd' }
  for (const [entry, message] of [
    [{ Id: '2', MessageBody: 'x', MessageDeduplicationId: 'e' }, /must contain the parameter MessageGroupId\.$/],
    [{ Id: '2', MessageBody: 'x', MessageGroupId: 'g' }, /ContentBasedDeduplication enabled or MessageDeduplicationId/],
  ] as const) {
    const refused = await refusal(world.sqs('SendMessageBatch', { QueueUrl, Entries: [whole, entry] }))
    assert.equal(refused.code, 'InvalidParameterValue')
    assert.match(refused.message, message)
  }
  assert.deepEqual(await bodies(), [])
})

test('a standard queue takes a group and shows it, and knows no ids', async (t) => {
  const world = await createWorld(t)
  const QueueUrl = await world.create('q')
  const send = (more: object) => world.sqs<Partial<Sent>>('SendMessage', { QueueUrl, MessageBody: 'x', ...more })
  const sent = await send({ MessageGroupId: 'tenant' })
  assert.equal(sent.SequenceNumber, undefined)
  assert.equal((await refusal(send({ MessageDeduplicationId: 'd' }))).code, 'InvalidParameterValue')
  const [message] = await world.receive(QueueUrl, { AttributeNames: ['All'] })
  assert.equal(message?.Attributes?.['MessageGroupId'], 'tenant')
  assert.equal(message?.Attributes?.['SequenceNumber'], undefined)
})
