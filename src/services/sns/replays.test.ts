import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { topicsMaySend } from '../../../tests/queue-policy.ts'
import { at, createReplayWorld, queueArn, type Received, replayFrom } from '../../../tests/replay-world.ts'
import type { Env } from '../../engine/env.ts'
import { readEntries } from '../../model/entry.ts'
import type { MessageHeader } from '../../model/message.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'

const MINUTE = 60_000
const bodies = (messages: readonly Received[]): string => messages.map(({ Body }) => Body).join(' ')
const isMarked = ({ MessageAttributes }: Received): boolean => MessageAttributes?.['Replayed']?.StringValue === 'true'

test('a replay brings again what was published from its starting point on, in order, marked, and then what is published', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'))
  await world.publish(TopicArn, 'before')
  await world.settle()
  world.clock.advance(MINUTE)
  const from = world.clock.now()
  const first = await world.publish(TopicArn, 'one', 'x', { MessageAttributes: { kind: { DataType: 'String', StringValue: 'k' } } })
  await world.publish(TopicArn, 'two', 'y')
  const live = await world.taken('a.fifo')
  assert.deepEqual([bodies(live), live.some(isMarked)], ['before one two', false])
  await world.setReplay(arn, replayFrom(from))
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Pending')
  await world.settle()
  const again = await world.taken('a.fifo')
  assert.deepEqual([bodies(again), again.every(isMarked)], ['one two', true])
  assert.equal(again[0]?.MessageAttributes?.['kind']?.StringValue, 'k')
  assert.deepEqual(
    again.map(({ Attributes }) => [Attributes['MessageGroupId'], Attributes['MessageDeduplicationId'], Attributes['SentTimestamp']]),
    live
      .slice(1)
      .map(({ Attributes }) => [Attributes['MessageGroupId'], Attributes['MessageDeduplicationId'], Attributes['SentTimestamp']]),
  )
  assert.notEqual(again[0]?.MessageId, live[1]?.MessageId, 'to the queue it is another message')
  const attributes = await world.subscription(arn)
  assert.deepEqual([attributes['ReplayStatus'], attributes['ReplayPolicy']], ['Completed', replayFrom(from)])
  await world.publish(TopicArn, 'three')
  const after = await world.taken('a.fifo')
  assert.deepEqual([bodies(after), after.some(isMarked)], ['three', false])
  assert.deepEqual(
    (await world.acts('ReplayStarted')).map(({ subscriptionArn, startingPoint }) => [subscriptionArn, startingPoint]),
    [[arn, at(from)]],
  )
  assert.deepEqual(
    (await world.acts('ReplayEnded')).map(({ status, messagesReplayed }) => [status, messagesReplayed]),
    [['Completed', 2]],
  )
  assert.ok(first.SequenceNumber)
})

test('in its envelope a replayed message keeps id, time and sequence number, and says that it is one', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { RawMessageDelivery: 'false' })
  await world.publish(TopicArn, 'one')
  const [live] = await world.taken('a.fifo')
  await world.setReplay(arn, replayFrom(from))
  await world.settle()
  const [again] = await world.taken('a.fifo')
  const [was, is] = [live, again].map((message) => JSON.parse(message?.Body ?? '{}') as Record<string, unknown>)
  assert.deepEqual({ ...was, Replayed: true }, is)
})

