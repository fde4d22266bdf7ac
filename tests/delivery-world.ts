// The delivery follower in a small world: a journal and records in memory, an outside that does what the test says, time that stands still.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { SimulatedClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import type { Attempt, Deliverer, Outcome } from '../src/engine/deliverer.ts'
import { type Follows, startFollowers } from '../src/engine/follow.ts'
import { createActs } from '../src/engine/acts.ts'
import { createRecordKeys } from '../src/engine/record-keys.ts'
import { createSeal } from '../src/engine/seal.ts'
import { Tables } from '../src/engine/tables.ts'
import { Commits } from '../src/engine/transaction.ts'
import type { AttemptRecord } from '../src/model/delivery.ts'
import { type EnqueueEntry, readEntries, readEntryAt } from '../src/model/entry.ts'
import type { MessageHeader } from '../src/model/message.ts'
import { formatEnvelope } from '../src/model/notification.ts'
import { Table } from '../src/model/tables.ts'
import type { Subscription } from '../src/model/topic.ts'
import type { Frame, Journal, Position } from '../src/storage/journal.ts'
import type { Queues } from '../src/storage/queues.ts'
import { memoryRecords } from '../src/storage/memory/records.ts'
import { openStore } from '../src/storage/store.ts'
import { createDeliveryFollower } from '../src/followers/delivery/index.ts'
import type { DeliveryFollower, DeliveryLimits, DeliveryOptions } from '../src/followers/delivery/options.ts'
import { topicsMaySend } from './queue-policy.ts'

export const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
export const queueArn = 'arn:aws:sqs:us-east-1:000000000001:dead'
export const POLICY = topicsMaySend('*')

/** Of a subscription whose dead letters go to that queue. */
export const REDRIVE = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) }

/** The attributes of a subscription that retries so. */
export function retrying(healthyRetryPolicy: object): Record<string, string> {
  return { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) }
}

/** Frames in memory, durable on the next turn. */
export class TestJournal implements Journal {
  readonly start = 0
  readonly frames: Frame[] = []
  durable = 0
  tail = 0
  refuse: Error | undefined
  payloadBytesMax = Infinity
  #listeners: ((frames: readonly Frame[]) => void)[] = []

  append(payload: Uint8Array, entries: number, settled: (failure?: Error) => void): Position {
    if (this.refuse !== undefined) throw this.refuse
    if (payload.length > this.payloadBytesMax) throw new RangeError('can never fit')
    const position = this.tail
    const frame = { position, end: position + 100 + payload.length, payloadPosition: position + 32, entries, payload: Buffer.from(payload) }
    this.tail = frame.end
    setImmediate(() => {
      this.frames.push(frame)
      this.durable = frame.end
      for (const listener of this.#listeners) listener([frame])
      settled()
    })
    return position
  }
  read(from: Position): Promise<readonly Frame[]> {
    return Promise.resolve(this.frames.filter(({ position }) => position >= from).slice(0, 50))
  }
  onDurable(listener: (frames: readonly Frame[]) => void): void {
    this.#listeners.push(listener)
  }
  readBytes = (): never => assert.fail('not asked for here')
  release(): void {}
  onFailure(): void {}
  trim(): void {}
  segments = () => []
  close = () => Promise.resolve()
}

/** What the outside does: each attempt waits until the test says how it ends, or `answer` says so at once. */
export class Outside {
  readonly attempts: (Attempt & { readonly end: (outcome: Outcome) => void })[] = []
  answer: ((attempt: Attempt) => Outcome | undefined) | undefined
  fault: Error | undefined
  readonly deliverer: Deliverer = {
    protocols: ['http', 'https', 'email', 'lambda', 'sqs', 'sms', 'application'],
    validate: () => undefined,
    deliver: (attempt) => {
      if (this.fault !== undefined) return Promise.reject(this.fault)
      const { promise, resolve } = Promise.withResolvers<Outcome>()
      this.attempts.push({ ...attempt, end: resolve })
      const outcome = this.answer?.(attempt)
      if (outcome !== undefined) resolve(outcome)
      return promise
    },
  }

