// sealcast import: CloudTrail files, as AWS and others write them, into the record's SQL tables.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LakeImport, LakeImportProgress } from '../../storage/lake.ts'
import { type Command, CommandError, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { formatBytes } from '../format/bytes.ts'
import { printable } from '../format/display-width.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print the result as one JSON object' },
} as const

const BAR_COLUMNS = 24
const NAMED_LINES = 20

export const importFiles: Command<typeof options> = {
  summary: 'take in CloudTrail files (.json, .json.gz) and folders of them',
  operands: 'PATH...',
  help: [
    'Log files, arrays and lines of records are read; digests, Insights and aggregated files are skipped by name. What cannot be read is',
    'named. Importing the same again changes nothing. Exit code 1 when a file or a record could not be read.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    if (operands.length === 0) throw new UsageError('give the files or folders to import: sealcast import PATH...')
    const paths = operands.map((path) => resolve(terminal.workingFolder, path))
    for (const path of paths) if (!existsSync(path)) throw new CommandError(`there is no ${path}`)
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      for await (const line of connection.lines('Import', { Paths: paths })) {
        const { progress, result } = line as { progress?: LakeImportProgress; result?: LakeImport }
        if (progress !== undefined) showProgress(progress, terminal)
        if (result === undefined) continue
        if (terminal.isNoteTerminal) terminal.note('\r\u001b[K')
        await terminal.write(given.json ? `${JSON.stringify(result)}\n` : describe(result))
        if (!given.json) terminal.note(complaints(result))
        return result.rejections.length > 0 || result.skipped.some(isBroken) ? 1 : 0
      }
      throw new CommandError('the import ended without a result')
    } finally {
      await connection.close()
    }
  },
}

function showProgress({ files, filesTotal, bytes, bytesTotal, records }: LakeImportProgress, terminal: Terminal): void {
  if (!terminal.isNoteTerminal) return
  const share = bytesTotal === 0 ? 0 : Math.min(1, bytes / bytesTotal)
  const filled = Math.round(share * BAR_COLUMNS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled)
  terminal.note(`\r\u001b[K${bar} ${Math.round(share * 100)} %  ${files}/${filesTotal} files  ${formatBytes(bytes)}  ${records} records`)
}

function describe({ files, records, imported, duplicates, rejected, skippedFiles }: LakeImport): string {
  const fates = `${imported} imported, ${duplicates} known already, ${rejected} unusable`
  return `${records} records in ${files} files: ${fates}; ${skippedFiles} files skipped\n`
}

function complaints({ skipped, rejections }: LakeImport): string {
  const lines = [
    ...skipped.map(({ path, reason }) => `skipped ${printable(path)}: ${printable(reason)}`),
    ...rejections.map(({ path, index, reason }) => `${printable(path)}, record ${index}: ${printable(reason)}`),
  ]
  const shown = lines.slice(0, NAMED_LINES)
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more; --json lists them`)
  return shown.map((line) => `${line}\n`).join('')
}

/** Files that are no logs by their name are skipped rightly. */
function isBroken({ reason }: { readonly reason: string }): boolean {
  return !/digest|insight|aggregated|not a (json|cloudtrail) file/i.test(reason)
}
