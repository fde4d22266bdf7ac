// sealcast coverage: what each minute was for the record and for each trail: logged, down and why, or unselected and by whom.
import type { CoverageSpan, CoverageState } from '../../model/coverage.ts'
import { type Command, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'
import { printable } from '../format/display-width.ts'
import { formatTable } from '../format/table.ts'

const options = {
  data: DATA_OPTION,
  from: { kind: 'text', value: 'TIME', help: 'beginning: 2026-01-31, 2026-01-31T12:00:00Z, or so long before --to: 90m, 24h, 7d (24h)' },
  to: { kind: 'text', value: 'TIME', help: 'end (now)' },
  account: { kind: 'text', value: 'ID', help: "only this account's trails" },
  region: { kind: 'text', value: 'REGION', help: "only trails that take this region's events" },
  json: { kind: 'flag', help: 'print one JSON object: spans in milliseconds since 1970, and minutes by state' },
} as const

interface Covered {
  readonly spans: readonly CoverageSpan[]
  readonly minutes: Readonly<Record<CoverageState, number>>
}
interface Report {
  readonly from: number
  readonly to: number
  readonly server: Covered
  readonly census: {
    readonly spans: number
    readonly events: number
    readonly mismatches: readonly { readonly from: number; readonly to: number; readonly told: number; readonly found: number }[]
  }
  readonly trails: readonly (Covered & { readonly trailArn: string; readonly isGone: boolean })[]
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BAR_COLUMNS = 60
const SIGNS: Readonly<Record<CoverageState, string>> = { logged: '█', partly: '▓', unselected: '░', unknown: '?', down: '·' }

export const coverage: Command<typeof options> = {
  summary: 'tell what each minute was: logged, down and why, or unselected and by whom',
  help: [
    "The server's own record takes every event while it runs; a trail takes what it selects while it logs. A minute that was logged in",
    'part counts as not logged. "partly": the selectors leave out some management events.',
    'The census compares the calls that were counted as they were served with the events found. Exit code 1 when a minute of the server',
    'was down or is unknown, or when a census does not hold.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`coverage takes no ${operands[0] ?? ''}; give --from and --to`)
    const input = {
      ...spanOf(given.from, given.to, Date.now()),
      ...(given.account !== undefined && { AccountId: given.account }),
      ...(given.region !== undefined && { Region: given.region }),
    }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const report = await callOnce<Report>(connection, 'Coverage', input)
      await terminal.write(given.json ? `${JSON.stringify(report)}\n` : describe(report, terminal))
      const { down, unknown } = report.server.minutes
      return down + unknown + report.census.mismatches.length > 0 ? 1 : 0
    } finally {
      await connection.close()
    }
  },
}

function spanOf(from: string | undefined, to: string | undefined, now: number): { readonly From?: string; readonly To?: string } {
  const ago = /^(\d{1,6})([mhd])$/.exec(from ?? '')
  const unit = ago?.[2] as keyof typeof UNIT_MS | undefined
  if (unit === undefined) return { ...(from !== undefined && { From: from }), ...(to !== undefined && { To: to }) }
  const end = to === undefined ? now : Date.parse(to)
  if (Number.isNaN(end)) throw new UsageError(`--to takes a time such as 2026-01-31T12:00:00Z, not ${to ?? ''}`)
  const start = end - Number(ago?.[1]) * UNIT_MS[unit]
  return { From: new Date(start).toISOString(), ...(to !== undefined && { To: to }) }
}

function describe({ from, to, server, census, trails }: Report, terminal: Terminal): string {
  const blocks = [
    part('the record', server, from, to, terminal) + describeCensus(census),
    ...trails.map((trail) => part(trail.trailArn + (trail.isGone ? ' (deleted)' : ''), trail, from, to, terminal)),
    ...(trails.length === 0 ? ['no trail takes what was asked for\n'] : []),
  ]
  const legend = Object.entries(SIGNS).map(([state, sign]) => `${sign} ${state}`)
  return `${time(from)} to ${time(to)}   ${legend.join('  ')}\n\n${blocks.join('\n')}`
}

function describeCensus({ spans, events, mismatches }: Report['census']): string {
  if (spans === 0) return 'census: none was told in this time\n'
  if (mismatches.length === 0) return `census: calls, less what is listed, are the ${events} events found, in each of ${spans} spans\n`
  return mismatches
    .map((one) => `census: from ${time(one.from)} to ${time(one.to)} the calls ask for ${one.told} events, and ${one.found} were found\n`)
    .join('')
}

function part(name: string, { spans, minutes }: Covered, from: number, to: number, terminal: Terminal): string {
  const counts = Object.entries(minutes).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
  const others = spans.filter(({ state }) => state !== 'logged')
  const rows = others.map((span) => [time(span.from), time(span.to), span.state, span.why ?? '', span.by ?? ''])
  const columns = ['from', 'to', 'state', 'why', 'by'].map((column) => ({ name: column, type: 'VARCHAR' }))
  const table = rows.length === 0 ? '' : formatTable(columns, rows, { width: terminal.isOutputTerminal ? terminal.columns : undefined })
  return `${printable(name)}: minutes ${counts.join(', ')}\n${bar(spans, from, to)}\n${table}`
}

/** The worst of what a column stands for. */
function bar(spans: readonly CoverageSpan[], from: number, to: number): string {
  const order = Object.keys(SIGNS) as CoverageState[]
  const columns = Array.from({ length: BAR_COLUMNS }, (): CoverageState => 'logged')
  for (const span of spans) {
    const first = Math.floor(((span.from - from) / (to - from)) * BAR_COLUMNS)
    const last = Math.ceil(((span.to - from) / (to - from)) * BAR_COLUMNS)
    for (let at = first; at < last; at++) {
      const there = columns[at]
      if (there !== undefined && order.indexOf(span.state) > order.indexOf(there)) columns[at] = span.state
    }
  }
  return columns.map((state) => SIGNS[state]).join('')
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')
}