test('a new subscription replays from its beginning: to FIFO queues and standard ones, through its filter', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  for (let n = 0; n < 200; n++)
    await world.publish(TopicArn, `m${n}`, `g${n % 7}`, { MessageAttributes: { n: { DataType: 'Number', StringValue: String(n) } } })
  await world.subscribe(TopicArn, await world.queue('all.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.subscribe(TopicArn, await world.queue('plain'), {
    ReplayPolicy: replayFrom(from),
    FilterPolicy: '{"n":[{"numeric":[">=",190]}]}',
  })
  await world.settle(400)
  const all = await world.taken('all.fifo')
  assert.equal(all.length, 200)
  for (const group of ['g0', 'g3'])
    assert.deepEqual(
      all.filter(({ Attributes }) => Attributes['MessageGroupId'] === group).map(({ Body }) => Number(Body.slice(1)) % 7),
      all.filter(({ Attributes }) => Attributes['MessageGroupId'] === group).map(() => Number(group.slice(1))),
    )
  const order = new Map<string, number>()
  for (const { Body, Attributes } of all) {
    const group = Attributes['MessageGroupId'] ?? ''
    assert.ok(Number(Body.slice(1)) > (order.get(group) ?? -1))
    order.set(group, Number(Body.slice(1)))
  }
  assert.deepEqual(
    (await world.taken('plain')).map(({ Body }) => Body).sort(),
    Array.from({ length: 10 }, (_, n) => `m${190 + n}`),
  )
})

test('deduplication of the queue swallows no repeat, and a repeat swallows nothing that is sent', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'))
  await world.publish(TopicArn, 'one')
  assert.equal(bodies(await world.taken('a.fifo')), 'one')
  // Within five minutes of the original.
  await world.setReplay(arn, replayFrom(from))
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'one')
  world.clock.advance(6 * MINUTE)
  await world.setReplay(arn, replayFrom(from))
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'one')
  // Its id is free for whoever uses it anew.
  await world.publish(TopicArn, 'one')
  assert.equal(bodies(await world.taken('a.fifo')), 'one')
})

test('what is published during a replay comes behind the repeats, in order, once, and unmarked', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  const expected: string[] = []
  const publish = async (n: number): Promise<void> => {
    await world.publish(TopicArn, `m${n}`)
    expected.push(`m${n}`)
  }
  for (let n = 0; n < 300; n++) await publish(n)
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  for (let n = 300; n < 400; n++) {
    await publish(n)
    await world.settle(2)
  }
  await world.settle()
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Completed')
  for (let n = 400; n < 410; n++) await publish(n)
  const received = await world.taken('a.fifo')
  assert.deepEqual(
    received.map(({ Body }) => Body),
    expected,
  )
  assert.deepEqual(
    received.map(isMarked),
    expected.map((_, n) => n < 300),
  )
})

test('a replay ends although its topic is never quiet, and nothing is lost or comes twice where it ends', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  for (let n = 0; n < 100; n++) await world.publish(TopicArn, `old-${n}`)
  await world.settle()
  let isOver = false
  let n = 0
  const publishing = Array.from({ length: 6 }, async (_, publisher) => {
    while (!isOver) {
      const Message = `new-${n++}`
      const input = { TopicArn, Message, MessageGroupId: `g${publisher}`, MessageDeduplicationId: Message }
      await world.call('sns', 'Publish', input)
    }
  })
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  const statusOf = (): string | undefined => world.env.tables.get(Table.subscriptions, arn)?.replayStatus
  for (let step = 0; step < 2000 && statusOf() !== 'Completed'; step++) await world.settle(2)
  assert.equal(statusOf(), 'Completed')
  await world.settle(20)
  isOver = true
  await Promise.all(publishing)
  await world.settle()
  const received = await world.taken('a.fifo')
  assert.deepEqual(
    received.map(({ Body }) => Body).sort(),
    [...Array.from({ length: 100 }, (_, at) => `old-${at}`), ...Array.from({ length: n }, (_, at) => `new-${at}`)].sort(),
  )
  const newest = new Map<string, number>()
  for (const { Body, Attributes } of received) {
    const number = Number(Body.split('-')[1]) + (Body.startsWith('new') ? 1000 : 0)
    assert.ok(number > (newest.get(Attributes['MessageGroupId'] ?? '') ?? -1), `${Body} in its order`)
    newest.set(Attributes['MessageGroupId'] ?? '', number)
  }
})

