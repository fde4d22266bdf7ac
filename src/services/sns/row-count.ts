// How many rows of a table begin with a prefix: counted once, a page at a time, and kept by watching the table from then on.
import type { TableNumber } from '../../model/tables.ts'
import type { Tables } from '../../engine/tables.ts'

export interface RowCount {
  /** Resolves when `of` knows the prefix. */
  load(prefix: string): Promise<void>
  /** MUST be asked for loaded prefixes alone. What is staged counts. */
  of(prefix: string): number
}

const PAGE_ROWS = 500

export function createRowCount(tables: Tables, table: TableNumber): RowCount {
  const keys = new Map<string, Set<string>>()
  const loads = new Map<string, Promise<void>>()
  tables.watch(table, (key) => {
    for (const [prefix, known] of keys)
      if (key.startsWith(prefix)) {
        if (tables.get(table, key) === undefined) known.delete(key)
        else known.add(key)
      }
  })
  const read = async (prefix: string): Promise<void> => {
    const known = new Set<string>()
    keys.set(prefix, known)
    for (let after: string | undefined; ;) {
      const rows = tables.range(table, { prefix, limit: PAGE_ROWS, ...(after !== undefined && { after }) })
      for (const { key } of rows) known.add(key)
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
