import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { ACCOUNT, createHarness, type HarnessOptions, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { refusal, SECOND } from '../../../tests/sqs-world.ts'
import { createDeliveryFollower } from '../../followers/delivery/index.ts'
import { readEntries } from '../../model/entry.ts'
import { createNotification, formatEnvelope } from '../../model/notification.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { memoryFiles } from '../../storage/memory/files.ts'
import { memoryRecords } from '../../storage/memory/records.ts'
import { memoryQueueStore } from '../../storage/queues/memory-store.ts'
import { createSqs } from '../sqs/index.ts'
import { createSns } from './index.ts'

const MINUTE = 60 * SECOND
const FIFO_QUEUE = { FifoQueue: 'true' }
const POLICY = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }],
})

interface Sent {
  readonly MessageId: string
  readonly SequenceNumber: string
}

interface Received {
  readonly MessageId: string
  readonly Body: string
  readonly ReceiptHandle: string
  readonly Attributes: Readonly<Record<string, string>>
  readonly MessageAttributes?: Readonly<Record<string, object>>
}

const queueArn = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`

async function createWorld(t: TestContext, options: HarnessOptions = {}) {
  const harness = await createHarness(
    (env) => ({
      sns: createSns({ tables: env.tables, protocols: { sqs: { validate: () => undefined }, https: { validate: () => undefined } } }),
      sqs: createSqs({
        notifications: (header, body, { subscriptionArn }) =>
          Promise.resolve(
            formatEnvelope(createNotification(header, body, { protocol: 'sqs', subscriptionArn, baseUrl: 'https://test' }), undefined),
          ),
        hasAwsRates: false,
        isSealedAtRest: false,
      }),
    }),
    options,
  )
  t.after(() => harness.close())
  const call = async <T>(service: string, operation: string, input: object): Promise<T> => {
    const output = (await harness.call(service, operation, input)) as T
    await harness.env.commits.settled()
    return output
  }
  const sns = <T = unknown>(operation: string, input: object) => call<T>('sns', operation, input)
  const sqs = <T = unknown>(operation: string, input: object) => call<T>('sqs', operation, input)
  const urlOf = (name: string): string => `https://sealcast.test/${ACCOUNT}/${name}`
  return {
    ...harness,
    sns,
    sqs,
    urlOf,
    topic: async (Attributes: object = {}, Name = 'orders.fifo') =>
      (await sns<{ TopicArn: string }>('CreateTopic', { Name, Attributes: { FifoTopic: 'true', ...Attributes } })).TopicArn,
    queue: async (name: string, Attributes: object = {}) => {
      const kind = name.endsWith('.fifo') ? FIFO_QUEUE : {}
      await sqs('CreateQueue', { QueueName: name, Attributes: { Policy: POLICY, ...kind, ...Attributes } })
      return queueArn(name)
    },
    subscribe: async (TopicArn: string, Endpoint: string, Attributes: object = { RawMessageDelivery: 'true' }) =>
      (await sns<{ SubscriptionArn: string }>('Subscribe', { TopicArn, Protocol: 'sqs', Endpoint, Attributes })).SubscriptionArn,
    publish: (TopicArn: string, Message: string, MessageGroupId: string, MessageDeduplicationId?: string, more: object = {}) =>
      sns<Sent>('Publish', { TopicArn, Message, MessageGroupId, MessageDeduplicationId, ...more }),
    /** All that waits, each message deleted. */
    async taken(name: string): Promise<Received[]> {
      const taken: Received[] = []
      for (;;) {
        const QueueUrl = urlOf(name)
        const wanted = { MaxNumberOfMessages: 10, AttributeNames: ['All'], MessageAttributeNames: ['All'] }
        const { Messages = [] } = await sqs<{ Messages?: Received[] }>('ReceiveMessage', { QueueUrl, ...wanted })
        if (Messages.length === 0) return taken
        taken.push(...Messages)
        for (const { ReceiptHandle } of Messages) await sqs('DeleteMessage', { QueueUrl, ReceiptHandle })
      }
    },
  }
}

const bodies = (messages: readonly Received[]): string => messages.map(({ Body }) => Body).join(' ')