test('a replay with an ending point stops there, and nothing that is published later comes until the policy is taken away', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  world.clock.advance(MINUTE)
  await world.publish(TopicArn, 'two')
  world.clock.advance(MINUTE)
  await world.publish(TopicArn, 'three')
  world.clock.advance(MINUTE)
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from, from + MINUTE) })
  await world.publish(TopicArn, 'four')
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'one two')
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Completed')
  await world.publish(TopicArn, 'five')
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), '')
  await world.setReplay(arn, '{}')
  const attributes = await world.subscription(arn)
  assert.deepEqual([attributes['ReplayStatus'], attributes['ReplayPolicy']], [undefined, undefined])
  await world.publish(TopicArn, 'six')
  assert.equal(bodies(await world.taken('a.fifo')), 'six')
})

test('an ending point in the future: what is published until then comes, and nothing after', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from, from + MINUTE) })
  await world.settle()
  await world.publish(TopicArn, 'two')
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'one two')
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'In progress')
  world.clock.advance(2 * MINUTE)
  await world.publish(TopicArn, 'three')
  await world.settle(2000)
  assert.equal(bodies(await world.taken('a.fifo')), '')
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Completed')
})

test('a replay that is stopped repeats no more, and loses nothing of what was published meanwhile', async (t) => {
  let why: string | undefined
  const world = await createReplayWorld(t, { refusal: () => why })
  const TopicArn = await world.topic()
  const from = world.clock.now()
  for (let n = 0; n < 100; n++) await world.publish(TopicArn, `old${n}`)
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'))
  await world.settle()
  why = 'nothing may be written now'
  await world.setReplay(arn, replayFrom(from))
  await world.publish(TopicArn, 'new1')
  await world.publish(TopicArn, 'new2')
  await world.setReplay(arn, '{}')
  await world.publish(TopicArn, 'new3')
  why = undefined
  await world.settle(3000)
  await world.publish(TopicArn, 'new4')
  assert.equal(bodies(await world.taken('a.fifo')), 'new1 new2 new3 new4')
  assert.equal(world.env.tables.get(Table.replays, arn), undefined)
  assert.deepEqual(
    (await world.acts('ReplayEnded')).map(({ status }) => status),
    ['Stopped'],
  )
})

test('a replay takes the place of one under way, and what that one still owed comes all the same', async (t) => {
  let why: string | undefined = 'not yet'
  const world = await createReplayWorld(t, { refusal: () => why })
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  world.clock.advance(MINUTE)
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.publish(TopicArn, 'two')
  world.clock.advance(MINUTE)
  await world.setReplay(arn, replayFrom(world.clock.now()))
  await world.publish(TopicArn, 'three')
  why = undefined
  await world.settle(2000)
  assert.equal(bodies(await world.taken('a.fifo')), 'two three')
  assert.deepEqual(
    (await world.acts('ReplayEnded')).map(({ status }) => status),
    ['Replaced', 'Completed'],
  )
})

test('a queue that refuses fails a replay; with a dead-letter queue the repeats go there', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  await world.settle()
  const arn = await world.subscribe(TopicArn, queueArn('missing.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.settle()
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Failed')
  const [ended] = await world.acts('ReplayEnded')
  assert.match(String(ended?.['reason']), /NonExistentQueue/)
  // The queue comes to be: what is published arrives, and a replay that is begun again works.
  await world.queue('missing.fifo')
  await world.publish(TopicArn, 'two')
  assert.equal(bodies(await world.taken('missing.fifo')), 'two')
  await world.setReplay(arn, replayFrom(from))
  await world.settle()
  assert.equal(bodies(await world.taken('missing.fifo')), 'one two')
  const deadLetterTargetArn = await world.queue('letters.fifo')
  await world.subscribe(TopicArn, queueArn('gone.fifo'), {
    ReplayPolicy: replayFrom(from),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn }),
  })
  await world.settle()
  assert.equal(bodies(await world.taken('letters.fifo')), 'one two')
})

