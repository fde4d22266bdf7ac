// Checkpoints and copied bodies of queues in two lmdb environments of their own, so that records never wait for their write lock.
// Writes run and are flushed on a thread of the pool.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { copyLmdb } from '../lmdb-copy.ts'
import { OWN_BATCHES, writeBatch } from '../lmdb-batch.ts'
import type { QueueStore, StoredBytes, StoredEntry } from './store.ts'

export function lmdbQueueStore({ folder }: { readonly folder: string }): QueueStore {
  const index = openEnvironment(join(folder, 'index'))
  const bodies = openEnvironment(join(folder, 'bodies'))
  return {
    index: storedBytes(index, join(folder, 'index')),
    bodies: storedBytes(bodies, join(folder, 'bodies')),
    async close() {
      await index.close()
      await bodies.close()
    },
  }
}

function openEnvironment(folder: string): RootDatabase<Buffer, Buffer> {
  mkdirSync(folder, { recursive: true })
  return open<Buffer, Buffer>(folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    noSubdir: false,
    overlappingSync: false,
    ...OWN_BATCHES,
  })
}

function storedBytes(database: RootDatabase<Buffer, Buffer>, folder: string): StoredBytes {
  return {
    get: (key) => database.getBinary(key),
    entries(from, to, limit) {
      const entries: StoredEntry[] = []
      for (const { key, value } of database.getRange({ start: from, end: to, limit })) entries.push({ key, value })
      return entries
    },
    async write(changes) {
      if (changes.length === 0) return
      await writeBatch(database, changes)
    },
    bytes: () => statSync(join(folder, 'data.mdb')).size,
    copyTo: (target) => copyLmdb(database, target),
  }
}
