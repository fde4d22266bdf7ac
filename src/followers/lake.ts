// Brings the record to SQL: every event and every attempt at a delivery goes from the journal into the lake. It reads seldom and much at a
// time, so that it costs a publish next to nothing; who asks a question first lets it catch up with what is durable.
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Follower } from '../engine/follow.ts'
import type { Random } from '../base/random.ts'
import type { TableReader } from '../engine/tables.ts'
import { statusLogOf } from '../model/delivery-status.ts'
import { type AttemptFields, attemptRecord } from '../model/delivery.ts'
import { type EnqueueEntry, EntryKind, readEntries, readEntryAt } from '../model/entry.ts'
import type { MessageHeader } from '../model/message.ts'
import { selectText } from '../model/notification.ts'
import { Table } from '../model/tables.ts'
import type { Route } from '../model/topic.ts'
import type { Frame, Journal, Position } from '../storage/journal.ts'
import type { Lake, LakeRow } from '../storage/lake.ts'

export interface LakeFollowerOptions {
  readonly lake: Lake
  /** Tell which subscription a message came into an own queue by. */
  readonly tables: TableReader
  readonly random: Random
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  readonly retention?: {
    /** Whole files older than this go; 90 days when absent. */
    readonly days?: number
    /** The same for deliveries; 7 days when absent. */
    readonly deliveriesDays?: number
    /** The oldest files go beyond this many bytes. */
    readonly bytesMax?: number
  }
}

export interface LakeFollower extends Follower {
  /** Resolves when everything that was durable at the call is visible to queries. */
  catchUp(): Promise<void>
}

/** Between two readings. A query does not wait for it. */
const PAUSE_MS = 250
const BATCH_BYTES_MAX = 8 * 1024 * 1024
/** Some two milliseconds' worth. */
const ROWS_AT_ONCE = 512
/** Rows become durable in the lake at the latest after so many bytes of journal, and so long: the journal need not be kept for them. */
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024
const FLUSH_MS = 5 * 60_000
const EXPIRE_MS = 60 * 60_000
const DAY_MS = 24 * 60 * 60_000
const RETENTION_DAYS = 90
const DELIVERIES_RETENTION_DAYS = 7

const KINDS: ReadonlySet<number> = new Set([EntryKind.event, EntryKind.attempt, EntryKind.enqueue])

export function createLakeFollower(options: LakeFollowerOptions): LakeFollower {
  const { lake, journal, clock, log, retention = {} } = options
  if (lake.checkpoint > journal.durable) {
    throw new Error(
      `the lake ends at ${lake.checkpoint}, behind the journal's end at ${journal.durable}: they are not of one time. ` +
        "Restore both from one backup, or move the lake's folder away; it then starts anew.",
    )
  }
  let unflushedBytes = 0
  let flushTimer: Timer | undefined
  let expireTimer: Timer | undefined
  let stopped = false

  const flush = async (): Promise<void> => {
    unflushedBytes = 0
    flushTimer?.cancel()
    flushTimer = undefined
    await lake.flush()
  }
  const take = async (frames: readonly Frame[]): Promise<void> => {
    const last = frames.at(-1)
    if (last === undefined || last.end <= lake.appended) return
    for (const { payload } of frames) unflushedBytes += payload.length
    let rows: LakeRow[] = []
    for (const frame of frames) {
      if (frame.end > lake.appended) addRows(rows, frame, options)
      if (rows.length < ROWS_AT_ONCE || frame === last) continue
      await lake.append({ rows, upTo: frame.end })
      rows = []
      await new Promise((resolve) => setImmediate(resolve))
    }
    await lake.append({ rows, upTo: last.end })
    if (unflushedBytes >= JOURNAL_BYTES_MAX) return flush()
    flushTimer ??= clock.after(FLUSH_MS, () => {
      flush().catch((error: unknown) => log.warn('the lake could not be flushed; it is tried again', { error: String(error) }))
    })
  }
  const expire = (): void => {
    const beforeMs = clock.now() - (retention.days ?? RETENTION_DAYS) * DAY_MS
    const deliveriesBeforeMs = clock.now() - (retention.deliveriesDays ?? DELIVERIES_RETENTION_DAYS) * DAY_MS
    lake
      .expire({ beforeMs, deliveriesBeforeMs, bytesMax: retention.bytesMax })
      .then(({ files, bytes }) => files > 0 && log.info('old files left the lake', { files, bytes }))
      .catch((error: unknown) => log.warn('the lake could not let go of old files; it is tried again', { error: String(error) }))
      .finally(() => !stopped && (expireTimer = clock.after(EXPIRE_MS, expire)))
  }
  expireTimer = clock.after(EXPIRE_MS, expire)

  return {
    name: 'lake',
    pauseMs: PAUSE_MS,
    batchBytesMax: BATCH_BYTES_MAX,
    get checkpoint(): Position {
      return lake.checkpoint
    },
    handle: take,
    async catchUp() {
      const until = journal.durable
      while (lake.appended < until) {
        const frames = await journal.read(Math.max(lake.appended, journal.start), BATCH_BYTES_MAX)
        if (frames.length === 0) return
        await take(frames)
        journal.release(frames)
      }
    },
    async stop() {
      stopped = true
      expireTimer?.cancel()
      await flush()
    },
  }
}

