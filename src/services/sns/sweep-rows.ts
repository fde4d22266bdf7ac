// Takes away the rows of a table that are over, a page at a time, giving way to calls in between.
import type { Rows, TableNumber } from '../../model/tables.ts'
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'

const PAGE_ROWS = 500

export async function sweepRows<N extends TableNumber>(
  { tables, commits }: Pick<Env, 'tables' | 'commits'>,
  table: N,
  isOver: (row: Rows[N], reader: TableReader, now: number) => boolean,
): Promise<void> {
  for (let after: string | undefined; ;) {
    const rows = tables.range(table, { limit: PAGE_ROWS, ...(after !== undefined && { after }) })
    after = rows.at(-1)?.key
    if (after === undefined) return
    // Judged inside the commit: what changed meanwhile stays. A page of which nothing is over commits nothing.
    await commits.commit((tx) => {
      for (const { key } of rows) {
        const row = tx.get(table, key)
        if (row !== undefined && isOver(row, tx, tx.now)) tx.delete(table, key)
      }
    }).done
    await new Promise((resolve) => setImmediate(resolve))
  }
}
