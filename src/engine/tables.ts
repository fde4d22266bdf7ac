// The records as the engine sees them: decoded, cached, and with what is staged on top of what is applied, so that a later call sees
// what an earlier one decided although it is not durable yet. An answer waits for its own frame, and frames become durable in order;
// who commits nothing asks `newestStaged` what it has to wait for.
import { type Rows, Table, type TableNumber } from '../model/tables.ts'
import type { Position } from '../storage/journal.ts'
import type { Range, Records } from '../storage/records.ts'
import { compareUtf8 } from '../storage/sorted-map.ts'

export interface Row<T> {
  readonly key: string
  readonly value: T
}

export interface TableReader {
  /** The current value, staged ones included. Values are shared: never change one. */
  get<N extends TableNumber>(table: N, key: string): Rows[N] | undefined
  /** In key order (by bytes), staged changes included. */
  range<N extends TableNumber>(table: N, range: Range): Row<Rows[N]>[]
}

export type StagedChange = { readonly table: TableNumber; readonly key: string; readonly value: unknown }

interface Staged {
  readonly value: unknown
  readonly position: Position
}

const CACHED_ROWS_MAX = 50_000
/** Their rows carry whole messages, and are read once. */
const UNCACHED: ReadonlySet<TableNumber> = new Set([Table.pendingDeliveries, Table.pendingBodies, Table.bucketEvents, Table.captured])

export class Tables implements TableReader {
  readonly #records: Records
  readonly #staged = new Map<TableNumber, Map<string, Staged>>()
  readonly #order: { table: TableNumber; key: string; position: Position }[] = []
  #orderHead = 0
  readonly #cache = new Map<TableNumber, Map<string, unknown>>()
  readonly #watchers = new Map<TableNumber, ((key: string) => void)[]>()

  constructor(records: Records) {
    this.#records = records
  }

  /** The position of the newest change that is staged and not yet applied, or undefined. */
  get newestStaged(): Position | undefined {
    return this.#order.at(-1)?.position
  }

  get<N extends TableNumber>(table: N, key: string): Rows[N] | undefined {
    const staged = this.#staged.get(table)?.get(key)
    if (staged !== undefined) return staged.value as Rows[N] | undefined
    let cache = this.#cache.get(table)
    if (cache === undefined) this.#cache.set(table, (cache = new Map()))
    const cached = cache.get(key)
    if (cached !== undefined || cache.has(key)) return cached as Rows[N] | undefined
    const stored = this.#records.get(table, key)
    const value = stored === undefined ? undefined : (JSON.parse(stored.toString('utf8')) as unknown)
    this.#keep(table, cache, key, value)
    return value as Rows[N] | undefined
  }

  range<N extends TableNumber>(table: N, range: Range): Row<Rows[N]>[] {
    const staged = this.#staged.get(table)
    if (staged === undefined || staged.size === 0) return this.#stored(table, range)
    const within = [...staged].filter(([key]) => isWithin(key, range))
    return overlaid<Rows[N]>((part) => this.#stored(table, part), within, range)
  }

  /** Calls `changed` for each key that is staged from now on: how a derived index knows what to forget. Returns what ends it. */
  watch(table: TableNumber, changed: (key: string) => void): () => void {
    this.#watchers.set(table, [...(this.#watchers.get(table) ?? []), changed])
    return () =>
      this.#watchers.set(
        table,
        (this.#watchers.get(table) ?? []).filter((watcher) => watcher !== changed),
      )
  }

  /** Makes changes visible whose frame stands at `position`. */
  stage(changes: readonly StagedChange[], position: Position): void {
    for (const { table, key, value } of changes) {
      let staged = this.#staged.get(table)
      if (staged === undefined) this.#staged.set(table, (staged = new Map()))
      staged.set(key, { value, position })
      this.#order.push({ table, key, position })
      for (const changed of this.#watchers.get(table) ?? []) changed(key)
    }
  }

  /** Everything before `end` is applied to the records: the overlay may let go of it. */
  applied(end: Position): void {
    while (this.#orderHead < this.#order.length) {
      const next = this.#order[this.#orderHead]
      if (next === undefined || next.position >= end) break
      this.#orderHead++
      const staged = this.#staged.get(next.table)
      const current = staged?.get(next.key)
      if (staged === undefined || current === undefined || current.position !== next.position) continue
      staged.delete(next.key)
      let cache = this.#cache.get(next.table)
      if (cache === undefined) this.#cache.set(next.table, (cache = new Map()))
      this.#keep(next.table, cache, next.key, current.value)
    }
    if (this.#orderHead === this.#order.length || this.#orderHead > 4096) {
      this.#order.splice(0, this.#orderHead)
      this.#orderHead = 0
    }
  }

  #keep(table: TableNumber, cache: Map<string, unknown>, key: string, value: unknown): void {
    if (UNCACHED.has(table)) return
    if (cache.size >= CACHED_ROWS_MAX) cache.clear()
    cache.set(key, value)
  }

  #stored<N extends TableNumber>(table: N, range: Range): Row<Rows[N]>[] {
    const cache = this.#cache.get(table)
    const rows: Row<Rows[N]>[] = []
    for (const { key, value } of this.#records.range(table, range)) {
      const known = cache?.get(key) as Rows[N] | undefined
      rows.push({ key, value: known ?? (JSON.parse(value.toString('utf8')) as Rows[N]) })
    }
    return rows
  }
}

export type Overlay = readonly (readonly [key: string, { readonly value: unknown }])[]

/** A range of what `read` gives with changes of rows within it on top; a value that is undefined is a deletion. */
export function overlaid<T>(read: (range: Range) => Row<T>[], within: Overlay, range: Range): Row<T>[] {
  if (within.length === 0) return read(range)
  const { limit = Infinity } = range
  // Only deletions can leave fewer rows than were read.
  const deletions = within.reduce((sum, [, { value }]) => (value === undefined ? sum + 1 : sum), 0)
  const rows = new Map(read({ ...range, limit: limit + deletions }).map((row) => [row.key, row]))
  for (const [key, { value }] of within) {
    if (value === undefined) rows.delete(key)
    else rows.set(key, { key, value: value as T })
  }
  const sorted = [...rows.values()].sort((a, b) => compareKeys(a.key, b.key))
  if (range.reverse === true) sorted.reverse()
  return limit === Infinity ? sorted : sorted.slice(0, limit)
}

export function compareKeys(a: string, b: string): number {
  return compareUtf8(a, b)
}

function isWithin(key: string, { prefix, after, reverse }: Range): boolean {
  if (prefix !== undefined && !key.startsWith(prefix)) return false
  if (after === undefined) return true
  return reverse === true ? compareKeys(key, after) < 0 : compareKeys(key, after) > 0
}
