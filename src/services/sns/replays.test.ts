import assert from 'node:assert/strict'
import test from 'node:test'
import { at, bodies, createReplayWorld, type Received, replayFrom } from '../../../tests/replay-world.ts'
import { Table } from '../../model/tables.ts'

const MINUTE = 60_000
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
