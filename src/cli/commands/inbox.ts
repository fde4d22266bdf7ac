// sealcast inbox: what was captured instead of being sent, for people and for tests that wait for it.
import type { CapturedMessage } from '../../model/captured.ts'
import { askUrl } from '../ask-url.ts'
import { type Command, CommandError, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { millisecondsOf } from '../duration.ts'
import { printable } from '../format/display-width.ts'

const options = {
  data: DATA_OPTION,
  url: { kind: 'text', value: 'URL', help: 'a server started with --dev, in place of a data directory' },
  to: { kind: 'text', value: 'ADDRESS', help: 'only what went to this address, number or ARN' },
  protocol: { kind: 'text', value: 'PROTOCOL', help: 'only what went out by it: email, sms, lambda, ...' },
  after: { kind: 'text', value: 'ID', help: 'only what came after the message with this id' },
  limit: { kind: 'text', value: 'COUNT', help: 'the newest so many (100)' },
  wait: { kind: 'text', value: 'TIME', help: 'wait for a message, at most so long: 500ms, 5s, 1m; exit code 1 when none came' },
  json: { kind: 'flag', help: 'print each message as a JSON line' },
} as const

export const inbox: Command<typeof options> = {
  summary: 'show what was captured instead of being sent: mails, texts, pushes',
  help: [
    'Protocols whose provider is `capture` send nothing: what would go out is kept here, the newest 1,000 messages or 32 MiB of them.',
    'On a server started with --dev these are all protocols that no provider is set for.',
    '',
    'examples:',
    '  sealcast inbox --to bob@example.com --wait 5s --json | jq -r .body',
    '  sealcast inbox --url http://127.0.0.1:4566 --protocol sms',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`inbox takes no operands, but got ${operands.join(' ')}`)
    if (given.url !== undefined && given.data !== undefined) throw new UsageError('give --url or --data, not both')
    const query = {
      ...(given.to !== undefined && { to: given.to }),
      ...(given.protocol !== undefined && { protocol: given.protocol }),
      ...(given.after !== undefined && { after: given.after }),
      ...(given.limit !== undefined && { limit: given.limit }),
      ...(given.wait !== undefined && { waitSeconds: String(secondsOf(given.wait)) }),
    }
    const messages =
      given.url === undefined ? askDirectory(dataFolderOf(given.data, terminal), query, terminal) : askServer(given.url, query)
    let count = 0
    for await (const message of messages) {
      await terminal.write(given.json ? `${JSON.stringify(message)}\n` : `${count === 0 ? '' : '\n'}${describe(message)}`)
      count++
    }
    if (count > 0) return 0
    terminal.note(given.wait === undefined ? 'nothing was captured\n' : `nothing came within ${given.wait}\n`)
    return given.wait === undefined ? 0 : 1
  },
}

type Query = Readonly<Record<string, string>>

async function* askDirectory(folder: string, query: Query, terminal: Terminal): AsyncGenerator<CapturedMessage> {
  const connection = await terminal.connect(folder)
  try {
    yield* connection.lines('ListCaptured', query) as AsyncIterable<CapturedMessage>
  } finally {
    await connection.close()
  }
}

async function* askServer(url: string, query: Query): AsyncGenerator<CapturedMessage> {
  const answer = await askUrl(url, `/_sealcast/inbox?${new URLSearchParams(query).toString()}`, { what: 'inbox' })
  const { messages } = answer as { readonly messages?: readonly CapturedMessage[] }
  if (messages === undefined) throw new CommandError(`no inbox at ${url}`)
  yield* messages
}

const WAIT_MS_MAX = 60_000

function secondsOf(text: string): number {
  const milliseconds = millisecondsOf(text)
  if (milliseconds === undefined || milliseconds > WAIT_MS_MAX)
    throw new UsageError(`--wait takes a time up to 60s, such as 500ms, 5s or 1m, not ${text}`)
  return milliseconds / 1000
}

/** What else there is of it, `--json` tells. */
function describe({ id, at, protocol, to, subject, headers = {}, body }: CapturedMessage): string {
  const from = headers['From']
  const lines = [
    `── ${id}  ${at}  ${protocol}  ${to} ──`,
    ...(from === undefined ? [] : [`From: ${from}`]),
    ...(subject === undefined ? [] : [`Subject: ${subject}`]),
    '',
    ...body.replace(/\n$/, '').split(/\r?\n/),
  ]
  // What others wrote must not steer the terminal.
  return lines.map((line) => `${printable(line)}\n`).join('')
}
