// sealcast retention: what is kept until when, and by which rule.
import type { DefaultRetention } from '../../model/bucket.ts'
import type { KeptFiles, NextDue, RetentionReport, RuleRetention, TrailRetention } from '../../model/retention.ts'
import { type Command, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { callOnce } from '../connect.ts'
import { formatBytes } from '../format/bytes.ts'
import { printable } from '../format/display-width.ts'
import { formatTable } from '../format/table.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print one JSON object: times in milliseconds since 1970' },
} as const

export const retention: Command<typeof options> = {
  summary: 'tell for each trail what is kept until when and by which rule, and what goes next',
  help: [
    "A trail's files are kept for good unless a lifecycle rule of their bucket says otherwise; what a retention or a legal hold",
    'protects is kept in any case. The stores of the data directory keep what their settings say.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`retention takes no ${operands[0] ?? ''}`)
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const report = await callOnce<RetentionReport>(connection, 'GetRetention', {})
      const width = terminal.isOutputTerminal ? terminal.columns : undefined
      await terminal.write(given.json ? `${JSON.stringify(report)}\n` : describe(report, width))
      return 0
    } finally {
      await connection.close()
    }
  },
}

function describe({ trails, stores }: RetentionReport, width: number | undefined): string {
  const columns = ['store', 'bytes', 'kept'].map((name) => ({ name, type: 'VARCHAR' }))
  const rows = stores.map(({ store, bytes, kept }) => [store, formatBytes(bytes), kept])
  const blocks = trails.length === 0 ? ['there is no trail\n'] : trails.map(describeTrail)
  return `${blocks.join('\n')}\n${formatTable(columns, rows, { width })}`
}

function describeTrail(trail: TrailRetention): string {
  const { trailArn, bucketName, prefix, place, locked, oldVersions, lastRunAt } = trail
  const rows: (readonly [string, string])[] = [['files', `s3://${printable(bucketName)}/${printable(prefix)}`]]
  if (place === 'outside') rows.push(['kept', 'as the other S3 says, which keeps them'])
  else if (place === 'missing') rows.push(['kept', 'nowhere: there is no such bucket'])
  else {
    rows.push(['log files', told(trail.logFiles)], ['digests', told(trail.digests)])
    if (oldVersions > 0) rows.push(['old versions', String(oldVersions)])
    rows.push(...keptBy(trail).map((text, at): readonly [string, string] => [at === 0 ? 'kept' : '', text]))
    if (locked.versions > 0)
      rows.push(['locked', `${locked.versions}, from ${date(locked.firstEndsAt)} to ${date(locked.lastEndsAt)} at the latest`])
    if (locked.held > 0) rows.push(['held', `${locked.held}, until their legal hold is lifted`])
    rows.push(['goes next', next(trail.nextRemoval)], ['moves next', next(trail.nextMove)])
    if (lastRunAt !== undefined) rows.push(['rules ran', new Date(lastRunAt).toISOString()])
  }
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  return `${printable(trailArn)}\n${rows.map(([name, value]) => `  ${name.padEnd(nameWidth)}  ${value}\n`).join('')}`
}

function told({ files, bytes, archived, oldestAt, newestAt }: KeptFiles): string {
  if (files === 0) return 'none'
  const inArchive = archived > 0 ? `, ${archived} of them in the archive` : ''
  return `${files} (${formatBytes(bytes)})${inArchive}, from ${date(oldestAt)} to ${date(newestAt)}`
}

/** New files: by the lock first, which no rule can cut short. */
function keptBy({ defaultRetention, rules }: TrailRetention): readonly string[] {
  const lines = defaultRetention === undefined ? [] : [`at least ${lengthOf(defaultRetention)}, by the bucket's object lock`]
  for (const rule of rules) lines.push(...ruleLines(rule))
  if (!rules.some(({ isForAll, expiresAfterDays, expiresAt }) => isForAll && (expiresAfterDays ?? expiresAt) !== undefined))
    lines.push(rules.length === 0 ? 'for good: no rule lets them go' : 'for good, but for what these rules say')
  return lines
}

function ruleLines(rule: RuleRetention): readonly string[] {
  const { expiresAfterDays, expiresAt, movesAfterDays, movesAt, oldVersionsExpireAfterDays, oldVersionsKept } = rule
  const by = `by rule ${printable(rule.ruleId)}${rule.isForAll ? '' : `, for some of the files alone`}`
  const newest = oldVersionsKept === undefined ? '' : ` and the newest ${oldVersionsKept}`
  return [
    ...(expiresAfterDays === undefined ? [] : [`${days(expiresAfterDays)}, ${by}`]),
    ...(expiresAt === undefined ? [] : [`until ${date(expiresAt)}, ${by}`]),
    ...(movesAfterDays === undefined ? [] : [`in the archive after ${days(movesAfterDays)}, ${by}`]),
    ...(movesAt === undefined ? [] : [`in the archive from ${date(movesAt)}, ${by}`]),
    ...(oldVersionsExpireAfterDays === undefined ? [] : [`old versions ${days(oldVersionsExpireAfterDays)}${newest}, ${by}`]),
  ]
}

function lengthOf({ mode, days: count, years }: DefaultRetention): string {
  const length = count === undefined ? `${years ?? 0} ${years === 1 ? 'year' : 'years'}` : days(count)
  return `${length} in ${mode.toLowerCase()} mode`
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}

function next(due: NextDue | undefined): string {
  return due === undefined ? 'nothing' : `${date(due.at)}  ${printable(due.key)}, by rule ${printable(due.ruleId)}`
}

function date(at: number | undefined): string {
  return at === undefined ? '-' : new Date(at).toISOString().slice(0, 10)
}
