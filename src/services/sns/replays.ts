// Replays as calls begin and end them. Each has a record that says how far it is; the runs (replay-runs.ts) follow these records.
import { ReplayPolicyError, parseReplayPolicy, type Replay, type ReplaySpan } from '../../model/replay.ts'
import { sequenceCounter } from '../../model/sequence-number.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue, type Subscription, type Topic } from '../../model/topic.ts'
import { archiveKey, beginningOf } from '../../model/topic-archive.ts'
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { newRoute } from './routes.ts'

/** Who read BeginningArchiveTime a moment ago may name it, although it moved on. */
const BEGINNING_SLACK_MS = 60_000

/** The text as it is kept, undefined for an empty policy. Throws through `refuse`. */
export function checkReplayPolicy(text: string, refuse: (text: string) => ServiceError): string | undefined {
  try {
    return text === '' || parseReplayPolicy(text) === undefined ? undefined : text
  } catch (error) {
    if (error instanceof ReplayPolicyError) throw refuse(`ReplayPolicy: ${error.message}`)
    throw error
  }
}

/** What a subscription's ReplayPolicy asks for, held against the archive of the topic. Throws through `refuse`. */
export function checkSpan(
  tx: Transaction,
  topic: Topic | undefined,
  subscription: Subscription,
  refuse: (text: string) => ServiceError,
): ReplaySpan {
  const span = parseReplayPolicy(subscription.attributes['ReplayPolicy'] ?? '{}')
  if (topic?.fifo === undefined) throw refuse('ReplayPolicy: can only be set for subscriptions to FIFO topics')
  if (!isOwnQueue(subscription)) throw refuse('ReplayPolicy: messages are replayed to queues of this server alone')
  const archive = topic.archive === undefined ? undefined : tx.get(Table.topicArchives, archiveKey(topic.archive))
  if (span === undefined || archive === undefined || archive.isEnding === true)
    throw refuse('ReplayPolicy: the topic has no archive to replay from; its owner has to set an ArchivePolicy first')
  if (span.from > tx.now) throw refuse('ReplayPolicy: StartingPoint must not lie in the future')
  const beginning = beginningOf(archive, tx.now)
  if (span.from < beginning - BEGINNING_SLACK_MS)
    throw refuse(
      `ReplayPolicy: StartingPoint must not lie before the BeginningArchiveTime of the topic, ${new Date(beginning).toISOString()}`,
    )
  return span
}

/** The subscription with its replay begun, in place of one that may be under way. */
export function startReplay(
  tx: Transaction,
  { acts, random }: Env,
  topic: Topic,
  subscription: Subscription,
  span: ReplaySpan,
): Subscription {
  const { subscriptionArn, topicArn } = subscription
  const before = tx.get(Table.replays, subscriptionArn)
  const next = nextSequence(tx, topic)
  if (before !== undefined && before.isStopped !== true) tellEnd(tx, { acts }, before, { status: 'Replaced' })
  const replay: Replay = {
    ...{ id: random.uuid(), subscriptionArn, topicArn, archive: topic.archive ?? 0, ...span, startedAt: tx.now, next: 0, replayed: 0 },
    route: newRoute(tx, subscription, true),
    firstNew: before === undefined ? next : owedFrom(before, next),
    ...(span.until !== undefined && span.until < tx.now && { end: next }),
  }
  tx.put(Table.replays, subscriptionArn, replay)
  acts.tell(tx, { name: 'ReplayStarted', details: { subscriptionArn, topicArn, ...shownSpan(span) } })
  return { ...subscription, replayStatus: 'Pending', isHeldBack: true }
}

/** The subscription without a replay: repeats end, and what was published meanwhile still comes, in order. */
export function stopReplay(tx: Transaction, env: Env, topic: Topic | undefined, subscription: Subscription): Subscription {
  const replay = tx.get(Table.replays, subscription.subscriptionArn)
  const { replayStatus: _, ...rest } = subscription
  if (replay !== undefined && replay.isStopped !== true) tellEnd(tx, env, replay, { status: 'Stopped' })
  return endRepeats(tx, topic, rest, replay)
}

/** Ends all replays of the topic; whether one still owes messages, which are brought first. */
export function failReplays(tx: Transaction, env: Env, topic: Topic, reason: string): boolean {
  let isOwed = false
  for (const { key, value: replay } of replaysOf(tx, topic.topicArn)) {
    const subscription = tx.get(Table.subscriptions, key)
    if (subscription === undefined) tx.delete(Table.replays, key)
    else tx.put(Table.subscriptions, key, failReplay(tx, env, topic, subscription, replay, reason))
    isOwed ||= tx.get(Table.replays, key) !== undefined
  }
  return isOwed
}

/** The subscription with its replay failed: nothing more is repeated. */
export function failReplay(
  tx: Transaction,
  env: Env,
  topic: Topic,
  subscription: Subscription,
  replay: Replay,
  reason: string,
): Subscription {
  if (replay.isStopped !== true) tellEnd(tx, env, replay, { status: 'Failed', reason })
  const failed = replay.isStopped === true ? subscription : ({ ...subscription, replayStatus: 'Failed' } as const)
  return endRepeats(tx, topic, failed, replay)
}

