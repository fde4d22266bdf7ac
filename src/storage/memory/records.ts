// Records in memory, for `serve --dev` and for tests: the same semantics as on disk, nothing survives the process.
import { refuseCopy } from '../lmdb-copy.ts'
import { assertRecordKey, readPages, type RecordChange, type RecordEntry, type RecordPage, type Records } from '../records.ts'
import { compareUtf8, SortedMap } from '../sorted-map.ts'
import type { Position } from '../journal.ts'

export function memoryRecords(): Records {
  const tables = new Map<number, SortedMap<Buffer>>()
  let checkpoint: Position = 0
  let bytes = 0

  const table = (number: number): SortedMap<Buffer> => {
    const present = tables.get(number)
    if (present !== undefined) return present
    const made = new SortedMap<Buffer>()
    tables.set(number, made)
    return made
  }
  const change = ({ table: number, key, value }: RecordChange): void => {
    const records = table(number)
    const before = records.get(key)
    if (before !== undefined) bytes -= before.length + key.length
    if (value === undefined) {
      records.delete(key)
      return
    }
    records.set(key, Buffer.from(value))
    bytes += value.length + key.length
  }

  return {
    get checkpoint() {
      return checkpoint
    },
    get flushed() {
      return checkpoint
    },
    get(number, key) {
      const value = tables.get(number)?.get(key)
      return value === undefined ? undefined : Buffer.from(value)
    },
    range: (number, range) => readPages(range, (page) => readPage(table(number), page)),
    count: (number) => tables.get(number)?.size ?? 0,
    apply(changes, until) {
      if (until <= checkpoint) return
      for (const { table: number, key } of changes) assertRecordKey(number, key)
      for (const each of changes) change(each)
      checkpoint = until
    },
    flush: async () => {},
    bytes: () => bytes,
    copyTo: refuseCopy,
    close: async () => {},
  }
}

function readPage(records: SortedMap<Buffer>, { prefix, after, reverse, max }: RecordPage): RecordEntry[] {
  const isBelowEnd = (key: string): boolean => key.startsWith(prefix) || compareUtf8(key, prefix) < 0
  const keys = reverse
    ? records.backward((key) => isBelowEnd(key) && (after === undefined || compareUtf8(key, after) < 0), max)
    : records.forward((key) => compareUtf8(key, prefix) < 0 || (after !== undefined && compareUtf8(key, after) <= 0), max)
  const entries: RecordEntry[] = []
  for (const key of keys) {
    const value = records.get(key)
    if (!key.startsWith(prefix) || value === undefined) break
    entries.push({ key, value: Buffer.from(value) })
  }
  return entries
}
