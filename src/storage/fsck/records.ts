// The records as their file holds them: every value's checksum, the state, the counts.
import { decode, encode, readRecordKey, RECORDS_FORMAT, STATE_KEY, type State } from '../lmdb/format.ts'
import { FsckRefused } from '../fsck.ts'
import { readLmdbFile } from '../lmdb-file.ts'
import { openValue, recordBound } from '../sealed-value.ts'
import { type Check, damage } from './check.ts'

export const RECORDS_FILE = 'records/data.mdb'
const ROWS_PER_STEP = 2000

export interface RecordsPicture {
  /** Undefined: unreadable. A store that is not there has checkpoint 0. */
  readonly state: State | undefined
  readonly rows: number
  /** Keys, as stored, of values that fail their checksum. */
  readonly damaged: ReadonlySet<string>
  /** Keys that are lost without a name. */
  readonly hasLost: boolean
}

/** `onRow` gets each sound row. */
export async function checkRecords(check: Check, onRow: (table: number, key: string, value: Buffer) => void): Promise<RecordsPicture> {
  const damaged = new Set<string>()
  const counts = new Map<number, number>()
  let state: State | undefined = { format: RECORDS_FORMAT, checkpoint: 0, counts: {} }
  let rows = 0
  let hasLost = false
  for (const { key, value } of readEnvironment(check, RECORDS_FILE, () => (hasLost = true))) {
    const payload = decode(key, value)
    if (key.equals(STATE_KEY)) {
      state = payload && readState(check, payload)
      if (state === undefined) damage(check, RECORDS_FILE, 'the state of the records, which holds their checkpoint, is damaged')
      continue
    }
    const { table, key: name } = readRecordKey(key)
    counts.set(table, (counts.get(table) ?? 0) + 1)
    const row = payload && openValue(check.storeKeys('records'), recordBound(table, name), payload)
    if (row === undefined) {
      damaged.add(key.toString('latin1'))
      damage(check, RECORDS_FILE, `record ${JSON.stringify(name)} of table ${table} fails its checksum`)
    } else if (!Buffer.isBuffer(row)) {
      damaged.add(key.toString('latin1'))
      damage(check, RECORDS_FILE, `record ${JSON.stringify(name)} of table ${table} cannot be read: ${row.problem}`)
    } else onRow(table, name, row)
    if (++rows % ROWS_PER_STEP === 0) await check.step('records', 0.5)
  }
  if (state !== undefined && !hasLost) {
    for (const table of new Set([...counts.keys(), ...Object.keys(state.counts).map(Number)])) {
      const [told, found] = [state.counts[table] ?? 0, counts.get(table) ?? 0]
      if (told !== found) damage(check, RECORDS_FILE, `table ${table} holds ${found} records, its count says ${told}`)
    }
  }
  await check.step('records', 1)
  return { state, rows, damaged, hasLost }
}

/** The entries of an lmdb environment's file; nothing when there is none. What is wrong with its pages is reported. */
export function* readEnvironment(
  check: Check,
  name: string,
  onProblem: () => void,
): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
  const path = check.path(name)
  if (!check.files.exists(path)) return
  const file = check.files.open(path, 'read')
  try {
    yield* readLmdbFile(file, ({ page, what }) => {
      onProblem()
      damage(check, name, `page ${page}: ${what}`)
    })
  } finally {
    file.close()
  }
}

/** The sound rows again, for salvage. */
export function* soundRecords(check: Check): Generator<{ readonly table: number; readonly key: string; readonly value: Buffer }> {
  for (const { key, value } of readEnvironment(check, RECORDS_FILE, () => {})) {
    const payload = decode(key, value)
    if (payload === undefined || key.equals(STATE_KEY)) continue
    const row = readRecordKey(key)
    const opened = openValue(check.storeKeys('records'), recordBound(row.table, row.key), payload)
    if (Buffer.isBuffer(opened)) yield { ...row, value: opened }
  }
}

export function encodeState(state: State): Buffer {
  return encode(STATE_KEY, Buffer.from(JSON.stringify(state)))
}

function readState(check: Check, payload: Buffer): State | undefined {
  let state: State
  try {
    state = JSON.parse(payload.toString('utf8')) as State
  } catch {
    return undefined
  }
  if (state.format > RECORDS_FORMAT) {
    throw new FsckRefused(
      `${check.path(RECORDS_FILE)} has format ${state.format}; this release knows up to ${RECORDS_FORMAT}. Use the release that wrote it.`,
    )
  }
  return Number.isSafeInteger(state.checkpoint) && typeof state.counts === 'object' ? state : undefined
}