function addRows(rows: LakeRow[], { payload, payloadPosition }: Frame, sources: Pick<LakeFollowerOptions, 'tables' | 'random'>): void {
  const messageAt = messagesOf(payload)
  for (const { offset, entry } of readEntries(payload, KINDS)) {
    const position = payloadPosition + offset
    if (entry.kind === 'attempt') rows.push({ kind: 'attempt', position, json: entry.json })
    else if (entry.kind === 'event') {
      const { arrivedAt, committedAt, json } = entry
      rows.push({ kind: 'event', position, class: entry.class, arrivedAt, committedAt, json })
    } else if (entry.kind === 'enqueue' && entry.route > 0) {
      const json = arrivalOf(entry, messageAt, sources)
      if (json !== undefined) rows.push({ kind: 'attempt', position, json })
    }
  }
}

type MessageHead = Pick<MessageHeader, 'messageId' | 'publishedAt' | 'structure'> & {
  /** Undefined where it lies sealed. */
  readonly body: Buffer | undefined
}

/** Reads the messages of a frame by their offset; the one read last is at hand for the next queue that it came into. */
function messagesOf(payload: Buffer): (offset: number) => MessageHead | undefined {
  let at = -1
  let last: MessageHead | undefined
  return (offset) => {
    if (offset === at) return last
    at = offset
    const message = readEntryAt(payload.subarray(offset))
    if (message.kind !== 'message') return (last = undefined)
    const header = JSON.parse(message.header.toString('utf8')) as MessageHeader & { readonly sealedBy?: string }
    const { messageId, publishedAt, structure, sealedBy, bodySealedBy } = header
    const isOpen = sealedBy === undefined && bodySealedBy === undefined
    return (last = { messageId, publishedAt, structure, body: isOpen ? message.body : undefined })
  }
}

/**
 * A message's arrival in an own queue as a delivery: the publish's frame holds it, and spends nothing on telling it twice.
 * Undefined for arrivals in a dead-letter queue, which their failed attempt tells of.
 */
function arrivalOf(
  entry: EnqueueEntry,
  messageAt: (offset: number) => MessageHead | undefined,
  { tables, random }: Pick<LakeFollowerOptions, 'tables' | 'random'>,
): Buffer | undefined {
  const route = tables.get(Table.routes, String(entry.route))
  const queue = route === undefined ? undefined : tables.get(Table.queues, route.endpoint)
  if (route === undefined || queue?.number !== entry.queue) return undefined
  const message = messageAt(entry.messageOffset)
  if (message === undefined) return undefined
  const { messageId, publishedAt, structure, body } = message
  const deliveryId = random.uuid()
  const subscription = subscriptionOf(route)
  const log = statusLogOf(tables.get(Table.topics, route.topicArn)?.attributes, {
    ...{ isSuccess: true, deliveryId, messageId, subscription, publishedAt, endedAt: entry.sentAt, attempts: 1, status: 200, response: '' },
    message: () => (body === undefined ? undefined : selectText(body.toString('utf8'), structure, 'sqs')),
  })
  return Buffer.from(
    attemptRecord({
      ...log,
      deliveryId,
      messageId,
      subscription,
      attempt: 1,
      startedAt: entry.sentAt,
      durationMs: 0,
      outcome: 'delivered',
      reason: '',
    }),
  )
}

const subscriptions = new WeakMap<Route, AttemptFields['subscription']>()

/** One object for each route, so that what records say of it is written once. */
function subscriptionOf(route: Route): AttemptFields['subscription'] {
  let subscription = subscriptions.get(route)
  if (subscription === undefined) {
    const { subscriptionArn, topicArn, endpoint } = route
    subscriptions.set(route, (subscription = { subscriptionArn, topicArn, protocol: 'sqs', endpoint }))
  }
  return subscription
}
