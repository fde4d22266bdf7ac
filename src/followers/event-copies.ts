// Copies of events to an HTTP target, in the form in which EventBridge hands on what CloudTrail tells: one event a request, in the order of
// the record, at least once. A target that does not answer is tried again for as long as the journal kept for it is within its bound;
// what is beyond is let go of, oldest first, and that is told on the record together with how far the copies have come.
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Timer } from '../base/clock.ts'
import type { Env } from '../engine/env.ts'
import type { Follower } from '../engine/follow.ts'
import { OutboundFailed, OutboundRefused } from '../engine/outbound-failure.ts'
import type { Outbound } from '../engine/outbound.ts'
import { EntryKind, EventClass, EventFlag, readEntries } from '../model/entry.ts'
import { type EventCopy, eventCopyOf } from '../model/event-copy.ts'
import { Table } from '../model/tables.ts'
import type { Frame, Position } from '../storage/journal.ts'

export interface EventCopiesOptions {
  readonly env: Pick<Env, 'clock' | 'random' | 'log' | 'tables' | 'commits' | 'acts' | 'journal'>
  readonly outbound: Pick<Outbound, 'request'>
  readonly target: string
  /** The value of the Authorization header, where the target asks for one. */
  readonly authorization?: string
  /** Management events that only read are copied, too. */
  readonly includesReads: boolean
  readonly includesData: boolean
  /** Of journal that is kept for a target that does not answer. */
  readonly backlogBytesMax: number
}

const NAME = 'events'
const RETRY: Backoff = { firstMs: 1_000, maxMs: 60_000 }
const TIMEOUT_MS = 5_000
/** While it waits for the next try it looks this often whether its backlog is still within its bound. */
const LOOK_MS = 5_000
const COMMIT_MS = 5_000
/** What was let go of is told at most this often while it goes on. */
const TELL_MS = 60_000
/** Where nothing is copied, the checkpoint still follows in such steps. */
const COMMIT_BYTES = 16 * 1024 * 1024
const ANSWER_BYTES_MAX = 16 * 1024
/** The event itself is not wanted; it would never arrive. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 406, 410, 411, 413, 414, 415, 422, 431, 501])
const EVENTS: ReadonlySet<number> = new Set([EntryKind.event])

/** Copies that will not arrive, and are not on the record yet. */
interface Dropped {
  readonly from: Position
  readonly oldest: string
  newest: string
  beyondBacklog: number
  refused: number
}

/** Begins where it ended last, or, on the record from now on, with what is committed next. */
export async function openEventCopies(options: EventCopiesOptions): Promise<EventCopies> {
  const { tables, journal, commits } = options.env
  if (tables.get(Table.checkpoints, NAME) === undefined) {
    const position = journal.durable
    await commits.commit((tx) => tx.put(Table.checkpoints, NAME, { position })).done
  }
  return new EventCopies(options)
}

class EventCopies implements Follower {
  readonly name = NAME
  readonly pauseMs = 50
  readonly batchBytesMax = 256 * 1024
  readonly #options: EventCopiesOptions
  /** Everything before is copied, let go of or not wanted. */
  #handled: Position
  #committed: Position
  #committedAt: number
  #toldAt = -Infinity
  #hasNew = false
  #dropped: Dropped | undefined
  #failures = 0
  #nextTryAt = -Infinity
  #isStopped = false
  #sleep: { readonly timer: Timer; readonly wake: () => void } | undefined

  constructor(options: EventCopiesOptions) {
    const { tables, journal, clock } = options.env
    this.#options = options
    const saved = tables.get(Table.checkpoints, NAME)?.position ?? journal.durable
    this.#handled = Math.min(Math.max(saved, journal.start), journal.durable)
    this.#committed = this.#handled
    this.#committedAt = clock.monotonic()
  }

  get checkpoint(): Position {
    return this.#dropped?.from ?? this.#handled
  }

