// Writes the records anew: all that is sound, what the journal gives back, without what fails or points nowhere. They end where the
// repaired journal ends.
import type { RootDatabase } from 'lmdb'
import { encode, keyOf, readRecordKey, RECORDS_FORMAT, STATE_KEY } from '../lmdb/format.ts'
import { recordBound, sealValue, type ValueSealing } from '../sealed-value.ts'
import { encodeState, soundRecords } from './records.ts'
import { reachedBy } from './repair-journal.ts'
import { openFreshEnvironment, quietCheck, type Salvage } from './repair.ts'
import { rowName, rowOf, type Survey } from './survey.ts'

const BATCH_ROWS = 1000

interface Row {
  readonly table: number
  readonly key: string
  readonly value: Buffer
}

export async function repairRecords(salvage: Salvage, survey: Survey, isJournalDamaged: boolean): Promise<void> {
  const counts = new Map<number, number>()
  const sealing = { keys: salvage.storeKeys('records'), random: salvage.random }
  const database = openFreshEnvironment(salvage, 'records')
  try {
    let batch: Row[] = []
    for (const row of keptRows(salvage, survey)) {
      counts.set(row.table, (counts.get(row.table) ?? 0) + 1)
      batch.push(row)
      if (batch.length < BATCH_ROWS) continue
      await write(database, batch, sealing)
      batch = []
    }
    await write(database, batch, sealing)
    const checkpoint = isJournalDamaged ? reachedBy(survey) : survey.journal.durable
    await database.put(STATE_KEY, encodeState({ format: RECORDS_FORMAT, checkpoint, counts: Object.fromEntries(counts) }))
  } finally {
    await database.close()
  }
  tellLosses(salvage, survey)
  salvage.replace('records')
}

async function write(database: RootDatabase<Buffer, Buffer>, rows: readonly Row[], sealing: ValueSealing): Promise<void> {
  await database.batch(() => {
    for (const { table, key, value } of rows) {
      const keyBytes = keyOf(table, key)
      void database.put(keyBytes, encode(keyBytes, sealValue(sealing, recordBound(table, key), value)))
    }
  })
}

function* keptRows(salvage: Salvage, survey: Survey): Generator<Row> {
  const removed = new Set(survey.badRows.map(({ table, key }) => rowName(table, key)))
  for (const row of rowsOf(salvage, survey)) {
    if (!removed.has(rowName(row.table, row.key))) yield row
    else salvage.keep('records-removed.ndjson', { table: row.table, key: row.key, value: row.value.toString('utf8') })
  }
}

function* rowsOf(salvage: Salvage, { recovered, newest }: Survey): Generator<Row> {
  for (const row of soundRecords(quietCheck(salvage))) if (!newest.has(rowName(row.table, row.key))) yield row
  for (const [name, value] of new Map([...recovered, ...newest])) {
    const [table, key] = rowOf(name)
    if (value !== undefined) yield { table, key, value }
  }
}

function tellLosses(salvage: Salvage, { badRows, records: { damaged, hasLost, state }, recovered, newest, journal }: Survey): void {
  for (const { table, key, what } of badRows)
    salvage.lost(`record ${JSON.stringify(key)} of table ${table} (kept in records-removed.ndjson): ${what}`)
  for (const name of damaged) {
    const { table, key } = readRecordKey(Buffer.from(name, 'latin1'))
    if (recovered.has(rowName(table, key)) || newest.has(rowName(table, key))) continue
    salvage.lost(`record ${JSON.stringify(key)} of table ${table}: its value fails its checksum, and the journal does not reach back to it`)
  }
  if (hasLost && journal.start > 0)
    salvage.lost(`records that stood on damaged pages and were last changed before position ${journal.start} of the journal`)
  const checkpoint = state?.checkpoint ?? 0
  if (checkpoint < journal.start) salvage.lost(`changes of records between positions ${checkpoint} and ${journal.start} of the journal`)
}
