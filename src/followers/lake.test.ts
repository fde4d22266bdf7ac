// The lake's follower: every event and attempt of the journal is in the lake once, found at once by who asks, durable in time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { type TableReader, Tables } from '../engine/tables.ts'
import { EventClass, FrameBuilder } from '../model/entry.ts'
import { Table } from '../model/tables.ts'
import type { Frame, Journal, Position } from '../storage/journal.ts'
import type { Lake, LakeBatch } from '../storage/lake.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import { createLakeFollower } from './lake.ts'

const HEADER_BYTES = 36
const TOPIC = 'arn:aws:sns:us-east-1:000000000001:t'
const QUEUE = 'arn:aws:sqs:us-east-1:000000000001:q'

/** A topic's route 1 into queue number 5. */
const SOURCES = { tables: tablesWithRoute(), random: seededRandom(1) }

function tablesWithRoute(): TableReader {
  const tables = new Tables(memoryRecords())
  const route = { subscriptionArn: `${TOPIC}:s`, topicArn: TOPIC, endpoint: QUEUE, raw: false }
  const queue = { queueArn: QUEUE, number: 5, owner: '000000000001', createdAt: 0, modifiedAt: 0, attributes: {}, tags: {} }
  tables.stage(
    [
      { table: Table.routes, key: '1', value: route },
      { table: Table.queues, key: QUEUE, value: queue },
      { table: Table.topics, key: TOPIC, value: { attributes: { SQSSuccessFeedbackRoleArn: 'arn:aws:iam::000000000001:role/r' } } },
    ],
    0,
  )
  return tables
}

/** Frames of an event, a message and, in every second, an attempt. */
function journalOf(count: number): {
  readonly journal: Journal
  readonly frames: readonly Frame[]
  readonly show: (frames: number) => void
} {
  const builder = new FrameBuilder()
  const frames: Frame[] = []
  let at = 0
  for (let number = 0; number < count; number++) {
    builder.reset()
    builder.message('{}', 'x'.repeat(100))
    builder.event({ class: EventClass.aws, flags: 0, arrivedAt: number, committedAt: number + 1, json: `{"n":${number}}` })
    if (number % 2 === 1) builder.attempt(`{"deliveryId":"${number}"}`)
    const payload = Buffer.from(builder.bytes)
    frames.push({
      position: at,
      end: at + HEADER_BYTES + payload.length,
      payloadPosition: at + HEADER_BYTES,
      entries: builder.entries,
      payload,
    })
    at += HEADER_BYTES + payload.length
  }
  let shown = 0
  const none = (): never => assert.fail('not for a follower')
  const journal: Journal = {
    start: 0,
    get durable() {
      return frames[shown - 1]?.end ?? 0
    },
    tail: at,
    read: async (from) => frames.filter((frame, number) => frame.position >= from && number < shown).slice(0, 3),
    release: () => {},
    append: none,
    readBytes: none,
    onDurable: none,
    onFailure: none,
    trim: none,
    segments: () => [],
    close: none,
  }
  return { journal, frames, show: (number) => (shown = number) }
}

/** Keeps rows as the port says, in a list. */
function listLake(): {
  readonly lake: Lake
  readonly rows: string[]
  readonly flushed: () => number
  readonly expired: unknown[]
  fail: boolean
} {
  const rows: string[] = []
  const expired: unknown[] = []
  let appended: Position = 0
  let checkpoint: Position = 0
  let flushes = 0
  const none = (): never => assert.fail('not for a follower')
  const world = {
    rows,
    expired,
    fail: false,
    flushed: () => flushes,
    lake: {
      get checkpoint() {
        return checkpoint
      },
      get appended() {
        return appended
      },
      async append({ rows: batch, upTo }: LakeBatch) {
        if (world.fail) throw new Error('full')
        for (const { position, kind, json } of batch) if (position >= appended) rows.push(`${kind} ${position} ${json.toString()}`)
        appended = Math.max(appended, upTo)
      },
      async flush() {
        flushes++
        checkpoint = appended
      },
      query: none,
      picture: () => undefined,
      importPaths: none,
      expire: async (limits: unknown) => {
        expired.push(limits)
        return { files: 0, bytes: 0 }
      },
      bytes: () => 0,
      close: none,
    } satisfies Lake,
  }
  return world
}

function expectedRows(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ payload, payloadPosition }, number) => {
    const at = (text: string): number => payloadPosition + payload.indexOf(text)
    const event = `event ${at(`{"n":`) - 28} {"n":${number}}`
    return number % 2 === 1 ? [event, `attempt ${at('{"deliveryId"') - 8} {"deliveryId":"${number}"}`] : [event]
  })
}