  async handle(frames: readonly Frame[]): Promise<void> {
    try {
      for (const frame of frames) {
        if (frame.end <= this.#handled) continue
        for (const copy of this.#copiesOf(frame)) await this.#deliver(copy, frame)
        this.#handled = frame.end
      }
    } finally {
      // Also while the target fails: the journal is not kept for what was let go of.
      if (!this.#isStopped) await this.#commitWhenDue()
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#sleep?.timer.cancel()
    this.#sleep?.wake()
    if (this.#hasNew || this.#dropped !== undefined) await this.#commit()
  }

  *#copiesOf({ payload }: Frame): Generator<EventCopy> {
    const { includesReads, includesData } = this.#options
    for (const { entry } of readEntries(payload, EVENTS)) {
      if (entry.kind !== 'event' || entry.class !== EventClass.aws) continue
      const isData = (entry.flags & EventFlag.data) !== 0
      if (isData && !includesData) continue
      const copy = eventCopyOf(entry.json.toString('utf8'))
      if (isData || includesReads || !copy.isRead) yield copy
    }
  }

  /** Rejects when it is to be tried again. */
  async #deliver(copy: EventCopy, frame: Frame): Promise<void> {
    const { clock, random } = this.#options.env
    for (;;) {
      if (this.#isBeyondBacklog(frame)) return this.#drop(copy, 'beyondBacklog')
      const left = this.#nextTryAt - clock.monotonic()
      if (left <= 0) break
      await this.#pause(Math.min(left, LOOK_MS))
    }
    const { status, problem } = await this.#post(copy)
    if (problem === undefined) {
      this.#failures = 0
      this.#hasNew = true
    } else if (status !== undefined && REFUSALS.has(status)) {
      this.#failures = 0
      this.#drop(copy, 'refused')
    } else {
      this.#nextTryAt = clock.monotonic() + backoffMs(RETRY, ++this.#failures, random)
      throw new Error(`the target of event copies: ${problem}`)
    }
  }

  #isBeyondBacklog({ end }: Frame): boolean {
    return this.#options.env.journal.durable - end > this.#options.backlogBytesMax
  }

  async #post({ body }: EventCopy): Promise<{ readonly status?: number; readonly problem?: string }> {
    const { outbound, target, authorization } = this.#options
    const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) }
    try {
      const { status } = await outbound.request({
        method: 'POST',
        url: target,
        headers,
        body,
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: ANSWER_BYTES_MAX,
        isRepeatable: true,
      })
      return status >= 200 && status < 300 ? { status } : { status, problem: `it answered with status ${status}` }
    } catch (error) {
      if (error instanceof OutboundRefused || error instanceof OutboundFailed) return { problem: error.message }
      throw error
    }
  }

  #drop({ time }: EventCopy, why: 'beyondBacklog' | 'refused'): void {
    this.#dropped ??= { from: this.#handled, oldest: time, newest: time, beyondBacklog: 0, refused: 0 }
    this.#dropped.newest = time
    this.#dropped[why]++
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#isStopped) throw new Error('the server is stopping')
    await new Promise<void>((wake) => {
      this.#sleep = { timer: this.#options.env.clock.after(milliseconds, wake), wake }
    })
    this.#sleep = undefined
    if (this.#isStopped) throw new Error('the server is stopping')
  }

  async #commitWhenDue(): Promise<void> {
    const now = this.#options.env.clock.monotonic()
    const isDue =
      this.#dropped !== undefined
        ? now - this.#toldAt >= TELL_MS
        : this.#hasNew
          ? now - this.#committedAt >= COMMIT_MS
          : this.#handled - this.#committed >= COMMIT_BYTES
    if (isDue) await this.#commit()
  }

  /** Where the copies stand, and what was let go of on the way, in one commit. */
  async #commit(): Promise<void> {
    const { commits, acts, clock, log } = this.#options.env
    const [handled, dropped] = [this.#handled, this.#dropped]
    await commits.commit((tx) => {
      tx.put(Table.checkpoints, NAME, { position: handled })
      if (dropped === undefined) return
      const { from, oldest, newest, beyondBacklog, refused } = dropped
      const details = { beyondBacklog, refused, oldestEventTime: oldest, newestEventTime: newest, fromPosition: from, toPosition: handled }
      acts.tell(tx, { name: 'EventCopiesDropped', details })
    }).done
    if (dropped !== undefined) {
      const { beyondBacklog, refused } = dropped
      log.warn('copies of events were let go of; the events themselves are in the record', { beyondBacklog, refused })
      this.#toldAt = clock.monotonic()
    }
    this.#dropped = undefined
    this.#hasNew = false
    this.#committed = handled
    this.#committedAt = clock.monotonic()
  }
}

/** Without a target nothing is owed: who sets one again gets what is committed from then on. */
export async function forgetEventCopies({ tables, commits }: Pick<Env, 'tables' | 'commits'>): Promise<void> {
  if (tables.get(Table.checkpoints, NAME) !== undefined) await commits.commit((tx) => tx.delete(Table.checkpoints, NAME)).done
}
