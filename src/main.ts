// The process entry: finds the command, runs it, turns what went wrong into a message and an exit code.
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { systemClock } from './base/clock.ts'
import { nearest } from './base/nearest.ts'
import { systemRandom } from './base/random.ts'
import { commands } from './cli/commands/index.ts'
import { type AnyCommand, CommandError, OutputClosed, type Terminal, UsageError } from './cli/command.ts'
import { connectToServer } from './cli/connect.ts'
import { describeOptions, readOptions } from './cli/options.ts'
import { readRootsAtHand, readRootSources } from './start/root-sources.ts'
import { diskFiles } from './storage/disk/files.ts'
import { ROOT_KEY_FILE } from './storage/disk/format.ts'
import { readStoreKeys } from './storage/disk/keyring.ts'
import { takeLock } from './storage/disk/lock.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const SAME_SIGNAL_MS = 500

const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const about = rest[0] === undefined ? undefined : commands[rest[0]]
    process.stdout.write(about === undefined ? overview() : helpOf(rest[0] ?? '', about))
    return name === undefined ? EXIT_USAGE : 0
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`sealcast ${version} (Node ${process.versions.node})\n`)
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const close = nearest(name, Object.keys(commands))
    throw new UsageError(`there is no command ${name}${close === undefined ? '' : `; did you mean ${close}?`}\nsealcast --help lists them`)
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(helpOf(name, command))
    return 0
  }
  const { given, operands } = readOptions(command.options, rest)
  return command.run(given, operands, createTerminal())
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}\n`)
  return (
    `sealcast ${version}: a notification service with every call on the record\n\nusage: sealcast COMMAND [OPTION...]\n\n` +
    `${rows.join('')}\nsealcast COMMAND --help says more about one.\n`
  )
}

function helpOf(name: string, { summary, operands, help, options }: AnyCommand): string {
  const words = [name, ...(Object.keys(options).length > 0 ? ['[OPTION...]'] : []), ...(operands === undefined ? [] : [operands])]
  const usage = `usage: sealcast ${words.join(' ')}`
  return `${usage}\n\n${summary}\n${help === undefined ? '' : `\n${help}\n`}\n${describeOptions(options)}`
}

function createTerminal(): Terminal {
  const interruption = new AbortController()
  let isOutputClosed = false
  let interruptedAt = 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // A terminal's interrupt comes twice, from the terminal and through the launcher; a later one means it, and nobody is waited for.
      if (interruption.signal.aborted && performance.now() - interruptedAt > SAME_SIGNAL_MS) process.exit(EXIT_FAILED)
      if (!interruption.signal.aborted) interruptedAt = performance.now()
      interruption.abort(signal)
    })
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isOutputClosed = true
  })
  const osUser = userInfo().username
  return {
    environment: process.env,
    workingFolder: process.cwd(),
    async write(text) {
      if (isOutputClosed) throw new OutputClosed('standard output was closed')
      if (process.stdout.write(text)) return
      await new Promise<void>((resolve) => {
        process.stdout.once('drain', resolve)
        process.stdout.once('error', () => resolve())
      })
    },
    note: (text) => void process.stderr.write(text),
    isOutputTerminal: process.stdout.isTTY,
    isNoteTerminal: process.stderr.isTTY,
    columns: process.stdout.columns ?? process.stderr.columns ?? 120,
    osUser,
    version,
    interrupted: interruption.signal,
    async connect(dataFolder) {
      const connection = await connectToServer(dataFolder, osUser)
      if (connection !== undefined) return connection
      const { openDirectly } = await import('./start/operator.ts')
      return openDirectly({ dataFolder, osUser, version, environment: process.env })
    },
    async fsck(options) {
      const { fsck } = await import('./storage/fsck/fsck.ts')
      const storeKeys = (folder: string) => readStoreKeys(folder, readRootSources(process.env))
      return fsck({ storeKeys, files: diskFiles(), clock: systemClock, random: systemRandom(), takeLock }, options)
    },
    async lookAtBackup({ source, verify, rootKeyFiles, dataFolder, ...options }) {
      const { listBackup, verifyBackup } = await import('./storage/backup/generations.ts')
      if (!verify) return named(() => listBackup(diskFiles(), source))
      const roots = readRootsAtHand(process.env, rootKeyFiles, join(dataFolder, ROOT_KEY_FILE))
      return named(() => verifyBackup(diskFiles(), source, { roots, ...options }))
    },
    async restore(options) {
      const [{ restoreBackup }, { fsck }] = await Promise.all([import('./storage/backup/restore.ts'), import('./storage/fsck/fsck.ts')])
      const parts = { files: diskFiles(), clock: systemClock, random: systemRandom() }
      const roots = readRootsAtHand(process.env, [])
      const keysOf = (key: Buffer) => (folder: string) => readStoreKeys(folder, { current: { kind: 'environment', key } })
      return named(() =>
        restoreBackup(
          { ...parts, roots, fsck: (check, key) => fsck({ ...parts, takeLock, ...(key && { storeKeys: keysOf(key) }) }, check) },
          options,
        ),
      )
    },
    // Loaded where it is needed: a command that asks a server, or none, starts in a third of the time without one inside.
    async start(options) {
      const { startServer } = await import('./start/start.ts')
      const server = await startServer({
        ...options,
        version,
        environment: process.env,
        writeLog: (line) => void process.stderr.write(line),
      })
      process.on('SIGHUP', () => server.renew())
      return server
    },
  }
}

/** What is wrong with a backup is for people to read. */
async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && /^(Backup(Refused|Damaged)|FsckRefused)$/.test(error.name)) throw new CommandError(error.message)
    throw error
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof OutputClosed) process.exitCode = 0
  else if (error instanceof UsageError) {
    process.stderr.write(`sealcast: ${error.message}\n`)
    process.exitCode = EXIT_USAGE
  } else if (error instanceof CommandError) {
    process.stderr.write(`sealcast: ${error.message}\n`)
    process.exitCode = EXIT_FAILED
  } else {
    process.stderr.write(`sealcast: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = EXIT_FAILED
  }
  // What was opened halfway must not keep the process alive.
  process.exit()
}
