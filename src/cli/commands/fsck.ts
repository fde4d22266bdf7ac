// sealcast fsck: checks a data directory while no server runs on it, and leads out of damage.
import { type Finding, type FsckProgress, FsckRefused, type FsckSummary } from '../../storage/fsck.ts'
import { type Command, CommandError, DATA_OPTION, dataFolderOf, type Terminal, UsageError } from '../command.ts'
import { printable } from '../format/display-width.ts'
import { createReportOutput } from '../format/report-output.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print one JSON object a line: findings, then the summary' },
  salvage: { kind: 'flag', help: 'move what is damaged aside and make the directory startable again' },
} as const

const BAR_COLUMNS = 24

export const fsck: Command<typeof options> = {
  summary: 'check a data directory, and salvage what can be read from a damaged one',
  help: [
    'Stop the server first. Changes nothing without --salvage. Salvage deletes nothing: what is damaged goes into salvage-TIME in the data',
    'directory, with a report.json of what was lost. Where there is a good backup, restore that instead.',
    'Exit code 1 when there is damage.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length > 0) throw new UsageError(`fsck takes no ${operands[0] ?? ''}; the data directory is given with --data`)
    const output = createOutput(terminal, given.json)
    try {
      const summary = await terminal.fsck({
        dataFolder: dataFolderOf(given.data, terminal),
        salvage: given.salvage,
        onFinding: (finding) => output.finding(finding),
        onProgress: (progress) => output.progress(progress),
        signal: terminal.interrupted,
      })
      await output.summary(summary)
      return summary.findings.damage > 0 ? 1 : 0
    } catch (error) {
      if (terminal.interrupted.aborted) throw new CommandError('interrupted; nothing was changed')
      if (error instanceof FsckRefused) throw new CommandError(error.message)
      if (error instanceof Error && error.name === 'DataDirectoryLocked') throw new CommandError(`${error.message}. Stop it first.`)
      throw error
    } finally {
      output.clear()
    }
  },
}

interface Output {
  finding(finding: Finding): void
  progress(progress: FsckProgress): void
  summary(summary: FsckSummary): Promise<void>
  clear(): void
}

function createOutput(terminal: Terminal, isJson: boolean): Output {
  const output = createReportOutput(terminal)
  return {
    clear: () => output.clear(),
    finding(finding) {
      output.line(isJson ? JSON.stringify({ kind: 'finding', ...finding }) : describeFinding(finding))
    },
    progress({ part, share }) {
      const filled = Math.round(Math.min(1, share) * BAR_COLUMNS)
      output.progress(`${'█'.repeat(filled)}${'░'.repeat(BAR_COLUMNS - filled)} ${part}`)
    },
    async summary(summary) {
      output.line(isJson ? JSON.stringify({ kind: 'summary', ...summary }) : describeSummary(summary))
      await output.written()
    },
  }
}

function describeFinding({ severity, file, what, remedy }: Finding): string {
  return `${severity.padEnd(7)}  ${printable(file)}: ${printable(what)} (${remedy})`
}

function describeSummary({ findings, records, messages, segments, frames, blobs, lakeFiles, salvagedTo }: FsckSummary): string {
  const journal = `${segments} segments with ${frames} frames`
  const checked = `${journal}, ${records} records, ${messages} waiting messages, ${blobs} blobs, ${lakeFiles} lake files`
  const verdict = findings.damage > 0 ? `${findings.damage} findings of damage` : 'no damage'
  const warnings = findings.warning > 0 ? `, ${findings.warning} warnings` : ''
  const salvaged = salvagedTo === undefined ? '' : `\nsalvaged: what was moved and what was lost is told in ${salvagedTo}/report.json`
  return `${verdict}${warnings}: ${checked}${salvaged}`
}
