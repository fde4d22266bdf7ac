// How many rows of a table begin with a prefix: counted once, a page at a time, and kept by watching the table from then on.
import type { Rows, TableNumber } from '../../model/tables.ts'
import type { Tables } from '../../engine/tables.ts'

export interface RowCount {
  /** Resolves when `of` knows the prefix. */
  load(prefix: string): Promise<void>
  /** MUST be asked for loaded prefixes alone. What is staged counts. */
  of(prefix: string): number
}

const PAGE_ROWS = 500

/** `counts`: which rows. */
export function createRowCount<N extends TableNumber>(tables: Tables, table: N, counts: (row: Rows[N]) => boolean): RowCount {
  const keys = new Map<string, Set<string>>()
  const loads = new Map<string, Promise<void>>()
  tables.watch(table, (key) => {
    for (const [prefix, known] of keys)
      if (key.startsWith(prefix)) {
        const row = tables.get(table, key)
        if (row !== undefined && counts(row)) known.add(key)
        else known.delete(key)
      }
  })
  const read = async (prefix: string): Promise<void> => {
    const known = new Set<string>()
    keys.set(prefix, known)
    for (let after: string | undefined; ;) {
      const rows = tables.range(table, { prefix, limit: PAGE_ROWS, ...(after !== undefined && { after }) })
      for (const { key, value } of rows) if (counts(value)) known.add(key)
      after = rows.at(-1)?.key
      if (rows.length < PAGE_ROWS) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return {
    load(prefix) {
      let load = loads.get(prefix)
      if (load === undefined) loads.set(prefix, (load = read(prefix)))
      return load
    },
    of: (prefix) => keys.get(prefix)?.size ?? 0,
  }
}
