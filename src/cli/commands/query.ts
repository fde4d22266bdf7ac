// sealcast query: SQL over the record.
import { type Command, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { type QueryEnd, printRows, readTable, writeTable } from '../format/query-rows.ts'

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
    const form = given.json ? 'json' : given.csv ? 'csv' : 'table'
    const rowsMax = wholeNumber('rows', given.rows, Number.MAX_SAFE_INTEGER) ?? (form === 'table' ? TABLE_ROWS : undefined)
    const input = {
      Sql: sql,
      ...(rowsMax !== undefined && { RowsMax: rowsMax }),
      ...(given.timeout !== undefined && { TimeoutSeconds: wholeNumber('timeout', given.timeout, SECONDS_MAX) }),
    }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const lines = connection.lines('Query', input)
      if (form === 'table') {
        const table = await readTable(lines)
        await writeTable(table, terminal)
        terminal.note(`${table.count} ${table.count === 1 ? 'row' : 'rows'}\n`)
        tellMore(table, terminal)
      } else tellMore(await printRows(lines, form, terminal), terminal)
      return 0
    } finally {
      await connection.close()
    }
  },
}

function tellMore({ count, truncated }: QueryEnd, terminal: Terminal): void {
  if (truncated) terminal.note(`only the first ${count} rows; --rows N prints more\n`)
}

function wholeNumber(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new UsageError(`--${option} takes a whole number from 1 to ${max}, not ${text}`)
  return value
}