test('what is sent again within five minutes is swallowed by the topic and answered as before, even after it was consumed', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic()
  await world.subscribe(TopicArn, await world.queue('a.fifo'))
  await world.subscribe(TopicArn, await world.queue('plain'))
  const first = await world.publish(TopicArn, 'one', 'g', 'd')
  assert.match(first.SequenceNumber, /^\d{20}$/)
  assert.equal(bodies(await world.taken('a.fifo')), 'one')
  assert.equal(bodies(await world.taken('plain')), 'one')
  world.clock.advance(5 * MINUTE - 1)
  assert.deepEqual(await world.publish(TopicArn, 'another body', 'other', 'd'), first)
  assert.deepEqual([await world.taken('a.fifo'), await world.taken('plain')], [[], []])
  world.clock.advance(1)
  const again = await world.publish(TopicArn, 'two', 'g', 'd')
  assert.ok(again.SequenceNumber > first.SequenceNumber)
  assert.deepEqual([bodies(await world.taken('a.fifo')), bodies(await world.taken('plain'))], ['two', 'two'])
})

test('by content: the id is the hash of the body alone, a given one goes before it, and the queue is told', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic({ ContentBasedDeduplication: 'TRUE' })
  await world.subscribe(TopicArn, await world.queue('a.fifo'))
  const first = await world.publish(TopicArn, 'one', 'g')
  const attributes = { MessageAttributes: { colour: { DataType: 'String', StringValue: 'red' } } }
  assert.deepEqual(await world.publish(TopicArn, 'one', 'g', undefined, attributes), first)
  await world.publish(TopicArn, 'one', 'g', 'given', attributes)
  const [hashed, given] = await world.taken('a.fifo')
  assert.equal(hashed?.Attributes['MessageDeduplicationId'], createHash('sha256').update('one').digest('hex'))
  assert.deepEqual([given?.Attributes['MessageDeduplicationId'], given?.Attributes['MessageGroupId']], ['given', 'g'])
  assert.deepEqual(given?.MessageAttributes, attributes.MessageAttributes)
})

test('an id counts in the topic or in its group; a change of that forgets nothing', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic({ FifoThroughputScope: 'MessageGroup' })
  await world.subscribe(TopicArn, await world.queue('a.fifo'))
  const first = await world.publish(TopicArn, 'a1', 'a', 'd')
  await world.publish(TopicArn, 'b1', 'b', 'd')
  assert.deepEqual(await world.publish(TopicArn, 'a2', 'a', 'd'), first)
  assert.equal(bodies(await world.taken('a.fifo')), 'a1 b1', 'a queue that counts ids as a whole takes what the topic let through')
  await world.sns('SetTopicAttributes', { TopicArn, AttributeName: 'FifoThroughputScope', AttributeValue: 'Topic' })
  assert.deepEqual(await world.publish(TopicArn, 'a3', 'a', 'd'), first)
  const other = await world.publish(TopicArn, 'a4', 'a', 'e')
  assert.deepEqual(await world.publish(TopicArn, 'b4', 'b', 'e'), other)
  assert.equal(bodies(await world.taken('a.fifo')), 'a4')
})

test('a FIFO queue tells what a topic sends from what others sent there', async (t) => {
  const world = await createWorld(t)
  const [orders, more] = [await world.topic(), await world.topic({}, 'more.fifo')]
  const queue = await world.queue('a.fifo')
  for (const topic of [orders, more]) await world.subscribe(topic, queue)
  await world.publish(orders, 'one', 'g', 'd')
  await world.publish(more, 'two', 'g', 'd')
  const QueueUrl = world.urlOf('a.fifo')
  const sent = await world.sqs<Sent>('SendMessage', { QueueUrl, MessageBody: 'three', MessageGroupId: 'g', MessageDeduplicationId: 'd' })
  const taken = await world.taken('a.fifo')
  assert.equal(bodies(taken), 'one')
  assert.deepEqual([sent.MessageId, sent.SequenceNumber], [taken[0]?.MessageId, taken[0]?.Attributes['SequenceNumber']])
})

test('the envelope bears the sequence number of the topic and no signature; a standard queue learns of no group', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic()
  await world.subscribe(TopicArn, await world.queue('a.fifo'), {})
  await world.subscribe(TopicArn, await world.queue('plain'), {})
  const { MessageId, SequenceNumber } = await world.publish(TopicArn, 'one', 'g', 'd', { Subject: 'news' })
  const [ordered] = await world.taken('a.fifo')
  const [plain] = await world.taken('plain')
  for (const message of [ordered, plain]) {
    const envelope = JSON.parse(message?.Body ?? '') as Record<string, string>
    assert.deepEqual(
      [Object.keys(envelope), envelope['MessageId'], envelope['SequenceNumber']],
      [['Type', 'MessageId', 'SequenceNumber', 'TopicArn', 'Subject', 'Message', 'Timestamp', 'UnsubscribeURL'], MessageId, SequenceNumber],
    )
  }
  assert.deepEqual([ordered?.Attributes['MessageGroupId'], ordered?.Attributes['MessageDeduplicationId']], ['g', 'd'])
  for (const name of ['MessageGroupId', 'MessageDeduplicationId', 'SequenceNumber']) assert.equal(plain?.Attributes[name], undefined)
})

