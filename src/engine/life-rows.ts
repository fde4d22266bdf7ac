// How the server's life is kept: the row that says whether it runs, and the spans in which nothing could be recorded.
import { DOWN_PREFIX, downKey, type DownCause, type DownRow, type LifeRow } from '../model/acts.ts'
import { Table } from '../model/tables.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

export function lifeOf(tables: TableReader): LifeRow | undefined {
  const row = tables.get(Table.acts, 'life')
  return row?.kind === 'life' ? row : undefined
}

/** Changes what is given; the rest stays. */
export function putLife(tx: Transaction, change: Omit<LifeRow, 'kind'>): void {
  tx.put(Table.acts, 'life', { ...lifeOf(tx), ...change, kind: 'life' })
}

/** Closed spans and the open one, by their beginning. */
export function downSpans(tables: TableReader): DownRow[] {
  return tables.range(Table.acts, { prefix: DOWN_PREFIX }).flatMap(({ value }) => (value.kind === 'down' ? [value] : []))
}

/** A span is open at a time: what was open ends where the new one begins. */
export function putDown(tx: Transaction, span: { readonly from: number; readonly to?: number; cause: DownCause; what?: string }): void {
  closeDown(tx, span.from)
  tx.put(Table.acts, downKey(span.from), { kind: 'down', ...span })
}

/** Ends the open span. `cause` says better what it was, where its end shows it. */
export function closeDown(tx: Transaction, to: number, cause?: DownCause): void {
  const open = downSpans(tx).find((span) => span.to === undefined)
  if (open === undefined) return
  // The clock may have gone back meanwhile.
  tx.put(Table.acts, downKey(open.from), { ...open, to: Math.max(open.from, to), ...(cause !== undefined && { cause }) })
}

export function iso(time: number): string {
  return new Date(time).toISOString()
}

export function jumpDetails(from: number, to: number): Readonly<Record<string, unknown>> {
  return { from: iso(from), to: iso(to), seconds: (to - from) / 1000 }
}