test('every event and attempt arrives once with its position, though batches repeat and a reader catches up meanwhile', async () => {
  const { journal, frames, show } = journalOf(10)
  const world = listLake()
  const follower = createLakeFollower({ lake: world.lake, journal, clock: new SimulatedClock(0), log: silentLog, ...SOURCES })
  show(5)
  await follower.handle(frames.slice(0, 2))
  await Promise.all([follower.handle(frames.slice(2, 4)), follower.catchUp(), follower.catchUp()])
  assert.deepEqual(world.rows, expectedRows(frames).slice(0, world.rows.length))
  assert.equal(world.rows.length, 7)
  await follower.handle(frames.slice(2, 5))
  show(10)
  await follower.catchUp()
  await follower.handle(frames.slice(5))
  assert.deepEqual(world.rows, expectedRows(frames))
  assert.equal(follower.checkpoint, 0)
  await follower.stop()
  assert.equal(follower.checkpoint, journal.durable)
})

test('rows become durable after a while, old files go every hour, and a failure is not swallowed', async () => {
  const { journal, frames, show } = journalOf(3)
  const world = listLake()
  const clock = new SimulatedClock(0)
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) }
  const follower = createLakeFollower({
    lake: world.lake,
    journal,
    clock,
    log,
    ...SOURCES,
    retention: { days: 1, deliveriesDays: 2, bytesMax: 7 },
  })
  show(3)
  await follower.handle(frames.slice(0, 1))
  assert.equal(world.flushed(), 0)
  clock.advance(5 * 60_000)
  await Promise.resolve()
  assert.equal(world.flushed(), 1)
  clock.advance(5 * 60_000)
  assert.equal(world.flushed(), 1, 'nothing new, nothing to flush')
  clock.advance(50 * 60_000)
  const hour = 60 * 60_000
  assert.deepEqual(world.expired, [{ beforeMs: hour - 24 * hour, deliveriesBeforeMs: hour - 2 * 24 * hour, bytesMax: 7 }])
  world.fail = true
  await assert.rejects(async () => follower.handle(frames.slice(1)), /full/)
  world.fail = false
  await follower.handle(frames.slice(1))
  assert.deepEqual(world.rows, expectedRows(frames))
  await follower.stop()
})

test('a lake that is ahead of the journal is refused, since its rows would hide what comes next', async () => {
  const { journal, frames, show } = journalOf(2)
  const world = listLake()
  await world.lake.append({ rows: [], upTo: frames[1]?.end ?? 0 })
  await world.lake.flush()
  show(1)
  assert.throws(
    () => createLakeFollower({ lake: world.lake, journal, clock: new SimulatedClock(0), log: silentLog, ...SOURCES }),
    /they are not of one time/,
  )
})

test('an arrival in a subscribed queue is a delivery; one in another queue, as a dead letter, is not told twice', async () => {
  const builder = new FrameBuilder()
  const message = builder.message(JSON.stringify({ type: 'Notification', messageId: 'm1', topicArn: TOPIC, publishedAt: 7 }), 'text')
  const arrival = { group: 0, sequence: 1, visibleAt: 7, sentAt: 7, messageOffset: message.offset, messageLength: message.length }
  builder.enqueue({ ...arrival, queue: 5, route: 1 })
  builder.enqueue({ ...arrival, queue: 6, route: 1 })
  builder.enqueue({ ...arrival, queue: 5, route: 0 })
  const payload = Buffer.from(builder.bytes)
  const { journal } = journalOf(0)
  const world = listLake()
  const follower = createLakeFollower({ lake: world.lake, journal, clock: new SimulatedClock(0), log: silentLog, ...SOURCES })
  await follower.handle([
    { position: 0, payloadPosition: HEADER_BYTES, end: HEADER_BYTES + payload.length, entries: builder.entries, payload },
  ])
  assert.equal(world.rows.length, 1)
  const [, , json = ''] = /^attempt (\d+) (.*)$/.exec(world.rows[0] ?? '') ?? []
  const { deliveryId, ...told } = JSON.parse(json) as Record<string, unknown>
  assert.match(String(deliveryId), /^[0-9a-f-]{36}$/)
  assert.deepEqual(told, {
    messageId: 'm1',
    topicArn: TOPIC,
    subscriptionArn: `${TOPIC}:s`,
    protocol: 'sqs',
    endpoint: QUEUE,
    attempt: 1,
    startedAt: 7,
    durationMs: 0,
    outcome: 'delivered',
    reason: '',
    account: '000000000001',
    region: 'us-east-1',
    logGroup: 'sns/us-east-1/000000000001/t',
    statusLog: JSON.stringify({
      notification: {
        messageMD5Sum: '1cb251ec0d568de6a929b520c4aed8d1',
        messageId: 'm1',
        topicArn: TOPIC,
        timestamp: '1970-01-01 00:00:00.007',
      },
      delivery: { deliveryId, destination: QUEUE, providerResponse: '', dwellTimeMs: 0, statusCode: 200 },
      status: 'SUCCESS',
    }),
  })
})
