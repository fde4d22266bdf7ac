// Stage and commit: one synchronous step decides, collects the entries of one frame, appends it and makes its changes visible.
// Either all of it is staged or nothing. What `work` throws leaves no trace.
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { jsonObject } from '../base/json-text.ts'
import type { Histogram } from '../base/meter.ts'
import { type EventClassCode, FrameBuilder } from '../model/entry.ts'
import type { MessageHeader } from '../model/message.ts'
import type { Rows, TableNumber } from '../model/tables.ts'
import type { Journal, Position } from '../storage/journal.ts'
import type { Queues, Waiting } from '../storage/queues.ts'
import type { Range } from '../storage/records.ts'
import { type Row, type StagedChange, type TableReader, type Tables, compareKeys } from './tables.ts'

/** Where a message stands in the frame being built. */
export interface MessageReference {
  readonly offset: number
  readonly length: number
}

export interface Transaction extends TableReader {
  /** The time of this commit, in ms since 1970: one value for all that is decided in it. */
  readonly now: number
  put<N extends TableNumber>(table: N, key: string, value: Rows[N]): void
  delete(table: TableNumber, key: string): void
  /** The next number of a counter, from 1; part of the commit. */
  nextNumber(counter: string): number
  event(event: { class: EventClassCode; flags: number; arrivedAt: number; json: string }): void
  /** `isForOutside` false: nobody outside this server is to get it. */
  message(header: MessageHeader, body: string, isForOutside?: boolean): MessageReference
  /** The message arrives in an own queue, visible from `visibleAt`. Returns its sequence there. */
  enqueue(queue: number, message: MessageReference, options: { route: number; visibleAt?: number }): number
  /** Takes messages that wait; each MUST then be hidden or removed in this transaction, else it goes back. */
  take(queue: number, max: number): Waiting[]
  hide(queue: number, sequence: number, state: { visibleAt: number; receives: number; firstReceivedAt: number }): void
  remove(queue: number, sequence: number): void
  drop(queue: number, before: number): void
  attempt(json: string): void
}

export interface Committed<T> {
  readonly result: T
  /** The frame's position, or undefined when nothing was staged. */
  readonly position: Position | undefined
  /** Resolves when the frame is durable and applied; rejects with JournalFailed. */
  readonly done: Promise<void>
}

export class Commits {
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #queues: Queues
  readonly #tables: Tables
  readonly #latency: Histogram | undefined
  readonly #builder = new FrameBuilder()
  #busy = false
  /** That of the newest frame; frames become durable in order, so it covers all before. */
  #newest = Promise.resolve()

  /** `latency` observes the milliseconds from each append to its being durable and applied. */
  constructor(parts: { clock: Clock; journal: Journal; queues: Queues; tables: Tables; latency?: Histogram }) {
    this.#latency = parts.latency
    this.#clock = parts.clock
    this.#journal = parts.journal
    this.#queues = parts.queues
    this.#tables = parts.tables
  }

  /** Runs `work` and commits what it staged as one frame. Throws what `work` throws, JournalFull and JournalFailed. */
  commit<T>(work: (tx: Transaction) => T): Committed<T> {
    assert(!this.#busy, 'one commit at a time: work is synchronous and commits nothing itself')
    this.#busy = true
    const draft = new Draft(this.#builder.reset(), this.#clock.now(), this.#tables, this.#queues)
    try {
      const result = work(draft)
      if (this.#builder.entries === 0) {
        draft.putBack()
        return { result, position: undefined, done: this.#afterStaged() }
      }
      draft.checkTaken()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      // Commit point: from here on the frame stands in the journal's order, and what it changes is visible to later calls.
      const appendedAt = this.#clock.monotonic()
      const position = this.#journal.append(this.#builder.bytes, this.#builder.entries, (failure) => {
        this.#latency?.observe(this.#clock.monotonic() - appendedAt)
        if (failure === undefined) resolve()
        else reject(failure)
      })
      this.#tables.stage(draft.changes, position)
      this.#newest = promise
      return { result, position, done: promise }
    } catch (error) {
      draft.putBack()
      throw error
    } finally {
      this.#busy = false
    }
  }

  /** Resolves when all that a reader may have seen so far is durable. */
  #afterStaged(): Promise<void> {
    return this.#tables.newestStaged === undefined ? Promise.resolve() : this.#newest
  }
}

