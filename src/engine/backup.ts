// A backup of a running server: what lasts is copied first, while nothing is held back; then each store as it is, the journal up to one
// position, and what that position names. Meanwhile the journal is kept, within a bound, and no blob goes. Calls wait for none of it.
import { join, relative, resolve, sep } from 'node:path'
import {
  BACKUP_STAGING,
  type BackupPart,
  type BackupPhase,
  BackupRefused,
  type BackupProgress,
  type BackupSealing,
  type BackupSink,
  type BackupSummary,
} from '../storage/backup.ts'
import type { Files } from '../storage/files.ts'
import type { Position } from '../storage/journal.ts'
import { emptyFolders, readWholeFile, writeWholeFile } from '../storage/whole-files.ts'
import type { Env } from './env.ts'
import { lineageOf } from './lineage.ts'

export interface BackupParts {
  readonly env: Env
  readonly files: Files
  /** The data directory; undefined where everything is in memory. */
  readonly folder: string | undefined
  readonly version: string
  readonly dataFormat: number
  /** Until the returned function is called, no blob is removed. */
  readonly hold: () => () => void
  readonly parts: readonly BackupPart[]
  readonly openSink: () => BackupSink
  /** The seal of a run; undefined where backups are not sealed. */
  readonly sealing: () => BackupSealing | undefined
  /** One backup into a folder at a time, whichever process runs it. Throws when somebody holds it. */
  readonly takeLock: (file: string) => { release(): void }
  /** Resolves when no trimming that was begun before is under way. */
  readonly idle: () => Promise<void>
}

export interface BackupOptions {
  /** Absolute. */
  readonly destination: string
  readonly isFull: boolean
  readonly keep: number | undefined
  readonly withRootKey: boolean
  readonly signal: AbortSignal
}

export interface Backups {
  /** Throws BackupRefused where no backup can go, or none now. */
  check(destination: string): void
  /** Rejects with BackupRefused before anything is written. */
  run(options: BackupOptions): Promise<BackupSummary>
  /** Of the run under way. */
  progress(): BackupProgress | undefined
  /** The oldest position that a backup needs. */
  needed(): Position
}

/** So much the journal may grow while it is kept for a backup; beyond, the backup gives way. */
const HELD_BYTES_MAX = 1024 * 1024 * 1024
const TRIES = 20

export function createBackups(parts: BackupParts): Backups {
  const { env, files } = parts
  const { journal } = env
  // Of a backup that a crash ended.
  if (parts.folder !== undefined) emptyFolders(files, join(parts.folder, BACKUP_STAGING))
  let sink: BackupSink | undefined
  let held: { readonly start: Position; readonly at: Position } | undefined
  const hasGivenWay = (): boolean => held !== undefined && journal.durable - held.at > HELD_BYTES_MAX
  const hold: Hold = {
    take: () => void (held = { start: journal.start, at: journal.durable }),
    check() {
      if (hasGivenWay()) throw new Error(`the journal grew by more than ${HELD_BYTES_MAX} bytes while the stores were copied; run it again`)
    },
  }
  const check = (destination: string): string => {
    if (parts.folder === undefined) throw new BackupRefused('everything is in memory; there is nothing to back up')
    if (sink !== undefined) throw new BackupRefused('a backup is under way; wait for its end')
    refuseNested(resolve(destination), parts.folder)
    return parts.folder
  }
  return {
    check: (destination) => void check(destination),
    needed: () => (held === undefined || hasGivenWay() ? Infinity : held.start),
    progress: () => sink?.progress(),
    async run(options) {
      const folder = check(options.destination)
      const opened = (sink = parts.openSink())
      const startedAt = env.clock.monotonic()
      const abort = (): void => void opened.close()
      options.signal.addEventListener('abort', abort)
      try {
        const summary = await copyAll({ ...parts, folder }, opened, hold, options)
        const { generation, position, files: count, bytes, copiedBytes, removed, rootKey, sealedUnder } = summary
        const seconds = Math.round((env.clock.monotonic() - startedAt) / 1000)
        const details = { destination: options.destination, generation, position, files: count, bytes, copiedBytes, removed, seconds }
        await env.acts.record({ name: 'BackupRan', details: { ...details, full: options.isFull, rootKey, sealedUnder } })
        return summary
      } catch (error) {
        const message = options.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error)
        const act = { name: 'BackupRan', details: { destination: options.destination }, error: { code: 'BackupFailed', message } }
        await env.acts.record(act).catch((failure: unknown) => env.log.warn('an act could not be recorded', { error: String(failure) }))
        throw error
      } finally {
        options.signal.removeEventListener('abort', abort)
        held = undefined
        sink = undefined
        await opened.close()
      }
    },
  }
}

interface Hold {
  take(): void
  check(): void
}

