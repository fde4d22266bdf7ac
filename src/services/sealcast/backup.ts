// Backup: a copy of the whole data directory of this running server. Lines of progress, then what came of it.
import { isAbsolute } from 'node:path'
import type { Backups } from '../../engine/backup.ts'
import { BackupDamaged, type BackupProgress, BackupRefused, type BackupSummary } from '../../storage/backup.ts'
import { badRequest, conflict } from './errors.ts'
import type { Lines, SealcastOperation } from './operation.ts'

export interface BackupInput {
  /** An absolute path on the server's machine. */
  readonly Destination?: string
  /** Everything is read and written anew. */
  readonly Full?: boolean
  /** Generations that stay. */
  readonly Keep?: number
  readonly WithRootKey?: boolean
}

export type BackupLine = { readonly progress: BackupProgress } | { readonly result: BackupSummary }

const PROGRESS_MS = 200
const KEEP_MAX = 100_000

export const backup: SealcastOperation<BackupInput, Lines> = ({ backups }) => ({
  name: 'Backup',
  access: 'write',
  record: {
    parameters: ({ Destination: destination, Full: full, Keep: keep, WithRootKey: withRootKey }) => ({
      destination,
      full,
      keep,
      withRootKey,
    }),
    response: () => null,
  },
  run(_tx, { Destination: destination, Keep: keep }) {
    if (typeof destination !== 'string' || !isAbsolute(destination)) throw badRequest('Destination: give an absolute path')
    if (keep !== undefined && (!Number.isSafeInteger(keep) || keep < 1 || keep > KEEP_MAX))
      throw badRequest(`Keep: a whole number from 1 to ${KEEP_MAX}`)
    try {
      backups.check(destination)
    } catch (error) {
      throw error instanceof BackupRefused ? conflict(error.message) : error
    }
    return { lines: noLines() }
  },
  answer: (_output, { env }, input) => ({ lines: answerBackup(backups, input, (wake) => env.clock.after(PROGRESS_MS, wake)) }),
})

async function* answerBackup(backups: Backups, input: BackupInput, later: (wake: () => void) => unknown): AsyncGenerator<BackupLine> {
  const stop = new AbortController()
  const running = backups.run({
    destination: input.Destination ?? '',
    isFull: input.Full === true,
    keep: input.Keep,
    withRootKey: input.WithRootKey === true,
    signal: stop.signal,
  })
  let isOver = false
  const over = running.then(
    () => void (isOver = true),
    () => void (isOver = true),
  )
  try {
    while (!isOver) {
      await Promise.race([over, new Promise<void>((resolve) => later(resolve))])
      const progress = backups.progress()
      if (!isOver && progress !== undefined) yield { progress }
    }
    yield { result: await running }
  } catch (error) {
    if (error instanceof BackupRefused || error instanceof BackupDamaged) throw conflict(error.message)
    if (error instanceof Error && 'code' in error) throw conflict(`the backup could not be written: ${error.message}`)
    if (error instanceof Error && error.name === 'DataDirectoryLocked') throw conflict('another backup writes into this folder')
    throw error
  } finally {
    stop.abort()
    await over
  }
}

async function* noLines(): AsyncGenerator<never> {}
