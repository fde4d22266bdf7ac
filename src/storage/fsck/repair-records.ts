// Writes the records anew: all that is sound, what the journal gives back, without what fails or points nowhere. They end where the journal
// ends.
import { open } from 'lmdb'
import { encode, keyOf, RECORDS_FORMAT, STATE_KEY } from '../lmdb/format.ts'
import { soundRecords, encodeState } from './records.ts'
import type { Salvage } from './salvage.ts'
import { rowName, rowOf, type Survey } from './survey.ts'

const BATCH_ROWS = 1000

export async function repairRecords(salvage: Salvage, survey: Survey): Promise<void> {
  const { records, recovered, newest, badRows, journal } = survey
  const removed = new Set(badRows.map(({ table, key }) => rowName(table, key)))
  const counts = new Map<number, number>()
  const folder = salvage.fresh('records')
  salvage.files.makeFolder(folder)
  const database = open<Buffer, Buffer>(folder, { keyEncoding: 'binary', encoding: 'binary', noSubdir: false, overlappingSync: false })
  try {
    let batch: { readonly key: Buffer; readonly value: Buffer }[] = []
    const flush = async (): Promise<void> => {
      const rows = batch
      batch = []
      await database.batch(() => {
        for (const { key, value } of rows) void database.put(key, value)
      })
    }
    for (const { table, key, value } of rowsOf(salvage, survey)) {
      if (removed.has(rowName(table, key))) {
        salvage.keep('records-removed.ndjson', { table, key, value: value.toString('utf8') })
        continue
      }
      counts.set(table, (counts.get(table) ?? 0) + 1)
      const keyBytes = keyOf(table, key)
      batch.push({ key: keyBytes, value: encode(keyBytes, value) })
      if (batch.length >= BATCH_ROWS) await flush()
    }
    await flush()
    const checkpoint = Math.max(journal.durable, records.state?.checkpoint ?? 0)
    await database.put(STATE_KEY, encodeState({ format: RECORDS_FORMAT, checkpoint, counts: Object.fromEntries(counts) }))
  } finally {
    await database.close()
  }
  tellLosses(salvage, survey)
  salvage.replace('records')

  function tellLosses(to: Salvage, { records: { damaged, hasLost, state } }: Survey): void {
    for (const { table, key, what } of badRows) to.lost(`record ${JSON.stringify(key)} of table ${table} (kept in records-removed.ndjson): ${what}`)
    for (const name of damaged) {
      const [table, key] = rowOf(Buffer.from(name, 'latin1').toString('utf8'))
      const isBack = recovered.has(rowName(table, key)) || newest.has(rowName(table, key))
      if (!isBack) to.lost(`record ${JSON.stringify(key)} of table ${table}: its value fails its checksum, and the journal does not reach back to it`)
    }
    if (hasLost && journal.start > 0) to.lost(`records that stood on damaged pages and were last changed before position ${journal.start} of the journal`)
    if (state === undefined || state.checkpoint < journal.start) to.lost(`changes of records between ${state?.checkpoint ?? 0} and ${journal.start} of the journal`)
  }
}

function* rowsOf(salvage: Salvage, { recovered, newest }: Survey): Generator<{ readonly table: number; readonly key: string; readonly value: Buffer }> {
  for (const row of soundRecords({ ...salvage, folder: '', report: () => {}, step: async () => {} })) {
    if (!newest.has(rowName(row.table, row.key))) yield row
  }
  for (const [name, value] of new Map([...recovered, ...newest])) {
    const [table, key] = rowOf(name)
    if (value !== undefined) yield { table, key, value }
  }
}
