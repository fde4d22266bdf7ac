// How a repeat is told from a message: the first send of a deduplication id is remembered in its own commit, beside the queue or under the
// number of the topic it was sent to. So a repeat finds it as long as it may be asked for, wherever the message is by then.
import { DEDUPLICATION_MS, deduplicationKey, type FirstSend, formatFirstSend, readFirstSend } from '../model/deduplication.ts'
import { orderedGroup } from '../model/message-group.ts'
import { settingsOf } from '../model/queue-attributes.ts'
import type { Queue, Topic } from '../model/topic.ts'
import type { Transaction } from './transaction.ts'

/** Where ids are kept, and how they count. */
export interface IdScope {
  /** Of the queue; or a topic's own, from the same counter. */
  readonly number: number
  /** An id counts once in its group, and not in all of it. */
  readonly isByGroup: boolean
  /** When that may have been changed last, in ms since 1970. */
  readonly changedAt: number
}

/** Of a message in order: both given or made of it. */
export interface OrderedId {
  readonly groupId: string
  readonly deduplicationId: string
}

/** Undefined for a standard queue. */
export function idScopeOf(queue: Queue): IdScope | undefined {
  const { fifo } = settingsOf(queue)
  return fifo === undefined ? undefined : { number: queue.number, isByGroup: fifo.scope === 'messageGroup', changedAt: queue.modifiedAt }
}

/** Undefined for a standard topic. */
export function topicIdScopeOf({ fifo, attributes }: Topic): IdScope | undefined {
  return fifo === undefined ? undefined : { ...fifo, isByGroup: attributes['FifoThroughputScope'] === 'MessageGroup' }
}

/** A send that repeats none: to be remembered under `key`. */
export interface NewId {
  readonly key: Buffer
}

/** The send that this one repeats, staged ones included; a NewId when it counts from now on. */
export function findFirstSend(tx: Transaction, { number, isByGroup, changedAt }: IdScope, id: OrderedId): FirstSend | NewId {
  const key = keyOf(id, isByGroup)
  const bytes = tx.recall(number, key)
  if (bytes !== undefined) return readFirstSend(bytes)
  // The scope may have changed since the first send: in its own group an id counts in both.
  if (tx.now - changedAt >= DEDUPLICATION_MS) return { key }
  const other = tx.recall(number, keyOf(id, !isByGroup))
  const first = other === undefined ? undefined : readFirstSend(other)
  return first?.group === orderedGroup(id.groupId) ? first : { key }
}

/**
 * The same for what a topic sends to a queue. A topic that counts by group has told two groups apart, and a queue that counts otherwise
 * MUST NOT take them for one.
 */
export function findFirstArrival(tx: Transaction, queue: IdScope, topic: IdScope, id: OrderedId): FirstSend | NewId {
  const found = findFirstSend(tx, queue, id)
  const isOther = 'messageId' in found && topic.isByGroup && found.group !== orderedGroup(id.groupId)
  return isOther ? { key: keyOf(id, queue.isByGroup) } : found
}

export function rememberFirstSend(tx: Transaction, { number }: IdScope, { key }: NewId, first: FirstSend): void {
  tx.remember(number, key, tx.now + DEDUPLICATION_MS, formatFirstSend(first))
}

function keyOf({ groupId, deduplicationId }: OrderedId, isByGroup: boolean): Buffer {
  return deduplicationKey(deduplicationId, isByGroup ? groupId : undefined)
}