test('a batch goes in its order; what repeats within it is swallowed; one entry without group or id refuses all', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic()
  for (const name of ['a.fifo', 'b.fifo']) await world.subscribe(TopicArn, await world.queue(name))
  const batch = (...entries: readonly (readonly [message: string, group?: string, id?: string])[]) =>
    world.sns<{ Successful: (Sent & { Id: string })[]; Failed: object[] }>('PublishBatch', {
      TopicArn,
      PublishBatchRequestEntries: entries.map(([Message, MessageGroupId, MessageDeduplicationId], at) => ({
        Id: `${at}`,
        Message,
        MessageGroupId,
        MessageDeduplicationId,
      })),
    })
  const { Successful, Failed } = await batch(['x1', 'x', '1'], ['y1', 'y', '2'], ['x2', 'x', '3'], ['again', 'x', '1'])
  assert.deepEqual(Failed, [])
  const numbers = Successful.map(({ SequenceNumber }) => SequenceNumber)
  assert.deepEqual([...new Set(numbers)].toSorted(), numbers.slice(0, 3))
  assert.deepEqual([Successful[3]?.MessageId, numbers[3]], [Successful[0]?.MessageId, numbers[0]])
  for (const name of ['a.fifo', 'b.fifo'])
    assert.deepEqual(
      bodies(await world.taken(name))
        .split(' ')
        .filter((body) => body !== 'y1'),
      ['x1', 'x2'],
    )
  const noGroup = await refusal(batch(['x3', 'x', '4'], ['x4', undefined, '5']))
  assert.equal(noGroup.message, 'Invalid parameter: The MessageGroupId parameter is required for FIFO topics')
  const noId = await refusal(batch(['x3', 'x', '4'], ['x4', 'x']))
  assert.match(noId.message, /either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly$/)
  assert.deepEqual(await world.taken('a.fifo'), [], 'nothing of a refused batch was sent')
  assert.equal(bodies((await batch(['x3', 'x', '4']), await world.taken('a.fifo'))), 'x3')
})

test('a queue that refuses holds up nobody: its messages go to its FIFO dead-letter queue, group, id and order kept', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic()
  await world.subscribe(TopicArn, await world.queue('open.fifo'))
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await world.queue('dead.fifo') })
  for (const name of ['closed-1.fifo', 'closed-2.fifo'])
    await world.subscribe(TopicArn, await world.queue(name, { Policy: '' }), { RawMessageDelivery: 'true', RedrivePolicy })
  await world.publish(TopicArn, '1', 'g', 'd1')
  await world.publish(TopicArn, '2', 'g', 'd2')
  await world.publish(TopicArn, '2', 'g', 'd2')
  assert.equal(bodies(await world.taken('open.fifo')), '1 2')
  const letters = await world.taken('dead.fifo')
  assert.equal(bodies(letters), '1 1 2 2', 'one for each subscription')
  assert.deepEqual(
    letters.map(({ Attributes }) => [Attributes['MessageGroupId'], Attributes['MessageDeduplicationId']].join(' ')),
    ['g d1', 'g d1', 'g d2', 'g d2'],
  )
  await world.sqs('SetQueueAttributes', { QueueUrl: world.urlOf('closed-1.fifo'), Attributes: { Policy: POLICY } })
  await world.publish(TopicArn, '3', 'g', 'd3')
  assert.deepEqual([bodies(await world.taken('closed-1.fifo')), bodies(await world.taken('dead.fifo'))], ['3', '3'])
})

test('a filter lets through what it names, in order; a message that passes nothing still counts', async (t) => {
  const world = await createWorld(t)
  const TopicArn = await world.topic()
  await world.subscribe(TopicArn, await world.queue('red.fifo'), { RawMessageDelivery: 'true', FilterPolicy: '{"colour":["red"]}' })
  const publish = (body: string, id: string, colour: string) =>
    world.publish(TopicArn, body, 'g', id, { MessageAttributes: { colour: { DataType: 'String', StringValue: colour } } })
  const blue = await publish('1', 'd1', 'blue')
  await publish('2', 'd2', 'red')
  await publish('3', 'd3', 'blue')
  await publish('4', 'd4', 'red')
  assert.equal(bodies(await world.taken('red.fifo')), '2 4')
  assert.deepEqual(await publish('1', 'd1', 'red'), blue)
  assert.deepEqual(await world.taken('red.fifo'), [])
})

