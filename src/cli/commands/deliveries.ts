// sealcast deliveries: what became of one message, attempt by attempt.
import { type Command, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import type { Connection } from '../connect.ts'
import { printRows, readTable, writeTable } from '../format/query-rows.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print each attempt with all that is recorded of it, as JSON lines' },
} as const

/** Ids that AWS and we give, and what a person may cut off in copying cannot lead out of the statement. */
const MESSAGE_ID = /^[\w-]{1,100}$/
/** Of a table; JSON lines come as they are read. */
const ROWS_MAX = 10_000

export const deliveries: Command<typeof options> = {
  summary: 'show the attempts at delivering a message',
  operands: 'MESSAGE_ID',
  help: [
    'A row for each attempt: when, to whom, how it ended (delivered, retry, refused, exhausted, dead-lettered, dropped), the status that',
    'was answered, how long it took, why it failed, and when the next one is due. Attempts are kept for deliveries.retentionDays.',
    "What a topic's feedback attributes ask for stands in the columns log_group and status_log of --json and of the table deliveries.",
    '',
    'example:',
    '  sealcast deliveries "$(aws sns publish --topic-arn $TOPIC --message hello --query MessageId --output text)"',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [messageId, ...others] = operands
    if (messageId === undefined || others.length > 0)
      throw new UsageError('give one message id, as Publish answered it: sealcast deliveries 1b2c3d4e-...')
    if (!MESSAGE_ID.test(messageId)) throw new UsageError(`${messageId} is no message id: letters, digits and hyphens`)
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      if (given.json) await printRows(connection.lines('Query', { Sql: statement('*', messageId) }), 'json', terminal)
      else await printTable(connection, messageId, terminal)
      return 0
    } finally {
      await connection.close()
    }
  },
}

const ORDER = 'ORDER BY started_at, protocol, endpoint, attempt'
const SHOWN = 'started_at AS time, protocol, endpoint, attempt, outcome, status, duration_ms AS ms, reason, next_attempt_at AS next_attempt'

async function printTable(connection: Connection, messageId: string, terminal: Terminal): Promise<void> {
  const table = await readTable(connection.lines('Query', { Sql: statement(SHOWN, messageId), RowsMax: ROWS_MAX }))
  const { count, truncated } = table
  if (count === 0)
    return terminal.note(
      `no attempt is recorded for ${messageId}: it is not known, had no subscriber, or is older than deliveries.retentionDays\n`,
    )
  await writeTable(table, terminal)
  terminal.note(count === 1 ? '1 attempt\n' : `${count} attempts\n`)
  if (truncated) terminal.note(`only the first ${ROWS_MAX}; --json prints all of them\n`)
}

function statement(columns: string, messageId: string): string {
  return `SELECT ${columns} FROM deliveries WHERE message_id = '${messageId}' ${ORDER}`
}