class Draft implements Transaction {
  readonly now: number
  readonly changes: StagedChange[] = []
  readonly #builder: FrameBuilder
  readonly #tables: Tables
  readonly #queues: Queues
  #own: Map<string, StagedChange> | undefined
  readonly #taken: { readonly queue: number; readonly sequence: number }[] = []
  #unsettled = 0

  constructor(builder: FrameBuilder, now: number, tables: Tables, queues: Queues) {
    this.#builder = builder
    this.now = now
    this.#tables = tables
    this.#queues = queues
  }

  get<N extends TableNumber>(table: N, key: string): Rows[N] | undefined {
    const own = this.#own?.get(`${table} ${key}`)
    if (own !== undefined) return own.value as Rows[N] | undefined
    return this.#tables.get(table, key)
  }

  range<N extends TableNumber>(table: N, range: Range): Row<Rows[N]>[] {
    const own = this.changes.filter((change) => change.table === table)
    if (own.length === 0) return this.#tables.range(table, range)
    const limit = range.limit ?? Infinity
    const rows = new Map(this.#tables.range(table, { ...range, limit: limit + own.length }).map((row) => [row.key, row]))
    for (const { key, value } of own) {
      if (range.prefix !== undefined && !key.startsWith(range.prefix)) continue
      if (range.after !== undefined && compareKeys(key, range.after) * (range.reverse === true ? -1 : 1) <= 0) continue
      if (value === undefined) rows.delete(key)
      else rows.set(key, { key, value: value as Rows[N] })
    }
    const sorted = [...rows.values()].sort((a, b) => compareKeys(a.key, b.key) * (range.reverse === true ? -1 : 1))
    return limit === Infinity ? sorted : sorted.slice(0, limit)
  }

  put<N extends TableNumber>(table: N, key: string, value: Rows[N]): void {
    this.#builder.put(table, key, JSON.stringify(value))
    this.#change({ table, key, value })
  }

  delete(table: TableNumber, key: string): void {
    this.#builder.delete(table, key)
    this.#change({ table, key, value: undefined })
  }

  nextNumber(counter: string): number {
    const next = this.get(COUNTERS, counter)?.next ?? 1
    this.put(COUNTERS, counter, { next: next + 1 })
    return next
  }

  event(event: { class: EventClassCode; flags: number; arrivedAt: number; json: string }): void {
    this.#builder.event({ ...event, committedAt: this.now })
  }

  message(header: MessageHeader, body: string, isForOutside = true): MessageReference {
    return this.#builder.message(jsonObject(header), body, isForOutside)
  }

  enqueue(queue: number, message: MessageReference, options: { route: number; visibleAt?: number }): number {
    const sequence = this.#queues.nextSequence(queue)
    this.#builder.enqueue({
      queue,
      sequence,
      route: options.route,
      visibleAt: options.visibleAt ?? this.now,
      sentAt: this.now,
      messageOffset: message.offset,
      messageLength: message.length,
    })
    return sequence
  }

  take(queue: number, max: number): Waiting[] {
    const taken = this.#queues.take(queue, max, this.now)
    for (const { sequence } of taken) this.#taken.push({ queue, sequence })
    this.#unsettled += taken.length
    return taken
  }

  hide(queue: number, sequence: number, state: { visibleAt: number; receives: number; firstReceivedAt: number }): void {
    this.#builder.hide({ queue, sequence, ...state })
    this.#settleTaken(queue, sequence)
  }

  remove(queue: number, sequence: number): void {
    this.#builder.remove(queue, sequence)
    this.#settleTaken(queue, sequence)
  }

  drop(queue: number, before: number): void {
    this.#builder.drop(queue, before)
  }

  attempt(json: string): void {
    this.#builder.attempt(json)
  }

  checkTaken(): void {
    assert(this.#unsettled === 0, 'each message taken is hidden or removed in the same commit')
  }

  putBack(): void {
    for (const { queue, sequence } of this.#taken) this.#queues.untake(queue, sequence)
  }

  #settleTaken(queue: number, sequence: number): void {
    if (this.#taken.some((taken) => taken.queue === queue && taken.sequence === sequence)) this.#unsettled--
  }

  #change(change: StagedChange): void {
    this.changes.push(change)
    this.#own ??= new Map()
    this.#own.set(`${change.table} ${change.key}`, change)
  }
}

const COUNTERS = 15