/** A backup inside what it backs up would grow by itself. */
function refuseNested(destination: string, folder: string): void {
  const isInside = (path: string, parent: string): boolean => {
    const way = relative(parent, path)
    return way === '' || (!way.startsWith(`..${sep}`) && way !== '..')
  }
  if (isInside(destination, folder)) throw new BackupRefused(`${destination} lies in the data directory; give a folder outside of it`)
  if (isInside(folder, destination)) throw new BackupRefused(`${destination} holds the data directory; give a folder of its own`)
}

async function copyAll(
  parts: BackupParts & { readonly folder: string },
  sink: BackupSink,
  hold: Hold,
  { destination, isFull, keep, withRootKey }: BackupOptions,
): Promise<BackupSummary> {
  const { env, files, folder, version, dataFormat } = parts
  const lineage = lineageOf(env.tables)
  if (lineage === undefined) throw new Error('a data directory has a lineage once it was opened')
  const sealing = parts.sealing()
  if (withRootKey && sealing !== undefined)
    throw new BackupRefused(
      'backups are sealed (seal.stores), and root.key in one could not be read without itself; leave --with-root-key out',
    )
  // Nothing of a sealed backup lies open in its own folder, not even for a while.
  const staging = sealing === undefined ? join(destination, 'staging') : join(folder, BACKUP_STAGING)
  const run = { sink, staging }
  files.makeFolder(destination)
  const lock = parts.takeLock(join(destination, 'lock'))
  let releaseBlobs: (() => void) | undefined
  try {
    await sink.begin({
      folder: destination,
      directory: lineage.directory,
      lineage: lineage.id,
      isFull,
      ...(sealing && { keys: sealing.keys }),
    })
    await copyPhase(parts, run, 'first', env.journal.durable)
    hold.take()
    await parts.idle()
    await copyPhase(parts, run, 'before', env.journal.durable)
    releaseBlobs = parts.hold()
    const takenAt = env.clock.now()
    const position = env.journal.durable
    await copyPhase(parts, run, 'behind', position)
    const keyring = await copyKeys(parts, run, withRootKey)
    hold.check()
    const { directory, id } = lineage
    const rootKey = withRootKey ? 'included' : 'apart'
    const seal = sealing?.sealOf(keyring)
    const head = { takenAt, position, directory, lineage: id, version, dataFormat, rootKey } as const
    return await sink.finish({ ...head, ...(seal && { sealedUnder: seal.root.id }) }, keep, seal)
  } finally {
    if (sealing !== undefined) emptyFolders(files, staging)
    releaseBlobs?.()
    lock.release()
  }
}

/** A run, and where copies are made that it reads from. */
interface Run {
  readonly sink: BackupSink
  readonly staging: string
}

/**
 * The keyring, and the root key where asked for, as of one moment behind all else: a root key that changes while the backup runs changes
 * both in one step of this thread, and what it gave way to stays in the keyring while the journal is held.
 */
async function copyKeys(
  { files, folder }: BackupParts & { readonly folder: string },
  { sink, staging }: Run,
  withRootKey: boolean,
): Promise<Buffer> {
  const names = ['keyring.json', ...(withRootKey ? ['root.key'] : [])]
  const contents = names.map((name) => [name, readWholeFile(files, join(folder, name))] as const)
  const listed = contents.map(([name, bytes]) => {
    if (bytes === undefined && name === 'root.key')
      throw new BackupRefused('the root key is not in the data directory, so that the backup cannot hold it; leave --with-root-key out')
    if (bytes === undefined) throw new Error(`${name} of the data directory is missing; run sealcast fsck`)
    const source = join(staging, 'keys', name)
    files.makeFolder(join(staging, 'keys'))
    writeWholeFile(files, source, bytes)
    return { path: name, source, isLasting: false }
  })
  const gone = await sink.copy(listed, true)
  if (gone.length > 0) throw new Error(`${gone.join(' and ')} went from ${staging} while the backup ran; run it again`)
  return contents[0]?.[1] ?? Buffer.alloc(0)
}

async function copyPhase({ parts, files }: BackupParts, { sink, staging }: Run, phase: BackupPhase, position: Position): Promise<void> {
  for (const part of parts) {
    if (!part.phases.includes(phase)) continue
    for (let tries = 1; ; tries++) {
      const place = join(staging, part.name)
      files.makeFolder(place)
      for (const name of files.list(place)) files.remove(join(place, name))
      const listed = await part.files(place, position)
      const gone = await sink.copy(phase === 'first' ? listed.filter(({ isLasting }) => isLasting) : listed, phase !== 'first')
      if (gone.length === 0 || phase === 'first') break
      if (phase === 'behind' || tries >= TRIES) throw new Error(`${gone[0] ?? ''} of the data directory is missing; run sealcast fsck`)
    }
  }
}