  to(endpoint: string) {
    return this.attempts.filter((attempt) => attempt.endpoint === endpoint)
  }
}

export interface World {
  readonly journal: TestJournal
  readonly records: ReturnType<typeof memoryRecords>
  readonly outside: Outside
  readonly clock: SimulatedClock
  readonly commits: Commits
  readonly tables: Tables
  readonly delivery: DeliveryFollower
  readonly follows: Follows
}

export const DELIVERED: Outcome = { kind: 'delivered', status: 200 }
export const LATER: Outcome = { kind: 'retry', reason: 'HTTP 500', status: 500 }
export const NEVER: Outcome = { kind: 'refused', reason: 'HTTP 404', status: 404 }
export const seal = createSeal(Buffer.alloc(32, 7), seededRandom(9))
let sequence = 0

/** A server's inside; with `after`, the one that comes up again on what another left when it was killed. */
export async function world(
  t: TestContext,
  limits: Partial<DeliveryLimits> = {},
  parts: Partial<Pick<DeliveryOptions, 'deliverers' | 'outbound' | 'envelope'>> = {},
  after?: World,
): Promise<World> {
  const journal = after?.journal ?? new TestJournal()
  const records = after?.records ?? memoryRecords()
  const clock = new SimulatedClock((after?.clock.now() ?? Date.UTC(2026, 0, 2)) + 1)
  const random = seededRandom(++sequence)
  const queues = { nextSequence: () => ++sequence, apply() {}, applied() {}, checkpointed: 0, untake() {} } as unknown as Queues
  const tables = new Tables(records)
  if (after === undefined) await openStore({ journal, records, queues }, (end) => tables.applied(end))
  else journal.onDurable((frames) => frames.forEach(({ end }) => tables.applied(end)))
  const commits = new Commits({ clock, journal, queues, tables })
  const outside = new Outside()
  const delivery = createDeliveryFollower({
    env: {
      ...{ clock, random, log: silentLog, tables, commits, seal, journal },
      keys: createRecordKeys({ random, seal }),
      acts: createActs({ random, commits, account: '000000000000', region: 'us-east-1', version: 'test' }),
    },
    deliverers: { outside: outside.deliverer },
    outbound: {
      request: () => assert.fail('not asked for here'),
      connect: () => assert.fail('not asked for here'),
      origins: 0,
      close: () => Promise.resolve(),
    },
    envelope: (notification) => Promise.resolve(formatEnvelope(notification, undefined)),
    baseUrl: () => 'http://sealcast',
    limits,
    ...parts,
  })
  const follows = startFollowers({ journal, clock, log: silentLog, followers: [delivery] })
  t.after(() => void delivery.stop())
  return { journal, records, outside, clock, commits, tables, delivery, follows }
}

export const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Time passes, timer by timer, and whatever it starts on the event loop comes to rest in between. */
export async function elapse({ clock }: World, milliseconds: number): Promise<void> {
  const until = clock.monotonic() + milliseconds
  for (;;) {
    for (let turn = 0; turn < 8; turn++) await later()
    const next = clock.nextTimerAt() ?? Infinity
    if (next > until) break
    clock.advance(next - clock.monotonic())
  }
  clock.advance(until - clock.monotonic())
}

export async function subscribe(
  { commits, clock }: World,
  endpoint: string,
  attributes: Record<string, string> = {},
  more: Partial<Subscription> = {},
): Promise<Subscription> {
  const subscription: Subscription = {
    subscriptionArn: `${topicArn}:5e1d2c3b-0000-4000-8000-${String(++sequence).padStart(12, '0')}`,
    topicArn,
    protocol: 'http',
    endpoint,
    owner: '000000000001',
    principal: '',
    createdAt: clock.now(),
    state: 'confirmed',
    confirmationWasAuthenticated: false,
    authenticateOnUnsubscribe: false,
    route: 0,
    attributes,
    ...more,
  }
  await commits.commit((tx) => tx.put(Table.subscriptions, subscription.subscriptionArn, subscription)).done
  return subscription
}

export async function publish({ commits, clock }: World, body: string, more: Partial<MessageHeader> = {}): Promise<string> {
  const messageId = `message-${++sequence}`
  const header: MessageHeader = { type: 'Notification', messageId, topicArn, publishedAt: clock.now(), ...more }
  await commits.commit((tx) => void tx.message(header, body)).done
  return messageId
}

export async function putTopic({ commits }: World, attributes: Record<string, string> = {}): Promise<void> {
  const topic = { topicArn, owner: '000000000001', createdAt: 0, attributes, tags: {}, subscriptionsDeleted: 0 }
  await commits.commit((tx) => tx.put(Table.topics, topicArn, topic)).done
}

export async function putQueue({ commits, clock }: World, attributes: Record<string, string> = { Policy: POLICY }): Promise<void> {
  const queue = { queueArn, number: 7, owner: '000000000001', createdAt: clock.now(), modifiedAt: clock.now(), attributes, tags: {} }
  await commits.commit((tx) => tx.put(Table.queues, queueArn, queue)).done
}

/** What the journal tells of attempts, oldest first. */
export function told({ journal }: World): AttemptRecord[] {
  return entries(journal).flatMap(({ entry }) => (entry.kind === 'attempt' ? [JSON.parse(entry.json.toString()) as AttemptRecord] : []))
}

export function outcomes(here: World): readonly string[] {
  return told(here).map(({ outcome }) => outcome)
}

/** The server's own acts on the record, oldest first. */
export function acts({ journal }: World) {
  return entries(journal).flatMap(({ entry }) =>
    entry.kind === 'event'
      ? [
          JSON.parse(entry.json.toString()) as {
            readonly eventName: string
            readonly serviceEventDetails: Readonly<Record<string, unknown>>
          },
        ]
      : [],
  )
}

/** What arrived in queues: the message of each reference. */
export function letters({ journal }: World): { readonly enqueue: EnqueueEntry; readonly header: MessageHeader; readonly body: string }[] {
  return entries(journal).flatMap(({ entry, frame }) => {
    if (entry.kind !== 'enqueue') return []
    const message = readEntryAt(frame.payload.subarray(entry.messageOffset, entry.messageOffset + entry.messageLength))
    assert.equal(message.kind, 'message')
    return message.kind === 'message'
      ? [{ enqueue: entry, header: JSON.parse(message.header.toString()) as MessageHeader, body: message.body.toString() }]
      : []
  })
}

export function entries({ frames }: TestJournal) {
  return frames.flatMap((frame) => readEntries(frame.payload).map(({ entry }) => ({ entry, frame })))
}

export function pending({ tables }: World) {
  return tables.range(Table.pendingDeliveries, {}).map(({ value }) => value)
}
