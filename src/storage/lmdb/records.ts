// Records in one lmdb environment. `apply` is readable at once from an overlay in memory; the groups behind it are written in the
// background, several to a transaction, each transaction whole groups with their checkpoint, flushed by a thread of the pool. After a crash
// the environment stands at the end of some group, and the journal replays from there.
//
// Why an overlay: a synchronous transaction of lmdb flushes on the calling thread, in its overlapping mode as well, and its asynchronous
// puts are not readable before their commit. Why never both: a queued asynchronous write runs after a later synchronous one.
// What lies in the environment: format.ts.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Position } from '../journal.ts'
import {
  assertRecordKey,
  readPages,
  RECORD_KEY_BYTES_MAX,
  RecordDamaged,
  RecordFormatUnknown,
  type RecordChange,
  type RecordEntry,
  type RecordPage,
  type Records,
} from '../records.ts'
import { compareUtf8, SortedMap } from '../sorted-map.ts'
import { copyLmdb } from '../lmdb-copy.ts'
import { type BatchWrite, OWN_BATCHES, writeBatch } from '../lmdb-batch.ts'
import { CHECKSUM_BYTES, decode, encode, keyOf, readRecordKey, RECORDS_FORMAT, type State, STATE_KEY } from './format.ts'

const WRITE_DELAY_MS = 50
const RETRY_DELAY_MS = 1000
const PENDING_BYTES_SOON = 4 * 1024 * 1024
const BATCH_CHANGES = 4096

export interface LmdbRecordsOptions {
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
}

/** Opens or creates. Throws RecordFormatUnknown for a newer format and RecordDamaged when the state itself is damaged. */
export async function openLmdbRecords(options: LmdbRecordsOptions): Promise<Records> {
  mkdirSync(options.folder, { recursive: true })
  const database = open<Buffer, Buffer>(options.folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    noSubdir: false,
    overlappingSync: false,
    ...OWN_BATCHES,
  })
  try {
    return new LmdbRecords(options, database)
  } catch (failure) {
    await database.close()
    throw failure
  }
}

/** A value that lmdb may not hold yet, as it will be stored; undefined for a deletion. Its last change came with that group. */
interface Pending {
  readonly stored: Buffer | undefined
  readonly group: number
}
interface Group {
  readonly number: number
  readonly changes: readonly { readonly table: number; readonly key: string; readonly stored: Buffer | undefined }[]
  readonly state: State
  readonly bytes: number
}

class LmdbRecords implements Records {
  readonly #options: LmdbRecordsOptions
  readonly #database: RootDatabase<Buffer, Buffer>
  readonly #overlay = new Map<number, SortedMap<Pending>>()
  readonly #counts = new Map<number, number>()
  #checkpoint: Position
  #flushed: Position
  #groups: Group[] = []
  #groupsBegun = 0
  #pendingBytes = 0
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #isFailing = false

  constructor(options: LmdbRecordsOptions, database: RootDatabase<Buffer, Buffer>) {
    this.#options = options
    this.#database = database
    const state = readState(options.folder, database)
    this.#checkpoint = this.#flushed = state.checkpoint
    for (const [table, count] of Object.entries(state.counts)) this.#counts.set(Number(table), count)
  }

  get checkpoint(): Position {
    return this.#checkpoint
  }

  get flushed(): Position {
    return this.#flushed
  }

  get(table: number, key: string): Buffer | undefined {
    const pending = this.#overlay.get(table)?.get(key)
    if (pending !== undefined) return pending.stored && Buffer.from(pending.stored.subarray(CHECKSUM_BYTES))
    if (key === '' || Buffer.byteLength(key) > RECORD_KEY_BYTES_MAX) return undefined
    const keyBytes = keyOf(table, key)
    const stored = this.#database.getBinary(keyBytes)
    return stored && verify(stored, keyBytes)
  }

