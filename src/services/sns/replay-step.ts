// One step of a replay: some messages of the archive arrive in the subscription's queue, or its dead-letter queue, in the same commit as
// the record of how far the replay is. So each comes once, wherever the process ends.
import type { Outgoing } from '../../model/data-protection/outgoing.ts'
import { readEntryAt } from '../../model/entry.ts'
import { filterPolicyOf, passesFilter } from '../../model/filter-policy/subscription-filters.ts'
import type { Message, MessageHeader } from '../../model/message.ts'
import type { Replay } from '../../model/replay.ts'
import { Table } from '../../model/tables.ts'
import type { Queue, Subscription, Topic } from '../../model/topic.ts'
import { archiveKey } from '../../model/topic-archive.ts'
import type { Env } from '../../engine/env.ts'
import { deadLetterArnOf, keyRefusal, NO_QUEUE, type QueueRefusal, queueRefusal, topicKeyUser } from '../../engine/queue-access.ts'
import { checkQueueKey } from '../../engine/queued-message.ts'
import { openedBody } from '../../engine/topic-message.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { ArchivedMessage } from '../../storage/topic-archives.ts'
import { enqueueForSubscribers, type PublishedMessage } from './fan-out.ts'
import type { LatestMessages } from './latest-messages.ts'
import { stageCopies } from './protection/protect.ts'
import { dropReplay, failReplay, finishReplay, nextSequence } from './replays.ts'

/**
 * `again`: the topic's data protection changed meanwhile, and nothing was staged. `more`: the archive holds more. `caught up`: with all it
 * holds; what is published next comes there. `over`: there is nothing to do.
 */
export type ReplayStep = 'again' | 'more' | 'caught up' | 'over'

export interface ReplayBatch {
  /** Of the replay that they were read for. */
  readonly id: string
  readonly messages: readonly ArchivedMessage[]
  /** Where they end the archive: the newest that it ever held. */
  readonly newest: number | undefined
  readonly protection: ReplayProtection | undefined
}

/** What data protection makes of the messages for their subscriber. */
export interface ReplayProtection {
  readonly policy: string
  /** By sequence; absent: all of it. */
  readonly outgoing: ReadonlyMap<number, Outgoing>
}

/** Throws what the topic's key has against opening a message: nothing is staged then. */
export function replaySome(tx: Transaction, env: Env, latest: LatestMessages, subscriptionArn: string, batch: ReplayBatch): ReplayStep {
  const replay = tx.get(Table.replays, subscriptionArn)
  if (replay === undefined || replay.id !== batch.id) return 'over'
  const topic = tx.get(Table.topics, replay.topicArn)
  const subscription = tx.get(Table.subscriptions, subscriptionArn)
  if (topic === undefined || topic.archive !== replay.archive || subscription === undefined) {
    dropReplay(tx, env, subscriptionArn)
    return 'over'
  }
  if (topic.dataProtectionPolicy !== batch.protection?.policy) return 'again'
  const obstacle = replay.isStopped === true ? undefined : obstacleOf(tx, env, topic, subscription)
  if (obstacle !== undefined) {
    tx.put(Table.subscriptions, subscriptionArn, failReplay(tx, env, topic, subscription, replay, obstacle.reason))
    return 'over'
  }
  const began = subscription.replayStatus === 'Pending' ? ({ ...subscription, replayStatus: 'In progress' } as const) : subscription
  const place: Place = { tx, env, topic, subscription: began }
  const came = replayMessages(place, replay, comingOf(env, batch))
  const isPast = came.until !== undefined && came.end === undefined && tx.now > came.until
  let now: Replay = isPast ? { ...came, end: nextSequence(tx, topic) } : came
  if (batch.newest !== undefined && now.until === undefined) now = replayLatest(place, latest, now, batch.newest)
  if (batch.newest !== undefined && isComplete(tx, topic, now, batch.newest)) {
    finishReplay(tx, env, topic, began, now)
    return 'over'
  }
  if (began !== subscription) tx.put(Table.subscriptions, subscriptionArn, began)
  if (now !== replay) tx.put(Table.replays, subscriptionArn, now)
  return batch.newest === undefined ? 'more' : 'caught up'
}

/** Why nothing that is repeated would arrive anywhere: it is better off in the archive. A dead-letter queue takes it as it takes others. */
function obstacleOf(tx: Transaction, env: Env, topic: Topic, subscription: Subscription): QueueRefusal | undefined {
  if (deadLetterArnOf(subscription) !== undefined) return undefined
  const queue = tx.get(Table.queues, subscription.endpoint)
  return queue === undefined ? NO_QUEUE : (queueRefusal(queue, topic.topicArn, tx.now) ?? keyObstacle(tx, env, topic, queue))
}

