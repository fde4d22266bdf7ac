// sealcast tree: the Merkle tree over the events, its checkpoints, and the keys that they are verified with.
import type { TreeOutput } from '../../model/tlog/tree-rows.ts'
import { type Command, DATA_OPTION, UsageError, dataFolderOf } from '../command.ts'
import { callOnce, type Connection } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  json: { kind: 'flag', help: 'print JSON' },
} as const

export const tree: Command<typeof options> = {
  summary: 'show the tree over the events and its keys, sign a checkpoint, or put a new key in place',
  operands: '[keys | sign | rotate-key]',
  help: [
    'Without a word: the tree as it stands and its newest checkpoint. keys: verifier keys, newest first, for sealcast verify --key.',
    'sign: a checkpoint over all that is on the record now. Keep it where nobody at this server can reach it.',
    'rotate-key: later checkpoints are signed by a new key; the old ones stay listed.',
  ].join('\n'),
  options,
  async run(given, [verb = 'show', ...others], terminal) {
    if (others.length > 0 || !(verb in VERBS)) throw new UsageError('say: sealcast tree, or: sealcast tree keys, sign or rotate-key')
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const { answer, text } = await VERBS[verb as keyof typeof VERBS](connection)
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
} as const
