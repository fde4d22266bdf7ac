// sealcast prove: proofs that need no server to be checked: that an event is on the record, or that the record only grew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, CommandError, DATA_OPTION, type Terminal, UsageError, dataFolderOf } from '../command.ts'
import { callOnce, type Connection } from '../connect.ts'

const options = {
  data: DATA_OPTION,
  growth: { kind: 'text', value: 'CHECKPOINT', help: 'file with an earlier checkpoint: prove that the record has only grown since' },
  output: { kind: 'text', value: 'FILE', help: 'write the proof there instead of to standard output' },
} as const

const EVENT_BYTES_MAX = 4 * 1024 * 1024

export const prove: Command<typeof options> = {
  summary: 'write an offline proof that an event is on the record, or that the record only grew',
  operands: 'EVENT_ID | FILE',
  help: [
    'FILE holds one event as it stands in a log file. The proof of an event is a C2SP tlog-proof with the event in it, as long as the',
    'event can be queried or its FILE is given; else with the line that commits to it. sealcast verify --proof FILE --key KEY checks it.',
  ].join('\n'),
  options,
  async run(given, operands, terminal) {
    const [what, ...others] = operands
    if (others.length > 0 || (what === undefined) === (given.growth === undefined))
      throw new UsageError('say: sealcast prove EVENT_ID, sealcast prove FILE, or: sealcast prove --growth CHECKPOINT')
    const input = given.growth === undefined ? eventOf(what ?? '', terminal) : { Checkpoint: readText(given.growth, terminal) }
    const connection = await terminal.connect(dataFolderOf(given.data, terminal))
    try {
      const proof = given.growth === undefined ? await proveEvent(connection, input, terminal) : await proveGrowth(connection, input)
      if (given.output === undefined) await terminal.write(proof)
      else writeFileSync(resolve(terminal.workingFolder, given.output), proof)
      return 0
    } finally {
      await connection.close()
    }
  },
}

async function proveEvent(connection: Connection, input: object, terminal: Terminal): Promise<string> {
  const { Proof, HasEvent } = await callOnce<{ readonly Proof: string; readonly HasEvent: boolean }>(connection, 'ProveEvent', input)
  if (!HasEvent) terminal.note('the event itself is kept no more where it can be queried: the proof holds the line that commits to it\n')
  return Proof
}

async function proveGrowth(connection: Connection, input: object): Promise<string> {
  return (await callOnce<{ readonly Proof: string }>(connection, 'ProveGrowth', input)).Proof
}

function eventOf(what: string, terminal: Terminal): object {
  if (!existsSync(resolve(terminal.workingFolder, what))) return { EventId: what }
  const text = readText(what, terminal).replace(/\r?\n$/, '')
  if (text.length > EVENT_BYTES_MAX) throw new CommandError(`${what} is longer than an event may be`)
  let id: unknown
  try {
    id = (JSON.parse(text) as { readonly eventID?: unknown } | null)?.eventID
  } catch {
    throw new CommandError(`${what} does not hold one event as JSON`)
  }
  if (typeof id !== 'string') throw new CommandError(`${what} holds no eventID; give one event as it stands in a log file`)
  return { EventId: id, Event: text }
}

function readText(path: string, terminal: Terminal): string {
  try {
    return readFileSync(resolve(terminal.workingFolder, path), 'utf8')
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
