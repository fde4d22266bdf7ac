// sealcast backup: a copy of the whole data directory while the server runs; and the look at what such copies hold.
import { resolve } from 'node:path'
import type { BackupProgress, BackupSummary, VerifiedGeneration } from '../../storage/backup.ts'
import { type Command, CommandError, DATA_OPTION, type Given, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { formatBytes } from '../format/bytes.ts'

const options = {
  data: DATA_OPTION,
  full: { kind: 'flag', help: 'read and write everything anew, whatever earlier generations hold' },
  keep: { kind: 'text', value: 'N', help: 'let go of all but the newest N generations afterwards' },
  'with-root-key': { kind: 'flag', help: 'put root.key into the backup: whoever has the backup then can open what it seals' },
  verify: { kind: 'flag', help: 'check every byte of the backup in FOLDER, without a server' },
  list: { kind: 'flag', help: 'list the generations in FOLDER, without a server' },
  at: { kind: 'text', value: 'GENERATION', help: 'with --verify: only this one' },
  'root-key': { kind: 'texts', value: 'FILE', help: 'with --verify: a copy of the root key that seals the backup (may repeat)' },
  json: { kind: 'flag', help: 'print JSON' },
} as const

const KEEP_MAX = 100_000

export const backup: Command<typeof options> = {
  summary: 'copy the whole data directory while the server runs, or verify such a copy',
  operands: 'FOLDER',
  help: [
    'Each run makes a generation that stands by itself and shares with those before what did not change. All that was answered before the',
    'command began is in it. root.key is left out unless asked for: keep a copy of it in another place, since nothing else opens what it',
    'sealed. The log files in trails\' buckets are part of the copy. "sealcast restore" brings a generation back.',
    '',
    'With backup among seal.stores all of it is sealed under the root key. Then --verify needs that key: from --root-key, from the',
    'environment as a start takes it, or from root.key in the data directory.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [folder, ...others] = operands
    if (folder === undefined || others.length > 0) throw new UsageError('give one folder: sealcast backup FOLDER')
    const path = resolve(terminal.workingFolder, folder)
    if (given.verify || given.list) {
      if (given.verify && given.list) throw new UsageError('--verify and --list exclude each other')
      if (given.full || given.keep !== undefined || given['with-root-key'])
        throw new UsageError('--full, --keep and --with-root-key belong to a backup that is made')
      return look(path, given, terminal)
    }
    if (given.at !== undefined || given['root-key'].length > 0) throw new UsageError('--at and --root-key belong to --verify')
    const input = {
      Destination: path,
      ...(given.full && { Full: true }),
      ...(given.keep !== undefined && { Keep: wholeNumber('keep', given.keep) }),
      ...(given['with-root-key'] && { WithRootKey: true }),
    }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const result = await follow(connection.lines('Backup', input), terminal)
      if (terminal.isNoteTerminal) terminal.note('\r\u001b[K')
      await terminal.write(given.json ? `${JSON.stringify(result)}\n` : describe(result))
      return 0
    } finally {
      await connection.close()
    }
  },
}

/** Shows the progress until the result comes. An interruption ends the backup, wherever it runs. */
async function follow(answer: AsyncIterable<unknown>, terminal: Terminal): Promise<BackupSummary> {
  const lines = answer[Symbol.asyncIterator]()
  const interrupted = new Promise<undefined>((resolve) => {
    if (terminal.interrupted.aborted) resolve(undefined)
    else terminal.interrupted.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  for (;;) {
    const next = await Promise.race([lines.next(), interrupted])
    if (next === undefined) {
      await lines.return?.()
      throw new CommandError('interrupted; the last generation stands')
    }
    if (next.done === true) throw new CommandError('the backup ended without a result; the last generation stands')
    const { progress, result } = next.value as { progress?: BackupProgress; result?: BackupSummary }
    if (result !== undefined) return result
    if (progress !== undefined) showProgress(progress, terminal)
  }
}

async function look(path: string, { at, json, verify, ...given }: Given<typeof options>, terminal: Terminal): Promise<number> {
  const generations = await terminal.lookAtBackup({
    source: path,
    verify,
    ...(at !== undefined && { generation: wholeNumber('at', at) }),
    rootKeyFiles: given['root-key'].map((file) => resolve(terminal.workingFolder, file)),
    dataFolder: resolve(terminal.workingFolder, dataFolderOf(given.data, terminal)),
    onProgress: (share) => terminal.isNoteTerminal && terminal.note(`\r\u001b[K${Math.round(share * 100)} %`),
    signal: terminal.interrupted,
  })
  if (terminal.isNoteTerminal) terminal.note('\r\u001b[K')
  const line = json ? (one: VerifiedGeneration) => JSON.stringify(one) : describeGeneration
  await terminal.write(generations.map((one) => `${line(one)}\n`).join(''))
  if (verify) terminal.note('every byte is as it was written\n')
  return 0
}

function showProgress({ files, bytes, copiedBytes }: BackupProgress, terminal: Terminal): void {
  if (terminal.isNoteTerminal) terminal.note(`\r\u001b[K${files} files, ${formatBytes(bytes)} read, ${formatBytes(copiedBytes)} new`)
}

function describe({ generation, files, bytes, copiedBytes, rootKey, removed, position }: BackupSummary): string {
  const gone = removed.length === 0 ? '' : `; generations ${removed.join(', ')} were let go`
  const key = rootKey === 'apart' ? 'root.key is not in it: keep a copy in another place' : 'root.key is in it: keep it as safe as the key'
  const what = `${files} files, ${formatBytes(bytes)}, ${formatBytes(copiedBytes)} of it new, up to position ${position}`
  return `generation ${generation}: ${what}${gone}\n${key}\n`
}

function describeGeneration({ generation, takenAt, position, files, bytes, version, rootKey, sealedUnder }: VerifiedGeneration): string {
  const key = sealedUnder !== undefined ? `sealed under root key ${sealedUnder}` : rootKey === 'apart' ? 'root.key apart' : 'with root.key'
  const what = `${files} files  ${formatBytes(bytes)}  version ${version}`
  return `generation ${generation}  ${new Date(takenAt).toISOString()}  position ${position}  ${what}  ${key}`
}

export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1 || value > KEEP_MAX)
    throw new UsageError(`--${option} takes a whole number from 1 to ${KEEP_MAX}, not ${text}`)
  return value
}