function keyObstacle(tx: Transaction, env: Env, { topicArn }: Topic, queue: Queue): QueueRefusal | undefined {
  try {
    checkQueueKey(tx, env, queue, topicKeyUser(topicArn), tx.now)
    return undefined
  } catch (error) {
    return keyRefusal(error)
  }
}

/** A message on its way to the subscription. */
interface Coming {
  readonly sequence: number
  readonly publishedAt: number
  /** Throws what the topic's key has against opening it. */
  readonly read: () => Message
  readonly outgoing: Outgoing | undefined
}

interface Place {
  readonly tx: Transaction
  readonly env: Env
  readonly topic: Topic
  readonly subscription: Subscription
}

function comingOf(env: Env, { messages, protection }: ReplayBatch): readonly Coming[] {
  return messages.map(({ sequence, publishedAt, bytes }) => ({
    ...{ sequence, publishedAt, outgoing: protection?.outgoing.get(sequence) },
    read: () => readArchived(env, bytes),
  }))
}

/** The replay as it stands behind them. */
function replayMessages({ tx, env, topic, subscription }: Place, replay: Replay, messages: readonly Coming[]): Replay {
  const policy = filterPolicyOf(subscription.attributes)
  const repeating = { ...subscription, route: replay.route }
  let { next, replayed } = replay
  for (const { sequence, publishedAt, read, outgoing } of messages) {
    if (sequence < next) continue
    if (replay.end !== undefined && sequence >= replay.end) {
      next = replay.end
      break
    }
    next = sequence + 1
    const isRepeat = sequence < replay.firstNew
    if (!isAskedFor(replay, publishedAt, isRepeat)) continue
    const { header, body } = read()
    const { structure, attributes } = header
    if (policy !== undefined && !passesFilter(policy, { body, structure, attributes }, subscription.protocol)) continue
    const message: PublishedMessage = { header, body, reference: undefined, isRepeat }
    const to = [isRepeat ? repeating : subscription]
    const copies =
      outgoing === undefined ? undefined : stageCopies(outgoing, message, (copy): PublishedMessage => ({ ...message, ...copy }))
    enqueueForSubscribers(tx, { env }, topic, to, copies?.whole ?? message, copies?.copyFor)
    if (isRepeat) replayed++
  }
  return next === replay.next ? replay : { ...replay, next, replayed }
}

/** What is not in the archive yet, where it is remembered: so the replay comes to the end of what is published. */
function replayLatest(place: Place, latest: LatestMessages, replay: Replay, newest: number): Replay {
  const { tx, topic } = place
  const from = reachedBy(tx, replay, newest)
  const messages = latest.between(topic.topicArn, from, nextSequence(tx, topic))
  if (messages === undefined || messages.length === 0) return replay
  const coming = messages.map(({ sequence, message, outgoing }): Coming => {
    return { sequence, publishedAt: message.header.publishedAt, outgoing, read: () => message }
  })
  return replayMessages(place, replay, coming)
}

function isAskedFor({ from, until = Infinity, isStopped }: Replay, publishedAt: number, isRepeat: boolean): boolean {
  if (publishedAt > until) return false
  return !isRepeat || (isStopped !== true && publishedAt >= from)
}

/** Throws what the topic's key has against opening it. */
export function readArchived(env: Env, bytes: Buffer): Message {
  const entry = readEntryAt(bytes)
  if (entry.kind !== 'message') throw new TypeError('an archived message is a message entry')
  // Who gets which copy is decided anew: others may have subscribed, and the policy may be another.
  const { archive: _, audience: _audience, ...header } = JSON.parse(entry.header.toString('utf8')) as MessageHeader
  const body = openedBody(env, header, entry.body.toString('utf8'))
  const { bodySealedBy: _sealed, ...open } = header
  return { header: open, body }
}

/** All that is to come has come. */
function isComplete(tx: Transaction, topic: Topic, replay: Replay, newest: number): boolean {
  const { until, end } = replay
  if (until !== undefined && end === undefined) return false
  return reachedBy(tx, replay, newest) >= (end ?? nextSequence(tx, topic))
}

/** All before was dealt with: what has no place in the archive never had one, or is gone from it. */
function reachedBy(tx: Transaction, { archive, next }: Replay, newest: number): number {
  return Math.max(next, tx.get(Table.topicArchives, archiveKey(archive))?.first ?? 0, newest + 1)
}
