import assert from 'node:assert/strict'
import test from 'node:test'
import { ACCOUNT, OTHER_ACCOUNT } from '../../../tests/harness.ts'
import { topicsMaySend } from '../../../tests/queue-policy.ts'
import { bodies, createReplayWorld, queueArn, type Received, replayFrom } from '../../../tests/replay-world.ts'
import type { Env } from '../../engine/env.ts'
import { readEntries } from '../../model/entry.ts'
import type { MessageHeader } from '../../model/message.ts'
import { rootPrincipal } from '../../model/principal.ts'
import { Table } from '../../model/tables.ts'

const MINUTE = 60_000

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
