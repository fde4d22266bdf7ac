// How a verification is told to a person: findings as they come, progress on a terminal, a summary at the end.
import type { VerifyFinding, VerifyReport } from '../../verify/report.ts'
import type { VerifyProgress } from '../../verify/verify.ts'
import type { Terminal } from '../command.ts'
import { formatBytes } from '../format/bytes.ts'
import { printable } from '../format/display-width.ts'
import { createReportOutput } from '../format/report-output.ts'

const PROGRESS_FILES = 25

export interface VerifyOutput {
  finding(finding: VerifyFinding): void
  progress(progress: VerifyProgress): void
  summary(report: VerifyReport): Promise<void>
  clear(): void
}

export function createVerifyOutput(terminal: Terminal, isJson: boolean): VerifyOutput {
  const output = createReportOutput(terminal)
  return {
    clear: () => output.clear(),
    finding(finding) {
      if (!isJson) output.line(describeFinding(finding))
    },
    progress({ files, bytes, file }) {
      if (files % PROGRESS_FILES === 0) output.progress(`${files} log files, ${formatBytes(bytes)}: ${file}`.slice(0, terminal.columns - 1))
    },
    async summary(report) {
      output.line(isJson ? JSON.stringify(report) : describeReport(report))
      await output.written()
    },
  }
}

function describeFinding({ grade, code, file, what, remedy }: VerifyFinding): string {
  return `${grade.padEnd(8)}  ${code}  ${file === '' ? '' : `${printable(file)}: `}${printable(what)} (${printable(remedy)})`
}

function describeReport({ chains, counts, grades, tree, verdict, accepted, keys }: VerifyReport): string {
  const lines = chains.map(
    ({ account, region, trail, from, to, digests, isBackfill }) =>
      `trail ${printable(trail)}, ${account} ${region}: ${digests} ${isBackfill ? 'backfill ' : ''}digests from ${from} to ${to}`,
  )
  lines.push(
    `${counts.digests} digests, ${counts.digestsProved} proved by signature with ${keys.length} keys; ` +
      `${counts.logs} log files, ${counts.logsProved} as their digest says, ${formatBytes(counts.bytes)}; ` +
      `${counts.records} records looked into`,
  )
  if (tree !== undefined)
    lines.push(
      `tree ${printable(tree.origin)}: ${tree.size} events, held against ${tree.checkpoints.length} checkpoints; ` +
        `${counts.calls} calls served and told; ` +
        `${counts.recordsProved} of ${counts.records} records are in it`,
    )
  const more = `${grades.unproved} unproved${accepted > 0 ? `, ${accepted} of them as expected` : ''}, ${grades.note} notes`
  if (verdict === 'broken') lines.push(`${grades.broken} findings of what is BROKEN (${more})`)
  else lines.push(verdict === 'proved' ? `all is proved (${more})` : `nothing is broken, but NOT ALL IS PROVED (${more})`)
  return lines.join('\n')
}
