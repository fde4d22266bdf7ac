// The event history in an lmdb environment of its own, so that records never wait for its write lock. Writes run and are flushed on a
// thread of the pool.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { copyLmdb } from '../lmdb-copy.ts'
import { OWN_BATCHES, writeBatch } from '../lmdb-batch.ts'
import type { HistoryEntry, HistoryStore } from './store.ts'

export function lmdbHistoryStore({ folder }: { readonly folder: string }): HistoryStore {
  mkdirSync(folder, { recursive: true })
  const database = open<Buffer, Buffer>(folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    noSubdir: false,
    overlappingSync: false,
    ...OWN_BATCHES,
  })
  const read = (range: Parameters<typeof database.getRange>[0]): HistoryEntry[] => {
    const entries: HistoryEntry[] = []
    for (const { key, value } of database.getRange(range)) entries.push({ key, value })
    return entries
  }
  return {
    get: (key) => database.getBinary(key),
    forward: (from, to, limit) => read({ start: from, end: to, inclusiveEnd: true, limit }),
    backward: (from, to, limit) => read({ start: from, end: to, inclusiveEnd: true, reverse: true, limit }),
    async write(changes) {
      if (changes.length > 0) await writeBatch(database, changes)
    },
    bytes: () => statSync(join(folder, 'data.mdb')).size,
    copyTo: (target) => copyLmdb(database, target),
    close: () => database.close(),
  }
}
