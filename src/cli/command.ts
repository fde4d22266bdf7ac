// The socket of a command: what it is called, what it takes, what it does. One file each in commands/, one line in commands/index.ts.
import type { RestoreOptions, RestoreSummary, VerifiedGeneration } from '../storage/backup.ts'
import type { FsckOptions, FsckSummary } from '../storage/fsck.ts'
import type { Connection } from './connect.ts'

export interface Option {
  /** `flag` takes no value; `text` takes one; `texts` may be given several times. */
  readonly kind: 'flag' | 'text' | 'texts'
  /** What stands for the value in the help: FILE, PORT. */
  readonly value?: string
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

export type Given<O extends Options> = {
  readonly [Name in keyof O]: O[Name]['kind'] extends 'flag'
    ? boolean
    : O[Name]['kind'] extends 'text'
      ? string | undefined
      : readonly string[]
}

export interface Command<O extends Options = Options> {
  readonly summary: string
  /** What follows the command's name, for the help: `PATH...`. */
  readonly operands?: string
  /** Further paragraphs of the help, examples among them. */
  readonly help?: string
  readonly options: O
  /** The exit code. Throws UsageError on operands that do not fit, CommandError on what went wrong. */
  readonly run: (given: Given<O>, operands: readonly string[], terminal: Terminal) => Promise<number>
}

// A registry holds commands of many options; readOptions gives each its own.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyCommand = Command<any>

/** Where a command runs: what it may read and write. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingFolder: string
  /** Standard output. Waits while the reader is slow; rejects with OutputClosed when it is gone. */
  write(text: string): Promise<void>
  /** Standard error. */
  note(text: string): void
  readonly isOutputTerminal: boolean
  readonly isNoteTerminal: boolean
  readonly columns: number
  readonly osUser: string
  /** Of this program. */
  readonly version: string
  /** Aborted by the first SIGINT or SIGTERM; its name is the reason. */
  readonly interrupted: AbortSignal
  /** Through the server's socket, or by opening the data directory when no server runs. */
  connect(dataFolder: string): Promise<Connection>
  /** Checks a data directory that no server uses. Rejects with FsckRefused, or when the lock is held. */
  fsck(options: FsckOptions): Promise<FsckSummary>
  /** The generations of a backup, each byte checked where asked. Rejects with CommandError, naming what is wrong. */
  lookAtBackup(options: {
    readonly source: string
    readonly verify: boolean
    readonly generation?: number
    /** Copies of root keys, for what is sealed; and where a data directory's own may be. */
    readonly rootKeyFiles: readonly string[]
    readonly dataFolder: string
    readonly onProgress: (share: number) => void
    readonly signal: AbortSignal
  }): Promise<readonly VerifiedGeneration[]>
  /** A generation of a backup into an empty folder. Rejects with CommandError, naming what is wrong. */
  restore(options: RestoreOptions): Promise<RestoreSummary>
  /** Starts a server in this process. */
  start(options: ServeOptions): Promise<RunningServer>
}

export interface ServeOptions {
  readonly dev: boolean
  readonly configFile: string | undefined
  /** `key.path=value`, later ones win. */
  readonly set: readonly { readonly key: string; readonly value: string; readonly from: string }[]
}

export interface RunningServer {
  readonly url: string
  readonly accountId: string
  readonly accessKeyId: string
  readonly region: string
  /** Where commands find the server; in development mode it holds nothing else. */
  readonly dataFolder: string
  /** True when the data directory was made by this start. */
  readonly isNew: boolean
  /** Calls in flight are answered first. `reason`: as the record tells it. */
  stop(reason: string): Promise<void>
  /** Reads the TLS files again. */
  renew(): void
}

/** Wrong words on the command line: exit code 2, with a pointer to the help. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What a person can mend: printed without a stack trace, exit code 1. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** The reader of standard output went away (`| head`): the command ends quietly. */
export class OutputClosed extends Error {
  override name = 'OutputClosed'
}

/** The folder a command works on: `--data`, SEALCAST_DATA, else the default. */
export function dataFolderOf(data: string | undefined, { environment }: Terminal): string {
  return data ?? environment['SEALCAST_DATA'] ?? './sealcast-data'
}

export const DATA_OPTION = {
  kind: 'text',
  value: 'FOLDER',
  help: 'data directory (SEALCAST_DATA; ./sealcast-data)',
} as const satisfies Option
