// The rows that a query's answer brings: printed as they come, or read whole for a table.
import type { SqlValue } from '../../model/sql-rows.ts'
import type { LakeColumn } from '../../storage/lake.ts'
import type { Terminal } from '../command.ts'
import { formatCsvRow } from './csv.ts'
import { formatJsonRow } from './json.ts'
import { formatTable } from './table.ts'

type Row = readonly SqlValue[]

type QueryLine = { readonly columns: readonly LakeColumn[] } | { readonly rows: readonly Row[] } | QueryEnd

export interface QueryEnd {
  readonly count: number
  /** There were more. */
  readonly truncated: boolean
}

export interface QueryTable extends QueryEnd {
  readonly columns: readonly LakeColumn[]
  readonly rows: readonly Row[]
}

/** `lines`: the answer of the operation Query. */
export async function readTable(lines: AsyncIterable<unknown>): Promise<QueryTable> {
  let columns: readonly LakeColumn[] = []
  const rows: Row[] = []
  let end: QueryEnd = { count: 0, truncated: false }
  for await (const line of lines as AsyncIterable<QueryLine>) {
    if ('columns' in line) columns = line.columns
    else if ('rows' in line) for (const row of line.rows) rows.push(row)
    else end = line
  }
  return { ...end, columns, rows }
}

export function writeTable({ columns, rows }: QueryTable, terminal: Terminal): Promise<void> {
  return terminal.write(formatTable(columns, rows, { width: terminal.isOutputTerminal ? terminal.columns : undefined }))
}

export async function printRows(lines: AsyncIterable<unknown>, form: 'json' | 'csv', terminal: Terminal): Promise<QueryEnd> {
  let columns: readonly LakeColumn[] = []
  let end: QueryEnd = { count: 0, truncated: false }
  for await (const line of lines as AsyncIterable<QueryLine>) {
    if ('columns' in line) {
      columns = line.columns
      if (form === 'csv') await terminal.write(formatCsvRow(columns.map(({ name }) => name)))
    } else if ('rows' in line)
      await terminal.write(line.rows.map((row) => (form === 'csv' ? formatCsvRow(row) : formatJsonRow(columns, row))).join(''))
    else end = line
  }
  return end
}
