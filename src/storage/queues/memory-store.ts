// Checkpoints and copied bodies of queues in memory: they live as long as this object, so that tests can restart queues on it.
import type { QueueStore, StoredBytes, StoredEntry } from './store.ts'
import { refuseCopy } from '../lmdb-copy.ts'
import { SortedMap } from '../sorted-map.ts'

export function memoryQueueStore(): QueueStore {
  return { index: memoryBytes(), bodies: memoryBytes(), close: async () => {} }
}

function memoryBytes(): StoredBytes {
  // One UTF-16 unit a byte keeps the order of the bytes.
  const name = (key: Buffer): string => key.toString('latin1')
  const values = new SortedMap<Buffer>()
  let total = 0
  return {
    get(key) {
      const value = values.get(name(key))
      return value && Buffer.from(value)
    },
    entries(from, to, limit = Infinity) {
      const low = name(from)
      const high = name(to)
      const entries: StoredEntry[] = []
      for (const key of values.between(
        (other) => other < low,
        (other) => other < high,
      )) {
        if (entries.length >= limit) break
        entries.push({ key: Buffer.from(key, 'latin1'), value: Buffer.from(values.get(key) ?? '') })
      }
      return entries
    },
    async write(changes) {
      for (const { key, value } of changes) {
        total += (value?.length ?? 0) - (values.get(name(key))?.length ?? 0)
        if (value === undefined) values.delete(name(key))
        else values.set(name(key), Buffer.from(value))
      }
    },
    bytes: () => total,
    copyTo: refuseCopy,
  }
}
