// Brings management events into the event history, where LookupEvents finds them for ninety days. Data events, which is what a publish is,
// are passed over unread. Who asks first lets it catch up with what is durable.
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Acts } from '../engine/acts.ts'
import type { Follower } from '../engine/follow.ts'
import { EntryKind, EventClass, EventFlag, readEntries } from '../model/entry.ts'
import { HISTORY_DAYS, historyEventOf, historyScope, lookupTerms } from '../model/history-event.ts'
import type { History, HistoryRow } from '../storage/history.ts'
import type { Frame, Journal, Position } from '../storage/journal.ts'

export interface HistoryFollowerOptions {
  readonly history: History
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  readonly acts: Pick<Acts, 'record'>
}

export interface HistoryFollower extends Follower {
  /** Resolves when every event that was durable at the call is found. */
  catchUp(): Promise<void>
}

/** Between two readings. A lookup does not wait for it. */
const PAUSE_MS = 250
/** A step of reading; small, because its management events are parsed in one go. */
const BATCH_BYTES = 128 * 1024
/** Events become durable in the history at the latest after so many bytes of journal, and so long. */
const JOURNAL_BYTES_MAX = 64 * 1024 * 1024
const FLUSH_MS = 5 * 60_000
const EXPIRE_MS = 60 * 60_000
const DAY_MS = 24 * 60 * 60_000
const EVENTS: ReadonlySet<number> = new Set([EntryKind.event])

export function createHistoryFollower({ history, journal, clock, log, acts }: HistoryFollowerOptions): HistoryFollower {
  if (history.checkpoint > journal.durable) {
    throw new Error(
      `the event history ends at ${history.checkpoint}, behind the journal's end at ${journal.durable}: they are not of one time. ` +
        "Restore both from one backup, or move the history's folder away; it then starts anew.",
    )
  }
  const start = Math.max(history.checkpoint, journal.start)
  let isGapToTell = history.checkpoint < journal.start
  let unflushedBytes = 0
  let flushTimer: Timer | undefined
  let expireTimer: Timer | undefined
  let stopped = false
  let catching: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    unflushedBytes = 0
    flushTimer?.cancel()
    flushTimer = undefined
    await history.flush()
  }
  const take = async (frames: readonly Frame[]): Promise<void> => {
    if (isGapToTell) tellGap(history.checkpoint, start, log, acts)
    isGapToTell = false
    for (const frame of frames) {
      if (frame.end <= history.appended) continue
      history.append(rowsOf(frame), frame.end)
      unflushedBytes += frame.payload.length
      if (history.isFull) await flush()
    }
    if (unflushedBytes >= JOURNAL_BYTES_MAX) return flush()
    flushTimer ??= clock.after(FLUSH_MS, () => {
      flush().catch((error: unknown) => log.warn('the event history could not be written; it is tried again', { error: String(error) }))
    })
  }
  const expire = (): void => {
    history
      .expire(clock.now() - HISTORY_DAYS * DAY_MS)
      .then((events) => events > 0 && log.info('old events left the event history', { events }))
      .catch((error: unknown) => log.warn('the event history could not let go of old events; it is tried again', { error: String(error) }))
      .finally(() => !stopped && (expireTimer = clock.after(EXPIRE_MS, expire)))
  }
  expireTimer = clock.after(EXPIRE_MS, expire)
  const readOn = async (): Promise<void> => {
    for (const until = journal.durable; history.appended < until;) {
      const frames = await journal.read(Math.max(history.appended, start), BATCH_BYTES)
      if (frames.length === 0) return
      await take(frames)
      journal.release(frames)
    }
  }

  return {
    name: 'history',
    pauseMs: PAUSE_MS,
    batchBytesMax: BATCH_BYTES,
    get checkpoint(): Position {
      return Math.max(history.checkpoint, start)
    },
    handle: take,
    async catchUp() {
      // One reading serves all who ask; who came after it began may need a second one.
      await catching
      catching ??= readOn().finally(() => (catching = undefined))
      await catching
    },
    async stop() {
      stopped = true
      expireTimer?.cancel()
      await flush()
    },
  }
}

function rowsOf({ payload }: Frame): HistoryRow[] {
  const rows: HistoryRow[] = []
  for (const { entry } of readEntries(payload, EVENTS)) {
    if (entry.kind !== 'event' || entry.class !== EventClass.aws || (entry.flags & EventFlag.data) !== 0) continue
    const event = historyEventOf(entry.json.toString('utf8'))
    if (event === undefined || event.account === '') continue
    rows.push({ scope: historyScope(event.account, event.region), terms: lookupTerms(event), time: event.time, json: entry.json })
  }
  return rows
}

/** The first start with a history on an older data directory, or a history that was lost or put back from an older copy. */
function tellGap(from: Position, to: Position, log: Log, acts: Pick<Acts, 'record'>): void {
  const details = { fromPosition: from, toPosition: to }
  log.warn('the event history lacks events that left the journal before it could take them; queries still find them', details)
  acts
    .record({ name: 'EventHistoryIncomplete', details })
    .catch((error: unknown) => log.warn('that the event history is incomplete could not be recorded', { error: String(error) }))
}