test('ids and sequence numbers go on after a restart, and end with the topic', async (t) => {
  const stores = { files: memoryFiles(), records: memoryRecords(), queueStore: memoryQueueStore() }
  const before = await createWorld(t, stores)
  const TopicArn = await before.topic()
  const first = await before.publish(TopicArn, 'one', 'g', 'd')
  await before.close()
  const world = await createWorld(t, { ...stores, seed: 2, now: before.clock.now() + MINUTE })
  assert.deepEqual(await world.publish(TopicArn, 'one', 'g', 'd'), first)
  assert.ok((await world.publish(TopicArn, 'two', 'g', 'e')).SequenceNumber > first.SequenceNumber)
  await world.sns('DeleteTopic', { TopicArn })
  assert.equal(await world.topic(), TopicArn)
  assert.notEqual((await world.publish(TopicArn, 'one', 'g', 'd')).MessageId, first.MessageId)
})

test('a standard topic hands a group on to standard queues and knows no ids', async (t) => {
  const world = await createWorld(t)
  const { TopicArn } = await world.sns<{ TopicArn: string }>('CreateTopic', { Name: 'plain' })
  await world.subscribe(TopicArn, await world.queue('plain'))
  const sent = await world.publish(TopicArn, 'one', 'tenant')
  assert.equal(sent.SequenceNumber, undefined)
  const [message] = await world.taken('plain')
  assert.equal(message?.Attributes['MessageGroupId'], 'tenant')
  assert.match((await refusal(world.publish(TopicArn, 'one', 'g', 'd'))).message, /not valid for this topic type$/)
})

test('the event of a publish has the number that its caller was told; a repeat brings no second message', async (t) => {
  const world = await createWorld(t, { selected: () => ({ wants: () => true, takes: () => true }) })
  const TopicArn = await world.topic()
  const { MessageId, SequenceNumber } = await world.publish(TopicArn, 'one', 'g', 'd')
  await world.publish(TopicArn, 'one', 'g', 'd')
  const told = (await world.events()).filter(({ record }) => record['eventName'] === 'Publish').map(({ record }) => record)
  assert.deepEqual(
    told.map((record) => record['responseElements']),
    Array.from({ length: 2 }, () => ({ messageId: MessageId, sequenceNumber: SequenceNumber })),
  )
  const frames = await world.env.journal.read(world.env.journal.start, 1 << 24)
  const kinds = frames.flatMap(({ payload }) => [...readEntries(payload)].map(({ entry }) => entry.kind))
  assert.equal(kinds.filter((kind) => kind === 'message').length, 1)
})

test('a FIFO queue of another account is sent its confirmation, in a group of its own, and then what is published', async (t) => {
  const world = await createWorld(t)
  world.follow(
    createDeliveryFollower({
      env: world.env,
      deliverers: {},
      outbound: world.env.outbound,
      envelope: (notification) => Promise.resolve(formatEnvelope(notification, undefined)),
      baseUrl: () => 'https://test',
    }),
  )
  const other = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
  const Attributes = { ...FIFO_QUEUE, Policy: POLICY }
  const { QueueUrl } = await world.call('sqs', 'CreateQueue', { QueueName: 'theirs.fifo', Attributes }, other)
  const TopicArn = await world.topic()
  await world.subscribe(TopicArn, `arn:aws:sqs:us-east-1:${OTHER_ACCOUNT}:theirs.fifo`, {})
  const receive = async () => {
    const output = await world.call('sqs', 'ReceiveMessage', { QueueUrl, AttributeNames: ['All'] }, other)
    return (output as { readonly Messages?: readonly Received[] }).Messages?.[0]
  }
  let confirmation: Received | undefined
  for (let turn = 0; turn < 100 && confirmation === undefined; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    world.clock.advance(5)
    await world.env.commits.settled()
    confirmation = await receive()
  }
  const { Type, Token } = JSON.parse(confirmation?.Body ?? '{}') as Record<string, string>
  assert.equal(Type, 'SubscriptionConfirmation')
  assert.notEqual(confirmation?.Attributes['MessageGroupId'], undefined)
  assert.notEqual(confirmation?.Attributes['MessageDeduplicationId'], undefined)
  await world.sns('ConfirmSubscription', { TopicArn, Token })
  await world.publish(TopicArn, 'one', 'g', 'd')
  const message = await receive()
  assert.deepEqual(
    [(JSON.parse(message?.Body ?? '{}') as { Message?: string }).Message, message?.Attributes['MessageGroupId']],
    ['one', 'g'],
  )
})