  range(table: number, range: Parameters<Records['range']>[1]): Iterable<RecordEntry> {
    return readPages(range, (page) => this.#readPage(table, page))
  }

  count(table: number): number {
    return this.#counts.get(table) ?? 0
  }

  apply(changes: readonly RecordChange[], checkpoint: Position): void {
    if (checkpoint <= this.#checkpoint) return
    for (const { table, key } of changes) assertRecordKey(table, key)
    const number = ++this.#groupsBegun
    let bytes = 0
    const stored = changes.map(({ table, key, value }) => {
      const encoded = value && encode(keyOf(table, key), value)
      bytes += key.length + (encoded?.length ?? 0)
      this.#countChange(table, key, encoded !== undefined)
      this.#overlayOf(table).set(key, { stored: encoded, group: number })
      return { table, key, stored: encoded }
    })
    this.#checkpoint = checkpoint
    const state = { format: RECORDS_FORMAT, checkpoint, counts: Object.fromEntries(this.#counts) }
    this.#groups.push({ number, changes: stored, state, bytes })
    this.#pendingBytes += bytes
    this.#schedule()
  }

  async flush(): Promise<void> {
    const until = this.#checkpoint
    while (this.#flushed < until) await this.#writeSome()
  }

  bytes(): number {
    return statSync(join(this.#options.folder, 'data.mdb')).size + this.#pendingBytes
  }

  copyTo(folder: string): Promise<void> {
    return copyLmdb(this.#database, folder)
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#timer?.cancel()
      await this.#database.close()
    }
  }

  #schedule(): void {
    if (this.#writing !== undefined || this.#groups.length === 0) return
    const isUrgent = this.#pendingBytes > PENDING_BYTES_SOON && !this.#isFailing
    if (this.#timer !== undefined && !isUrgent) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(isUrgent ? 0 : this.#isFailing ? RETRY_DELAY_MS : WRITE_DELAY_MS, () => {
      this.#timer = undefined
      // Told by #failed; the next try is set by then.
      this.#writeSome().catch(() => {})
    })
  }

  /** Writes and flushes the oldest groups, at least one; joins a write that is under way. */
  #writeSome(): Promise<void> {
    this.#writing ??= this.#writeBatch()
      .then(
        () => void (this.#isFailing = false),
        (failure: Error) => this.#failed(failure),
      )
      .finally(() => {
        this.#writing = undefined
        this.#schedule()
      })
    return this.#writing
  }

  #failed(failure: Error): never {
    if (!this.#isFailing) {
      const { log, folder } = this.#options
      log.error('records could not be written; they stay in the journal and are tried again', { folder, reason: failure.message })
    }
    this.#isFailing = true
    throw failure
  }

  async #writeBatch(): Promise<void> {
    let groups = 0
    let changes = 0
    while (groups < this.#groups.length && changes < BATCH_CHANGES) changes += this.#groups[groups++]?.changes.length ?? 0
    const batch = this.#groups.slice(0, groups)
    const last = batch.at(-1)
    if (last === undefined) return
    await writeBatch(this.#database, this.#writesOf(batch, last))
    this.#groups.splice(0, groups)
    for (const group of batch) {
      this.#pendingBytes -= group.bytes
      for (const { table, key } of group.changes) {
        const overlay = this.#overlay.get(table)
        if ((overlay?.get(key)?.group ?? Infinity) <= last.number) overlay?.delete(key)
      }
    }
    this.#flushed = last.state.checkpoint
  }

  *#writesOf(batch: readonly Group[], last: Group): Generator<BatchWrite> {
    for (const group of batch) {
      for (const { table, key, stored } of group.changes) {
        const newest = this.#overlay.get(table)?.get(key)?.group ?? 0
        // A later group of this batch writes the key again.
        if (newest > group.number && newest <= last.number) continue
        yield { key: keyOf(table, key), value: stored }
      }
    }
    yield { key: STATE_KEY, value: encode(STATE_KEY, Buffer.from(JSON.stringify(last.state))) }
  }

  #countChange(table: number, key: string, isPresent: boolean): void {
    const pending = this.#overlay.get(table)?.get(key)
    const wasPresent = pending !== undefined ? pending.stored !== undefined : this.#database.doesExist(keyOf(table, key))
    if (wasPresent !== isPresent) this.#counts.set(table, this.count(table) + (isPresent ? 1 : -1))
  }

  #overlayOf(table: number): SortedMap<Pending> {
    const present = this.#overlay.get(table)
    if (present !== undefined) return present
    const made = new SortedMap<Pending>()
    this.#overlay.set(table, made)
    return made
  }

  /** Merges a page of lmdb with the overlay: where both have a key, the overlay is newer. */
  #readPage(table: number, page: RecordPage): RecordEntry[] {
    const overlay = this.#overlay.get(table)
    const entries: RecordEntry[] = []
    let after = page.after
    for (;;) {
      const max = page.max - entries.length
      const stored = this.#readStored(table, { ...page, after, max })
      const isEnd = stored.length < max
      const until = isEnd ? undefined : stored.at(-1)?.key
      const pending = overlay === undefined ? [] : pendingKeys(overlay, page, after, until)
      merge(stored, pending, overlay, page, entries)
      if (isEnd || entries.length >= page.max) return entries
      after = until
    }
  }

  #readStored(table: number, { prefix, after, reverse, max }: RecordPage): RecordEntry[] {
    const low = keyOf(table, prefix)
    const high = successor(low)
    const from = after === undefined ? undefined : keyOf(table, after)
    if (from !== undefined && (reverse ? from.compare(low) <= 0 : from.compare(high) >= 0)) return []
    const isFromInside = from !== undefined && (reverse ? from.compare(high) < 0 : from.compare(low) >= 0)
    // lmdb's reverse range takes its start as included and its end as excluded, whatever the direction.
    const range = reverse
      ? { start: isFromInside ? from : high, exclusiveStart: true, end: low, inclusiveEnd: true, reverse: true, limit: max }
      : { start: isFromInside ? from : low, exclusiveStart: isFromInside, end: high, limit: max }
    const entries: RecordEntry[] = []
    for (const { key, value } of this.#database.getRange(range)) {
      entries.push({ key: key.toString('utf8', 1), value: verify(value, key) })
    }
    return entries
  }
}

/** The overlay's keys of the part that was read from lmdb: behind `after`, up to and with `until`, in the direction of reading. */
function pendingKeys(overlay: SortedMap<Pending>, page: RecordPage, after: string | undefined, until: string | undefined): string[] {
  const { prefix, reverse } = page
  const isBeforePrefix = (key: string): boolean => compareUtf8(key, prefix) < 0
  const isUpToPrefix = (key: string): boolean => key.startsWith(prefix) || isBeforePrefix(key)
  if (reverse) {
    return overlay
      .between(
        (key) => isBeforePrefix(key) || (until !== undefined && compareUtf8(key, until) < 0),
        (key) => isUpToPrefix(key) && (after === undefined || compareUtf8(key, after) < 0),
      )
      .reverse()
  }
  return overlay.between(
    (key) => isBeforePrefix(key) || (after !== undefined && compareUtf8(key, after) <= 0),
    (key) => isUpToPrefix(key) && (until === undefined || compareUtf8(key, until) <= 0),
  )
}

function merge(
  stored: readonly RecordEntry[],
  pending: readonly string[],
  overlay: SortedMap<Pending> | undefined,
  page: RecordPage,
  into: RecordEntry[],
): void {
  let at = 0
  const direction = page.reverse ? -1 : 1
  const takeStoredBefore = (key: string | undefined): void => {
    for (let entry = stored[at]; entry !== undefined && into.length < page.max; entry = stored[++at]) {
      if (key !== undefined && compareUtf8(entry.key, key) * direction >= 0) return
      into.push(entry)
    }
  }
  for (const key of pending) {
    takeStoredBefore(key)
    if (into.length >= page.max) return
    if (stored[at]?.key === key) at++
    const value = overlay?.get(key)?.stored
    if (value !== undefined) into.push({ key, value: Buffer.from(value.subarray(CHECKSUM_BYTES)) })
  }
  takeStoredBefore(undefined)
}

function readState(folder: string, database: RootDatabase<Buffer, Buffer>): State {
  const stored = database.getBinary(STATE_KEY)
  if (stored === undefined) return { format: RECORDS_FORMAT, checkpoint: 0, counts: {} }
  const state = JSON.parse(verify(stored, STATE_KEY).toString()) as State
  if (state.format > RECORDS_FORMAT) {
    throw new RecordFormatUnknown(
      `the records in ${folder} have format ${state.format}, this version of Sealcast reads up to ${RECORDS_FORMAT}: ` +
        'start a newer version, or restore a backup of this one',
    )
  }
  return state
}

/** The first key behind all that start with `prefix`. UTF-8 has no byte 255 and tables end below it, so the last byte can grow. */
function successor(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix)
  next[next.length - 1] = (next.at(-1) ?? 0) + 1
  return next
}

function verify(stored: Buffer, key: Buffer): Buffer {
  const value = decode(key, stored)
  if (value === undefined) {
    const { table, key: name } = readRecordKey(key)
    const what = key.equals(STATE_KEY) ? 'the state of the records' : `record ${JSON.stringify(name)} of table ${table}`
    throw new RecordDamaged(`${what} fails its checksum: restore a backup, or let fsck --salvage leave it out`)
  }
  return value
}
