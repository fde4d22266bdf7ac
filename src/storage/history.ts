// The port of the event history: management events of the last days, found newest first by account, region and one term. A follower
// appends what the journal tells, in order; LookupEvents asks. Both sides' duties stand at each member. One suite: history.suite.ts.
import type { Position } from './journal.ts'

export interface HistoryRow {
  /** Events are found within one scope (an account's region), never across. */
  readonly scope: string
  /** What it can be found by, besides the scope alone. Any texts; each once. */
  readonly terms: readonly string[]
  /** In ms since 1970. */
  readonly time: number
  /** The record. Copied before `append` returns. */
  readonly json: Buffer
}

export interface HistoryQuery {
  readonly scope: string
  /** Absent: every event of the scope. */
  readonly term?: string
  /** Times in ms since 1970, both included. */
  readonly from?: number
  readonly to?: number
  /** Only events with a smaller number: where an earlier page ended. */
  readonly before?: number
  readonly limit: number
}

export interface FoundEvent {
  /** Grows with each event that was appended; an event keeps its number. */
  readonly number: number
  readonly json: string
}

export interface FoundEvents {
  /** The newest first, in the order in which they were committed. */
  readonly events: readonly FoundEvent[]
  /** There are more behind the last one. */
  readonly hasMore: boolean
}

export interface History {
  /** Events below it are on stable storage: after a restart the follower MUST append again from here. */
  readonly checkpoint: Position
  /** Events below it are found. */
  readonly appended: Position
  /** So much is appended and not yet on stable storage that `flush` MUST be awaited before more is appended. */
  readonly isFull: boolean
  /** Takes in what the journal tells between `appended` and `upTo`; found on return. What ends by `appended` changes nothing. */
  append(rows: readonly HistoryRow[], upTo: Position): void
  /** Resolves when all that was appended before the call is on stable storage. Rejects when it cannot be written; nothing is lost then. */
  flush(): Promise<void>
  /** Throws HistoryDamaged when what it needs fails its checksum. */
  find(query: HistoryQuery): FoundEvents
  /**
   * Lets go of events older than `beforeMs`, in steps that leave the event loop free between them: whole groups of them, so that some
   * stay a little longer. Resolves with how many went.
   */
  expire(beforeMs: number): Promise<number>
  /** Events kept. */
  count(): number
  bytes(): number
  /** Flushes and lets go. */
  close(): Promise<void>
}

/** A stored part fails its checksum. Names it. */
export class HistoryDamaged extends Error {
  override name = 'HistoryDamaged'
}
/** The history was written by a newer version. Nothing was changed. */
export class HistoryFormatUnknown extends Error {
  override name = 'HistoryFormatUnknown'
}
