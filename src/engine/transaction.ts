// Stage and commit: one synchronous step decides, collects the entries of one frame, appends it and makes its changes visible.
// Either all of it is staged or nothing. What `work` throws leaves no trace.
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { jsonObject } from '../base/json-text.ts'
import type { Histogram } from '../base/meter.ts'
import { type EventClassCode, FrameBuilder } from '../model/entry.ts'
import type { MessageHeader } from '../model/message.ts'
import { type Rows, Table, type TableNumber } from '../model/tables.ts'
import type { Journal, Position } from '../storage/journal.ts'
import type { Queues, Waiting } from '../storage/queues.ts'
import type { Range } from '../storage/records.ts'
import { compareUtf8, SortedMap } from '../storage/sorted-map.ts'
import { overlaid, type Row, type StagedChange, type TableReader, type Tables } from './tables.ts'

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
  message(header: MessageHeader, body: string | Buffer, isForOutside?: boolean): MessageReference
  /** The message arrives in an own queue, visible from `visibleAt`, in a `group` of model/message-group.ts. Returns its sequence there. */
  enqueue(queue: number, message: MessageReference, options: EnqueueOptions): number
  /** Takes messages that wait; each MUST then be hidden or removed in this transaction, else it goes back. */
  take(queue: number, max: number): Waiting[]
  hide(queue: number, sequence: number, state: { visibleAt: number; receives: number; firstReceivedAt: number }): void
  remove(queue: number, sequence: number): void
  drop(queue: number, before: number): void
  /**
   * The queue keeps `value` (at most 1 KiB) under `key` (16 bytes) until that time, at most a day from now, in place of what it kept there.
   * Until a time that is past: it forgets.
   */
  remember(queue: number, key: Buffer, until: number, value: Buffer): void
  /** What the queue keeps under `key` at this time, staged ones included, or undefined. MUST NOT be changed. */
  recall(queue: number, key: Buffer): Buffer | undefined
  attempt(json: string): void
}

export interface EnqueueOptions {
  readonly route: number
  /** From when its retention counts, where that is earlier than its arrival. */
  readonly sentAt?: number
  readonly visibleAt?: number
  readonly group?: number
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
  readonly #memories: StagedMemories = new Map()
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
    const draft = new Draft(this.#builder.reset(), this.#clock.now(), this.#tables, this.#queues, this.#memories)
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
        for (const [name, memory] of draft.memories ?? []) if (this.#memories.get(name) === memory) this.#memories.delete(name)
        if (failure === undefined) resolve()
        else reject(failure)
      })
      this.#tables.stage(draft.changes, position)
      for (const [name, memory] of draft.memories ?? []) this.#memories.set(name, memory)
      this.#newest = promise
      return { result, position, done: promise }
    } catch (error) {
      draft.putBack()
      throw error
    } finally {
      this.#busy = false
    }
  }

  /** Resolves when all that was committed so far is durable and applied; rejects with JournalFailed. */
  settled(): Promise<void> {
    return this.#newest
  }

  /** Resolves when all that a reader may have seen so far is durable. */
  #afterStaged(): Promise<void> {
    return this.#tables.newestStaged === undefined && this.#memories.size === 0 ? Promise.resolve() : this.#newest
  }
}

/** By queue and key: what frames tell a queue to remember that are not applied yet. */
type StagedMemories = Map<string, { readonly until: number; readonly value: Buffer }>

function memoryName(queue: number, key: Buffer): string {
  return `${queue} ${key.toString('latin1')}`
}

class Draft implements Transaction {
  readonly now: number
  readonly changes: StagedChange[] = []
  readonly #builder: FrameBuilder
  readonly #tables: Tables
  readonly #queues: Queues
  /** What this frame tells queues to remember. */
  memories: StagedMemories | undefined
  readonly #stagedMemories: StagedMemories
  #own: Map<TableNumber, Map<string, StagedChange>> | undefined
  #sorted: Map<TableNumber, SortedMap<true>> | undefined
  readonly #taken: { readonly queue: number; readonly sequence: number }[] = []
  #unsettled = 0
  /** Where the one taken message is looked for first that is settled next. */
  #settledUpTo = 0

  constructor(builder: FrameBuilder, now: number, tables: Tables, queues: Queues, stagedMemories: StagedMemories) {
    this.#builder = builder
    this.now = now
    this.#tables = tables
    this.#queues = queues
    this.#stagedMemories = stagedMemories
  }

