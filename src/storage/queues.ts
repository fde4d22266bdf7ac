// The port of the queues: which messages wait where. An index in memory; bodies stay in the journal and are read by position.
// `apply` is the one way state changes, live and at recovery alike; only `take` reserves ahead of its commit. Suite: queues.suite.ts.
import type { DropEntry, EnqueueEntry, HideEntry, RememberEntry, RemoveEntry } from '../model/entry.ts'
import type { Position } from './journal.ts'

export type QueueEntry = EnqueueEntry | HideEntry | RemoveEntry | DropEntry | RememberEntry

export interface Waiting {
  readonly sequence: number
  readonly sentAt: number
  readonly route: number
  /** How often it was received before this time. */
  readonly receives: number
  /** 0 when it was never received. */
  readonly firstReceivedAt: number
}

export interface FoundMessage extends Waiting {
  readonly visibleAt: number
  /** It was taken, and the `hide` or `remove` that says so is not applied yet. */
  readonly isReserved: boolean
}

export interface QueueCounts {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

export interface Queues {
  /**
   * The next sequence of the queue, from 1; counts staged ones, so that each call gives another. Who takes several MUST append their
   * frames in that order: an enqueue below one that was applied is taken for a replay.
   */
  nextSequence(queue: number): number
  /**
   * Takes up to `max` messages that are committed and visible at `now`, oldest first as far as a standard queue promises, and reserves
   * them: no other take gets them until a `hide` is applied, `untake` is called, or the process restarts. Messages that came back and
   * messages never received take turns, so that neither starve the other.
   *
   * Of an ordered group (above 0) it gives messages only while none of the group is in flight or reserved, in the order they were sent, and
   * none behind a delayed one: as many of one group as there are before the next group. What becomes visible again goes to its place.
   * Of fair groups (below 0) those go first that have less in flight, in turns among those that have about as much; messages without a
   * group count as each their own. A few go by turns whatever is in flight, so that nobody starves.
   *
   * While a drop of many grouped messages is being worked off, which is turns of the event loop, the groups of that queue give nothing.
   */
  take(queue: number, max: number, now: number): Waiting[]
  untake(queue: number, sequence: number): void
  /** What is known of one message that still waits or is in flight, or undefined. */
  find(queue: number, sequence: number): FoundMessage | undefined
  /** O(1), and exact but while thousands become visible at one moment. Reserved messages count as in flight. */
  counts(queue: number, now: number): QueueCounts
  /** Sent time of the oldest message, hidden ones included, or undefined. */
  oldest(queue: number): number | undefined
  /** The lowest sequence whose message was sent at `time` or later: a drop before it expires all that are older. */
  firstSentAt(queue: number, time: number): number
  /**
   * The message entry's bytes (model/entry.ts, readEntryAt), from memory, the journal, or the queue's own copy.
   * Throws MessageGone when the message is not there any more, QueuesDamaged when its copy is unreadable.
   */
  body(queue: number, sequence: number): Buffer | Promise<Buffer>
  /** What the queue remembers under `key` at `now`, or undefined: told by `remember` entries, the newest counts. MUST NOT be changed. */
  recall(queue: number, key: Buffer, now: number): Buffer | undefined
  /**
   * Runs `wake` once, on a later turn, when the queue may have something to take: an arrival, a visibility that ends (told by `expire`), or
   * the end of the queue. Wakes no more of those who wait than there are messages, in the order they came. Returns how to stop waiting.
   */
  onceAvailable(queue: number, now: number, wake: () => void): () => void
  /**
   * When the next hidden or delayed message of any queue becomes visible, or undefined. Where many are hidden it may be an earlier time, at
   * which one would have that went.
   */
  nextVisibleAt(): number | undefined
  /**
   * Makes visible what is due, and wakes who waits for it: some thousands a call. While more are due `nextVisibleAt` is not after `now`.
   * Calls that look at queues begin with it.
   */
  expire(now: number): void
  /**
   * `position` is that of the frame's payload, to which offsets count. What was applied before changes nothing. A drop's `before` MUST be
   * the sequence of a message, one that `nextSequence` gave, or Infinity: then the queue also forgets what it remembers.
   */
  apply(entry: QueueEntry, position: Position): void
  /** Everything before `end` is told: whole frames, so that a checkpoint may be taken here. */
  applied(end: Position): void
  /**
   * Copies bodies before `before`, so that those segments can go. A bounded number a call; true when none before it is needed any more.
   * `before` MUST NOT lie behind what was applied.
   */
  release(before: Position): Promise<boolean>
  /**
   * Writes what changed in the index durably, as of the last `applied`, while calls go on. Returns the position from which the journal
   * must be replayed after a restart. A call during another joins it.
   */
  checkpoint(): Promise<Position>
  /** From here on `apply` must be replayed. */
  readonly checkpointed: Position
  /** Bodies before it are the queues' own copies: the journal need not reach back further. */
  readonly released: Position
  /** `index` and `memories` in memory, `coldBodies` on disk. */
  bytes(): { readonly index: number; readonly memories: number; readonly coldBodies: number }
  close(): Promise<void>
}

/** The message was removed or its queue dropped. */
export class MessageGone extends Error {
  override name = 'MessageGone'
}
/** A part of the index or a copied body fails its checksum. Names it. */
export class QueuesDamaged extends Error {
  override name = 'QueuesDamaged'
}
/** The index was written by a newer version. Nothing was changed. */
export class QueuesFormatUnknown extends Error {
  override name = 'QueuesFormatUnknown'
}