test('unsubscribing and deleting end a replay; an archive that ends fails it and then goes', async (t) => {
  let why: string | undefined = 'not yet'
  const world = await createReplayWorld(t, { refusal: () => why })
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  await world.settle()
  const gone = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.sns('Unsubscribe', { SubscriptionArn: gone })
  assert.equal(world.env.tables.get(Table.replays, gone), undefined)
  const arn = await world.subscribe(TopicArn, await world.queue('b.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.publish(TopicArn, 'two')
  await assert.rejects(world.sns('DeleteTopic', { TopicArn }), {
    code: 'InvalidState',
    message: 'Invalid state: Cannot delete a topic with an ArchivePolicy',
  })
  await world.sns('SetTopicAttributes', { TopicArn, AttributeName: 'ArchivePolicy', AttributeValue: '{}' })
  assert.deepEqual(
    [(await world.topicAttributes(TopicArn))['ArchivePolicy'], (await world.subscription(arn))['ReplayStatus']],
    [undefined, 'Failed'],
  )
  await world.publish(TopicArn, 'three')
  why = undefined
  await world.settle(3000)
  assert.equal(bodies(await world.taken('b.fifo')), 'two three', 'what it had not got before the replay')
  assert.deepEqual([world.env.tables.range(Table.topicArchives, {}), world.archives.archives()], [[], []])
  await world.publish(TopicArn, 'four')
  assert.equal(bodies(await world.taken('b.fifo')), 'four')
  await world.sns('DeleteTopic', { TopicArn })
})

test('a replay survives the end of the process between any two steps: each repeat comes once', async (t) => {
  const { memoryFiles } = await import('../../storage/memory/files.ts')
  const { memoryRecords } = await import('../../storage/memory/records.ts')
  const { memoryQueueStore } = await import('../../storage/queues/memory-store.ts')
  const kept = { files: memoryFiles(), records: memoryRecords(), queueStore: memoryQueueStore(), archiveFiles: memoryFiles() }
  let world = await createReplayWorld(t, kept)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  const expected = Array.from({ length: 500 }, (_, n) => `m${n}`)
  for (const body of expected) await world.publish(TopicArn, body)
  await world.settle()
  await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  const received: string[] = []
  for (let life = 1; received.length < expected.length && life < 60; life++) {
    await world.settle(6)
    received.push(...(await world.taken('a.fifo')).map(({ Body }) => Body))
    await world.runs.stop()
    await world.close()
    world = await createReplayWorld(t, { ...kept, now: world.clock.now(), seed: 100 + life })
  }
  await world.settle()
  received.push(...(await world.taken('a.fifo')).map(({ Body }) => Body))
  assert.deepEqual(received, expected)
})

test('a replay gives its subscriber what data protection lets it have now, and opens what the topic seals', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic({ ArchivePolicy: '{"MessageRetentionPeriod":30}', KmsMasterKeyId: 'alias/aws/sns' })
  const from = world.clock.now()
  await world.publish(TopicArn, 'card 4111111111111111 x', 'g', { MessageDeduplicationId: '1' })
  await world.publish(TopicArn, 'harmless', 'g', { MessageDeduplicationId: '2' })
  await world.settle()
  const archived = await world.archives.read(1, { sequence: 0, since: 0, always: 0 })
  assert.ok(archived !== undefined && !archived.messages.some(({ bytes }) => bytes.includes('harmless')), 'its body is sealed')
  const policy = (operation: object) =>
    JSON.stringify({
      Name: 'protection',
      Version: '2021-06-01',
      Statement: [
        {
          DataDirection: 'Outbound',
          Principal: ['*'],
          DataIdentifier: ['arn:aws:dataprotection::aws:data-identifier/CreditCardNumber'],
          Operation: operation,
        },
      ],
    })
  const protect = (operation: object) =>
    world.sns('PutDataProtectionPolicy', { ResourceArn: TopicArn, DataProtectionPolicy: policy(operation) })
  await protect({ Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } })
  const arn = await world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(from) })
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'card ################ x harmless')
  await protect({ Deny: {} })
  await world.setReplay(arn, replayFrom(from))
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'harmless')
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Completed')
})