  get<N extends TableNumber>(table: N, key: string): Rows[N] | undefined {
    const own = this.#own?.get(table)?.get(key)
    if (own !== undefined) return own.value as Rows[N] | undefined
    return this.#tables.get(table, key)
  }

  range<N extends TableNumber>(table: N, range: Range): Row<Rows[N]>[] {
    const own = this.#own?.get(table)
    if (own === undefined) return this.#tables.range(table, range)
    const sorted = this.#sortedOwn(table, own)
    const { prefix = '', after, reverse = false } = range
    const isBelow = (key: string): boolean => compareUtf8(key, prefix) < 0
    const within = sorted.between(
      (key) => isBelow(key) || (!reverse && after !== undefined && compareUtf8(key, after) <= 0),
      (key) => isBelow(key) || (key.startsWith(prefix) && (!reverse || after === undefined || compareUtf8(key, after) < 0)),
    )
    const changes = within.map((key) => [key, { value: own.get(key)?.value }] as const)
    return overlaid((part) => this.#tables.range(table, part), changes, range)
  }

  /** Its keys in order, from the first range on: a commit that changes thousands of rows may read as many ranges. */
  #sortedOwn(table: TableNumber, own: ReadonlyMap<string, StagedChange>): SortedMap<true> {
    this.#sorted ??= new Map()
    let sorted = this.#sorted.get(table)
    if (sorted === undefined) {
      this.#sorted.set(table, (sorted = new SortedMap()))
      for (const key of own.keys()) sorted.set(key, true)
    }
    return sorted
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
    const next = this.get(Table.counters, counter)?.next ?? 1
    this.put(Table.counters, counter, { next: next + 1 })
    return next
  }

  event(event: { class: EventClassCode; flags: number; arrivedAt: number; json: string }): void {
    this.#builder.event({ ...event, committedAt: this.now })
  }

  message(header: MessageHeader, body: string | Buffer, isForOutside = true): MessageReference {
    return this.#builder.message(jsonObject(header), body, isForOutside)
  }

  enqueue(queue: number, message: MessageReference, options: EnqueueOptions): number {
    const sequence = this.#queues.nextSequence(queue)
    this.#builder.enqueue({
      queue,
      sequence,
      route: options.route,
      visibleAt: options.visibleAt ?? options.sentAt ?? this.now,
      sentAt: options.sentAt ?? this.now,
      messageOffset: message.offset,
      messageLength: message.length,
      group: options.group ?? 0,
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

  remember(queue: number, key: Buffer, until: number, value: Buffer): void {
    assert(until <= this.now + MEMORY_MS_MAX, 'a memory of at most a day')
    this.#builder.remember({ queue, key, until, value })
    this.memories ??= new Map()
    // A copy, since the caller may use its buffers again.
    this.memories.set(memoryName(queue, key), { until, value: Buffer.from(value) })
  }

  recall(queue: number, key: Buffer): Buffer | undefined {
    if (this.memories !== undefined || this.#stagedMemories.size > 0) {
      const name = memoryName(queue, key)
      const staged = this.memories?.get(name) ?? this.#stagedMemories.get(name)
      if (staged !== undefined) return staged.until > this.now ? staged.value : undefined
    }
    return this.#queues.recall(queue, key, this.now)
  }

  attempt(json: string): void {
    this.#builder.attempt(json)
  }

  checkTaken(): void {
    assert(this.#unsettled === 0, 'each message taken is hidden or removed in the same commit')
  }

  putBack(): void {
    // The last one first, so that each finds its place as it was.
    for (const { queue, sequence } of this.#taken.toReversed()) this.#queues.untake(queue, sequence)
  }

  #settleTaken(queue: number, sequence: number): void {
    // Most are settled in the order they were taken in.
    for (let looked = 0; looked < this.#taken.length; looked++) {
      const at = (this.#settledUpTo + looked) % this.#taken.length
      const taken = this.#taken[at]
      if (taken?.sequence !== sequence || taken.queue !== queue) continue
      this.#settledUpTo = at + 1
      this.#unsettled--
      return
    }
  }

  #change(change: StagedChange): void {
    this.changes.push(change)
    this.#own ??= new Map()
    const own = this.#own.get(change.table)
    if (own === undefined) this.#own.set(change.table, new Map([[change.key, change]]))
    else own.set(change.key, change)
    this.#sorted?.get(change.table)?.set(change.key, true)
  }
}

const MEMORY_MS_MAX = 24 * 60 * 60 * 1000
