// The lock of a data directory: one process at a time. It is the operating system's lock on an SQLite file, so a SIGKILL frees it.
import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

export class DataDirectoryLocked extends Error {
  override name = 'DataDirectoryLocked'
}

export interface Lock {
  release(): void
}

/** Throws DataDirectoryLocked while another process holds `file`. */
export function takeLock(file: string): Lock {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    chmodSync(file, 0o600)
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) throw new DataDirectoryLocked(`${file} is locked: another sealcast uses this data directory`)
    throw error
  }
  return { release: () => database.close() }
}

const SQLITE_BUSY = 5

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && ((error.errcode as number) & 0xff) === SQLITE_BUSY
}
