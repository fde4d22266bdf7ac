// sealcast restore: a generation of a backup as a data directory again.
import { resolve } from 'node:path'
import { type Command, CommandError, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { formatBytes } from '../format/bytes.ts'
import { wholeNumber } from './backup.ts'

const options = {
  data: DATA_OPTION,
  at: { kind: 'text', value: 'GENERATION', help: 'which one (the newest)' },
  'root-key': { kind: 'text', value: 'FILE', help: 'the copy of root.key to put beside it, and to open what is sealed' },
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const restore: Command<typeof options> = {
  summary: 'bring a backup back into an empty data directory',
  operands: 'FOLDER',
  help: [
    'Every byte is checked against its SHA-256, and all of it is checked as fsck does, before the folder counts as a data directory.',
    'The first start tells of the restore: which generation, and from when on the record is missing. The record goes on in a lineage of',
    'its own, so that digests and the tree show a declared break. "sealcast backup FOLDER --list" lists the generations.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [folder, ...others] = operands
    if (folder === undefined || others.length > 0) throw new UsageError('give one folder: sealcast restore FOLDER --data NEW-FOLDER')
    const dataFolder = resolve(terminal.workingFolder, dataFolderOf(given.data, terminal))
    const rootKeyFile = given['root-key']
    const summary = await terminal.restore({
      source: resolve(terminal.workingFolder, folder),
      dataFolder,
      ...(given.at !== undefined && { generation: wholeNumber('at', given.at) }),
      ...(rootKeyFile !== undefined && { rootKeyFile: resolve(terminal.workingFolder, rootKeyFile) }),
      onProgress: (share) => terminal.isNoteTerminal && terminal.note(`\r\u001b[K${Math.round(share * 100)} %`),
      signal: terminal.interrupted,
    })
    if (terminal.interrupted.aborted) throw new CommandError('interrupted')
    if (terminal.isNoteTerminal) terminal.note('\r\u001b[K')
    const { generation, files, bytes, takenAt, hasRootKey } = summary
    const key = hasRootKey ? '' : `put your copy of root.key into ${dataFolder} before the server starts\n`
    const size = `${files} files, ${formatBytes(bytes)}`
    const what = `restored generation ${generation} of ${new Date(takenAt).toISOString()}: ${size}, into ${dataFolder}\n`
    await terminal.write(given.json ? `${JSON.stringify(summary)}\n` : what + key)
    return 0
  },
}