test('a filter that changes holds for what is still to come, and a policy that is created again is the same', async (t) => {
  let why: string | undefined
  const world = await createReplayWorld(t, { refusal: () => why })
  const TopicArn = await world.topic()
  assert.equal(await world.topic(), TopicArn)
  await assert.rejects(
    world.topic({ ArchivePolicy: '{"MessageRetentionPeriod":"31"}' }),
    /Attributes Reason: Topic already exists with different attributes/,
  )
  const from = world.clock.now()
  const attribute = (kind: string) => ({ MessageAttributes: { kind: { DataType: 'String', StringValue: kind } } })
  for (const kind of ['a', 'b', 'a', 'b'])
    await world.publish(TopicArn, `${kind}${world.clock.now()}${Math.random()}`, 'g', attribute(kind))
  await world.settle()
  why = 'not yet'
  const SubscriptionArn = await world.subscribe(TopicArn, await world.queue('a.fifo'), {
    ...{ ReplayPolicy: replayFrom(from), FilterPolicy: '{"kind":["a"]}' },
  })
  await world.sns('SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'FilterPolicy', AttributeValue: '{"kind":["b"]}' })
  await world.sns('SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'false' })
  why = undefined
  await world.settle(2000)
  const received = (await world.taken('a.fifo')).map(({ Body }) => JSON.parse(Body) as { Message: string; Replayed: boolean })
  assert.deepEqual(
    received.map(({ Message, Replayed }) => [Message[0], Replayed]),
    [
      ['b', true],
      ['b', true],
    ],
  )
})

test('a subscription that has to be confirmed is replayed to from its confirmation on', async (t) => {
  const world = await createReplayWorld(t)
  const TopicArn = await world.topic()
  const from = world.clock.now()
  await world.publish(TopicArn, 'one')
  const strange = queueArn('strange.fifo').replace(ACCOUNT, OTHER_ACCOUNT)
  const Attributes = { RawMessageDelivery: 'true', ReplayPolicy: replayFrom(from) }
  const { SubscriptionArn } = await world.sns<{ SubscriptionArn: string }>('Subscribe', {
    ...{ TopicArn, Protocol: 'sqs', Endpoint: strange, Attributes, ReturnSubscriptionArn: true },
  })
  await world.settle()
  assert.equal((await world.subscription(SubscriptionArn))['ReplayStatus'], 'Pending')
  assert.equal(world.env.tables.get(Table.replays, SubscriptionArn), undefined)
  const owner = rootPrincipal(OTHER_ACCOUNT, 'AKIAOTHER')
  const Policy = topicsMaySend('*')
  await world.call('sqs', 'CreateQueue', { QueueName: 'strange.fifo', Attributes: { FifoQueue: 'true', Policy } }, owner)
  await world.sns('ConfirmSubscription', { TopicArn, Token: await confirmationToken(world, SubscriptionArn) })
  await world.settle()
  assert.equal((await world.subscription(SubscriptionArn))['ReplayStatus'], 'Completed')
  const QueueUrl = `https://sealcast.test/${OTHER_ACCOUNT}/strange.fifo`
  const { Messages = [] } = (await world.call('sqs', 'ReceiveMessage', { QueueUrl }, owner)) as unknown as { Messages?: Received[] }
  assert.equal(bodies(Messages), 'one')
})

/** What would go to the endpoint. */
async function confirmationToken({ env }: { readonly env: Env }, subscriptionArn: string): Promise<string> {
  for (const { payload } of await env.journal.read(env.journal.start, 1 << 24))
    for (const { entry } of readEntries(payload)) {
      const header = entry.kind === 'message' ? (JSON.parse(entry.header.toString('utf8')) as MessageHeader) : undefined
      if (header?.subscriptionArn === subscriptionArn && header.sealedToken !== undefined)
        return env.seal.open(header.sealedToken, `confirmation ${subscriptionArn}`)
    }
  throw new Error('no confirmation was sent')
}
