// The event history in memory: it lives as long as this object, so that tests can restart a history on it.
import { refuseCopy } from '../lmdb-copy.ts'
import { SortedMap } from '../sorted-map.ts'
import type { HistoryEntry, HistoryStore } from './store.ts'

export function memoryHistoryStore(): HistoryStore {
  // One UTF-16 unit a byte keeps the order of the bytes.
  const name = (key: Buffer): string => key.toString('latin1')
  const values = new SortedMap<Buffer>()
  let total = 0
  const entry = (key: string): HistoryEntry => ({ key: Buffer.from(key, 'latin1'), value: Buffer.from(values.get(key) ?? '') })
  return {
    get(key) {
      const value = values.get(name(key))
      return value && Buffer.from(value)
    },
    forward(from, to, limit = Infinity) {
      const [low, high] = [name(from), name(to)]
      return values
        .forward((key) => key < low, limit)
        .filter((key) => key <= high)
        .map(entry)
    },
    backward(from, to, limit = Infinity) {
      const [high, low] = [name(from), name(to)]
      return values
        .backward((key) => key <= high, limit)
        .filter((key) => key >= low)
        .map(entry)
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
    close: async () => {},
  }
}
