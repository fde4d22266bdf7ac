// sealcast query: SQL over the record.
import type { SqlValue } from '../../model/sql-rows.ts'
import type { LakeColumn } from '../../storage/lake.ts'
import { type Command, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { formatCsvRow } from '../format/csv.ts'
import { formatJsonRow } from '../format/json.ts'
import { formatTable } from '../format/table.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print rows as JSON lines' },
  csv: { kind: 'flag', help: 'print rows as CSV with a header' },
  rows: { kind: 'text', value: 'N', help: 'print at most N rows (a table: 1000 unless given)' },
  timeout: { kind: 'text', value: 'SECONDS', help: 'give up after so long (60)' },
} as const

const TABLE_ROWS = 1000
const SECONDS_MAX = 3600

export const query: Command<typeof options> = {
  summary: 'ask the record in SQL: tables events and deliveries',
  operands: '"SELECT ..."',
  help: [
    "events has the columns of Athena's CloudTrail table, and event_class, arrived_at, committed_at, duration_ms, event_time, position and",
    'eventjson. deliveries has a row for each attempt. All that is recorded when the command starts is in the answer.',
    '',
    'examples:',
    '  sealcast query "SELECT eventsource, count(*) AS calls FROM events GROUP BY 1 ORDER BY 2 DESC"',
    '  sealcast query "SELECT event_time, eventname, errorcode FROM events WHERE errorcode IS NOT NULL ORDER BY 1 DESC LIMIT 20"',
    "  sealcast query \"SELECT json_extract_string(requestparameters, '$.topicArn') AS topic, count(*) FROM events" +
      " WHERE eventname = 'Publish' GROUP BY 1\"",
    '  sealcast query "SELECT endpoint, outcome, count(*) FROM deliveries GROUP BY ALL"',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [sql, ...others] = operands
    if (sql === undefined || others.length > 0) throw new UsageError('give one statement in quotes: sealcast query "SELECT ..."')
    if (given.json && given.csv) throw new UsageError('--json and --csv exclude each other')
    const isTable = !given.json && !given.csv
    const rowsMax = wholeNumber('rows', given.rows, Number.MAX_SAFE_INTEGER) ?? (isTable ? TABLE_ROWS : undefined)
    const input = {
      Sql: sql,
      ...(rowsMax !== undefined && { RowsMax: rowsMax }),
      ...(given.timeout !== undefined && { TimeoutSeconds: wholeNumber('timeout', given.timeout, SECONDS_MAX) }),
    }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      await print(connection.lines('Query', input), given, terminal)
      return 0
    } finally {
      await connection.close()
    }
  },
}

type QueryLine =
  | { readonly columns: readonly LakeColumn[] }
  | { readonly rows: readonly (readonly SqlValue[])[] }
  | { readonly count: number; readonly truncated: boolean }

async function print(
  lines: AsyncIterable<unknown>,
  { json, csv }: { readonly json: boolean; readonly csv: boolean },
  terminal: Terminal,
): Promise<void> {
  let columns: readonly LakeColumn[] = []
  const table: (readonly SqlValue[])[] = []
  for await (const line of lines as AsyncIterable<QueryLine>) {
    if ('columns' in line) {
      columns = line.columns
      if (csv) await terminal.write(formatCsvRow(columns.map(({ name }) => name)))
    } else if ('rows' in line) {
      if (json) await terminal.write(line.rows.map((row) => formatJsonRow(columns, row)).join(''))
      else if (csv) await terminal.write(line.rows.map(formatCsvRow).join(''))
      else for (const row of line.rows) table.push(row)
    } else {
      if (!json && !csv) {
        await terminal.write(formatTable(columns, table, { width: terminal.isOutputTerminal ? terminal.columns : undefined }))
        terminal.note(`${line.count} ${line.count === 1 ? 'row' : 'rows'}\n`)
      }
      if (line.truncated) terminal.note(`only the first ${line.count} rows; --rows N prints more\n`)
    }
  }
}

function wholeNumber(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new UsageError(`--${option} takes a whole number from 1 to ${max}, not ${text}`)
  return value
}
