// A copy of an lmdb environment while it is written: one snapshot, made by lmdb itself on a thread of the pool.
import { mkdirSync } from 'node:fs'
import type { RootDatabase } from 'lmdb'

/** `folder` gets a data.mdb of its own; pages stay where they are, so that the next copy shares most of its bytes with this one. */
export async function copyLmdb(database: RootDatabase<Buffer, Buffer>, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await database.backup(folder, false)
}

export function refuseCopy(): Promise<never> {
  return Promise.reject(new Error('what is in memory alone has no copy'))
}
