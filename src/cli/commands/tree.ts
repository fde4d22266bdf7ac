// sealcast tree: the Merkle tree over the events, its checkpoints, and the keys that they are verified with.
import { resolve } from 'node:path'
import type { TreeOutput } from '../../model/tlog/tree-rows.ts'
import { type Command, CommandError, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { callOnce, type Connection } from '../connect.ts'
import { openStaticLog } from '../static-log.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const tree: Command<typeof options> = {
  summary: 'show the tree over the events and its keys, sign a checkpoint, rotate the key, or export the tree',
  operands: '[keys | sign | rotate-key | export DIR]',
  help: [
    'Without a word: the tree as it stands and its newest checkpoint. keys: verifier keys, newest first, for sealcast verify --key.',
    'sign: a checkpoint over all that is on the record now. Keep it where nobody at this server can reach it.',
    'rotate-key: later checkpoints are signed by a new key; the old ones stay listed.',
    'export DIR: the whole tree as a static log (C2SP tlog-tiles) with a new checkpoint, for sealcast verify --tree DIR. A folder of an',
    'earlier export gets what the tree has gained since.',
  ].join('\n'),
  options,
  async run(given, [verb = 'show', ...others], terminal) {
    if (!Object.hasOwn(VERBS, verb) || others.length !== (verb === 'export' ? 1 : 0))
      throw new UsageError('say: sealcast tree, or: sealcast tree keys, sign, rotate-key or export DIR')
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const { answer, text } = await VERBS[verb as keyof typeof VERBS](connection, terminal, others[0])
      await terminal.write(given.json ? `${JSON.stringify(answer)}\n` : text)
      return 0
    } finally {
      await connection.close()
    }
  },
}

type Told = Promise<{ readonly answer: unknown; readonly text: string }>

const VERBS = {
  async show(connection: Connection): Told {
    const answer = await callOnce<TreeOutput>(connection, 'GetTree', {})
    const signed =
      answer.SignedAt === undefined
        ? 'no checkpoint yet\n'
        : `signed ${new Date(answer.SignedAt).toISOString()}:\n\n${answer.Checkpoint ?? ''}`
    return { answer, text: `${answer.Origin}: ${answer.Size} events\n${signed}` }
  },
  async keys(connection: Connection): Told {
    const answer = await callOnce<TreeOutput>(connection, 'GetTree', {})
    return { answer: answer.Keys, text: answer.Keys.map(({ VerifierKey }) => `${VerifierKey}\n`).join('') }
  },
  async sign(connection: Connection): Told {
    const answer = await callOnce<{ readonly Checkpoint: string }>(connection, 'SignTree', {})
    return { answer, text: answer.Checkpoint }
  },
  async 'rotate-key'(connection: Connection): Told {
    const answer = await callOnce<{ readonly VerifierKey: string }>(connection, 'RotateTreeKey', {})
    return { answer, text: `${answer.VerifierKey}\n` }
  },
  async export(connection: Connection, terminal: Terminal, place = ''): Told {
    const folder = resolve(terminal.workingFolder, place)
    const log = openStaticLog(folder)
    let files = 0
    const input = log.checkpoint === undefined ? {} : { Checkpoint: log.checkpoint }
    for await (const line of connection.lines('ExportTree', input)) {
      if (terminal.interrupted.aborted) throw new CommandError('interrupted; run it again to go on')
      const { Path, Bytes, Size } = line as { readonly Path?: string; readonly Bytes?: string; readonly Size?: number }
      if (Size !== undefined)
        return { answer: { Size, Files: files, Folder: folder }, text: `${Size} events in ${folder}; ${files} files written\n` }
      log.put(Path ?? '', Buffer.from(Bytes ?? '', 'base64'))
      files++
    }
    throw new CommandError('the export ended before its checkpoint; run it again to go on')
  },
} as const
