// Records whose values are sealed on their way to the backend and opened on their way back. Keys stay readable: they are what is looked
// for.
import { type RecordChange, RecordDamaged, type Records } from './records.ts'
import { openValue, recordBound, sealValue, type ValueSealing } from './sealed-value.ts'

/** With no key at all nothing is done, and nothing costs. */
export function sealedRecords(records: Records, sealing: ValueSealing): Records {
  if (sealing.keys.all.length === 0) return records
  const opened = (table: number, key: string, stored: Buffer): Buffer => {
    const value = openValue(sealing.keys, recordBound(table, key), stored)
    if (Buffer.isBuffer(value)) return value
    throw new RecordDamaged(`record ${JSON.stringify(key)} of table ${table} cannot be read: ${value.problem}`)
  }
  const sealed = (change: RecordChange): RecordChange =>
    change.value === undefined ? change : { ...change, value: sealValue(sealing, recordBound(change.table, change.key), change.value) }
  return {
    get checkpoint() {
      return records.checkpoint
    },
    get flushed() {
      return records.flushed
    },
    get(table, key) {
      const stored = records.get(table, key)
      return stored && opened(table, key, stored)
    },
    *range(table, range) {
      for (const { key, value } of records.range(table, range)) yield { key, value: opened(table, key, value) }
    },
    count: (table) => records.count(table),
    apply: (changes, checkpoint) => records.apply(changes.map(sealed), checkpoint),
    flush: () => records.flush(),
    bytes: () => records.bytes(),
    // As they lie there: a copy of sealed values is sealed.
    copyTo: (folder) => records.copyTo(folder),
    close: () => records.close(),
  }
}
