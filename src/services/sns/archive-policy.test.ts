import assert from 'node:assert/strict'
import test from 'node:test'
import { at, createReplayWorld, queueArn, replayFrom } from '../../../tests/replay-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const bodies = (messages: readonly { readonly Body: string }[]): string => messages.map(({ Body }) => Body).join(' ')

test('messages are kept for as long as the policy says, and the beginning moves with them', async (t) => {
  const world = await createReplayWorld(t, { fileBytes: 1000 })
  const TopicArn = await world.topic({ ArchivePolicy: '{"MessageRetentionPeriod":2}' })
  const since = world.clock.now()
  assert.equal((await world.topicAttributes(TopicArn))['BeginningArchiveTime'], at(since))
  await world.publish(TopicArn, 'first-day')
  await world.settle(1200)
  // Once an hour it is looked at what is old, so that the next day begins a file of its own.
  for (const hours of [22, 2]) {
    world.clock.advance(hours * HOUR)
    await world.settle(1200)
  }
  await world.publish(TopicArn, 'second-day')
  await world.settle(1200)
  assert.equal((await world.topicAttributes(TopicArn))['BeginningArchiveTime'], at(since))
  world.clock.advance(1.5 * DAY)
  await world.settle(1200)
  const beginning = world.clock.now() - 2 * DAY
  const shown = Date.parse((await world.topicAttributes(TopicArn))['BeginningArchiveTime'] ?? '')
  assert.equal(shown, beginning)
  world.clock.advance(HOUR)
  await world.settle(1200)
  const trimmed = await world.acts('TopicArchiveTrimmed')
  assert.deepEqual(
    trimmed.map(({ topicArn, messages }) => [topicArn, messages]),
    [[TopicArn, 1]],
  )
  await assert.rejects(
    world.subscribe(TopicArn, await world.queue('a.fifo'), { ReplayPolicy: replayFrom(since) }),
    /StartingPoint must not lie before the BeginningArchiveTime of the topic, 2026-/,
  )
  await world.subscribe(TopicArn, queueArn('a.fifo'), { ReplayPolicy: replayFrom(world.clock.now() - 2 * DAY) })
  await world.settle()
  assert.equal(bodies(await world.taken('a.fifo')), 'second-day')
  // A topic that fell silent keeps nothing, and a replay of nothing is complete.
  world.clock.advance(4 * DAY)
  await world.settle(1200)
  world.clock.advance(HOUR)
  await world.settle(1200)
  assert.equal(world.archives.bytes(), 0)
  const arn = await world.subscribe(TopicArn, await world.queue('b.fifo'), { ReplayPolicy: replayFrom(world.clock.now() - DAY) })
  await world.settle()
  assert.equal((await world.subscription(arn))['ReplayStatus'], 'Completed')
})

test('what no policy can be is refused by name', async (t) => {
  const world = await createReplayWorld(t)
  const plain = (await world.sns<{ TopicArn: string }>('CreateTopic', { Name: 'plain' })).TopicArn
  const open = await world.topic({}, 'open.fifo')
  const TopicArn = await world.topic()
  const set = (TopicArn: string, AttributeValue: string) =>
    world.sns('SetTopicAttributes', { TopicArn, AttributeName: 'ArchivePolicy', AttributeValue })
  const invalid = (text: string) => ({ code: 'InvalidParameter', message: `Invalid parameter: ${text}` })
  await assert.rejects(set(plain, '{"MessageRetentionPeriod":"30"}'), invalid('ArchivePolicy: can only be set for FIFO topics'))
  const days = 'ArchivePolicy: MessageRetentionPeriod must be a whole number of days from 1 to 365'
  for (const value of ['0', '366', '1.5', '"0"', '"366"', '"a"', 'null', '[]', '-1'])
    await assert.rejects(set(open, `{"MessageRetentionPeriod":${value}}`), invalid(days), value)
  for (const value of ['1', '365', '"1"', '"365"']) await set(open, `{"MessageRetentionPeriod":${value}}`)
  assert.equal((await world.topicAttributes(open))['ArchivePolicy'], '{"MessageRetentionPeriod":"365"}')
  await set(open, '{}')
  const ended = await world.topicAttributes(open)
  assert.deepEqual([ended['ArchivePolicy'], ended['BeginningArchiveTime']], [undefined, undefined])
  for (const value of ['', 'null', '"a"', '[]', '{"Days":3}', '{']) await assert.rejects(set(open, value), /ArchivePolicy: /, value)

  const Endpoint = await world.queue('a.fifo')
  const subscribe = (ReplayPolicy: string, topicArn = TopicArn) => world.subscribe(topicArn, Endpoint, { ReplayPolicy })
  const now = world.clock.now()
  const refused = (text: string) => invalid(`Attributes Reason: ReplayPolicy: ${text}`)
  await assert.rejects(
    subscribe(replayFrom(now), open),
    refused('the topic has no archive to replay from; its owner has to set an ArchivePolicy first'),
  )
  await assert.rejects(subscribe(replayFrom(now + 1)), refused('StartingPoint must not lie in the future'))
  await assert.rejects(subscribe(replayFrom(now, now - 1)), refused('EndingPoint must not lie before StartingPoint'))
  await assert.rejects(
    subscribe(replayFrom(now - 2 * MINUTE)),
    refused(`StartingPoint must not lie before the BeginningArchiveTime of the topic, ${at(now)}`),
  )
  await assert.rejects(subscribe(`{"StartingPoint":"${at(now)}"}`), refused('PointType must be Timestamp'))
  await assert.rejects(
    subscribe('{"PointType":"Timestamp"}'),
    refused('StartingPoint must be a time in ISO 8601, such as 2026-01-31T00:00:00.000Z'),
  )
  await assert.rejects(subscribe('{"PointType":"Timestamp","StartingPoint":"yesterday"}'), /StartingPoint must be a time/)
  await assert.rejects(
    subscribe('{"PointType":"Timestamp","Start":1}'),
    refused('unknown member Start; the policy has PointType, StartingPoint, EndingPoint, or is {}'),
  )
  await assert.rejects(subscribe('{'), /ReplayPolicy: failed to parse JSON/)
  await assert.rejects(
    world.subscribe(plain, await world.queue('b'), { ReplayPolicy: replayFrom(now) }),
    refused('can only be set for subscriptions to FIFO topics'),
  )
  const arn = await subscribe(replayFrom(now))
  assert.equal(await subscribe(replayFrom(now)), arn, 'the same again is the same subscription')
  await assert.rejects(world.setReplay(arn, '{"PointType":"Offset"}'), invalid('ReplayPolicy: PointType must be Timestamp'))
})