/** Its subscription or topic is gone. */
export function dropReplay(tx: Transaction, env: Env, subscriptionArn: string): void {
  const replay = tx.get(Table.replays, subscriptionArn)
  if (replay === undefined) return
  if (replay.isStopped !== true) tellEnd(tx, env, replay, { status: 'Failed', reason: 'the subscription is gone' })
  tx.delete(Table.replays, subscriptionArn)
  const topic = tx.get(Table.topics, replay.topicArn)
  if (topic !== undefined) letArchiveGo(tx, topic)
}

/** Everything that was to come by the replay has come. */
export function finishReplay(tx: Transaction, env: Env, topic: Topic, subscription: Subscription, replay: Replay): void {
  const { replayStatus, isHeldBack: _, ...rest } = subscription
  if (replay.isStopped !== true) tellEnd(tx, env, replay, { status: 'Completed' })
  const status = replay.isStopped === true ? replayStatus : 'Completed'
  tx.delete(Table.replays, replay.subscriptionArn)
  tx.put(Table.subscriptions, replay.subscriptionArn, {
    ...rest,
    ...(status !== undefined && { replayStatus: status }),
    // "If an ending point was specified then the subscription will no longer receive newly published messages."
    ...(replay.end !== undefined && { isHeldBack: true }),
  })
  letArchiveGo(tx, topic)
}

/** What was still owed is gone from the archive: the subscription goes on without. */
export function loseOwed(tx: Transaction, env: Env, topic: Topic, subscription: Subscription, replay: Replay, reason: string): void {
  const { subscriptionArn, topicArn, next } = replay
  const messages = nextSequence(tx, topic) - next
  env.acts.tell(tx, { name: 'ReplayMessagesLost', details: { subscriptionArn, topicArn, messages, reason } })
  finishReplay(tx, env, topic, subscription, replay)
}

/** The next number that a message of the topic gets, staged ones included. */
export function nextSequence(tables: TableReader, { fifo }: Topic): number {
  return fifo === undefined ? 1 : (tables.get(Table.counters, sequenceCounter(fifo.number))?.next ?? 1)
}

export function replaysOf(tables: TableReader, topicArn: string): readonly { readonly key: string; readonly value: Replay }[] {
  return tables.range(Table.replays, { prefix: `${topicArn}:` })
}

/** From here on messages have not come yet that are to come whatever becomes of the repeats. */
function owedFrom(replay: Replay, next: number): number {
  return replay.until !== undefined && replay.until < replay.startedAt ? next : Math.max(replay.next, replay.firstNew)
}

/** Repeats no more. The subscription is on its own again at once where nothing is owed to it. */
function endRepeats(tx: Transaction, topic: Topic | undefined, subscription: Subscription, replay: Replay | undefined): Subscription {
  const { isHeldBack: _, ...free } = subscription
  if (replay === undefined) return free
  const next = topic === undefined ? 0 : nextSequence(tx, topic)
  const owed = owedFrom(replay, next)
  if (owed >= next) {
    tx.delete(Table.replays, replay.subscriptionArn)
    if (topic !== undefined) letArchiveGo(tx, topic)
    return free
  }
  const { until: _until, end: _end, ...rest } = replay
  tx.put(Table.replays, replay.subscriptionArn, { ...rest, isStopped: true, firstNew: owed, next: Math.max(replay.next, owed) })
  return { ...subscription, isHeldBack: true }
}

/** An archive whose policy was taken away goes with the last replay that owed something. */
function letArchiveGo(tx: Transaction, topic: Topic): void {
  const number = topic.archive
  const row = number === undefined ? undefined : tx.get(Table.topicArchives, archiveKey(number))
  if (number === undefined || row?.isEnding !== true || replaysOf(tx, topic.topicArn).length > 0) return
  tx.delete(Table.topicArchives, archiveKey(number))
  const current = tx.get(Table.topics, topic.topicArn)
  if (current === undefined) return
  const { archive: _, ...rest } = current
  tx.put(Table.topics, topic.topicArn, rest)
}

function tellEnd(
  tx: Transaction,
  { acts }: Pick<Env, 'acts'>,
  { subscriptionArn, topicArn, startedAt, replayed, ...span }: Replay,
  how: { readonly status: 'Completed' | 'Stopped' | 'Replaced' | 'Failed'; readonly reason?: string },
): void {
  const details = {
    subscriptionArn,
    topicArn,
    ...shownSpan(span),
    ...how,
    messagesReplayed: replayed,
    seconds: (tx.now - startedAt) / 1000,
  }
  acts.tell(tx, { name: 'ReplayEnded', details })
}

function shownSpan({ from, until }: ReplaySpan): { readonly startingPoint: string; readonly endingPoint?: string } {
  return {
    startingPoint: new Date(from).toISOString(),
    ...(until !== undefined && { endingPoint: new Date(until).toISOString() }),
  }
}
