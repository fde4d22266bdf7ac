// The port of the records: the current value of every keyed thing, rebuilt from the journal behind its checkpoint.
// Keys are 1 to 1,900 bytes of well-formed UTF-8, ordered by their bytes within a table; tables are 0 to 254. Suite: records.suite.ts.
import { assert } from '../base/assert.ts'
import type { Position } from './journal.ts'

export const RECORD_KEY_BYTES_MAX = 1900
export const RECORD_TABLE_MAX = 254

export type RecordChange =
  | { readonly table: number; readonly key: string; readonly value: Buffer }
  | { readonly table: number; readonly key: string; readonly value: undefined }

export interface Range {
  /** Keys that start with it. */
  readonly prefix?: string
  /** Keys behind it in the direction of reading, itself excluded: with `reverse`, the smaller ones. */
  readonly after?: string
  /** At most this many. */
  readonly limit?: number
  readonly reverse?: boolean
}

export interface Records {
  /** All changes up to here are applied (readable). 0 on an empty store. */
  readonly checkpoint: Position
  /** All changes up to here survive a power cut; the journal must be kept from here on. */
  readonly flushed: Position
  /** The value, or undefined. Throws RecordDamaged when its checksum does not hold. The buffer is the caller's. */
  get(table: number, key: string): Buffer | undefined
  /**
   * In order. Read in steps while it is iterated: what is applied meanwhile may or may not be seen; nothing else is missed or comes twice.
   */
  range(table: number, range: Range): Iterable<{ readonly key: string; readonly value: Buffer }>
  /** How many keys the table holds; costs nothing. */
  count(table: number): number
  /**
   * One atomic transaction with the checkpoint; readable on return, flushed later. `checkpoint` is the position behind the group; a group
   * that ends at or before the present checkpoint is a replay and changes nothing. Values are copied before it returns.
   */
  apply(changes: readonly RecordChange[], checkpoint: Position): void
  /** Resolves when all that was applied is flushed. */
  flush(): Promise<void>
  bytes(): number
  /** A snapshot as files in `folder`, which is empty; what is written meanwhile waits for nothing. */
  copyTo(folder: string): Promise<void>
  close(): Promise<void>
}

/** A stored value fails its checksum. Names the table and the key. */
export class RecordDamaged extends Error {
  override name = 'RecordDamaged'
}
/** The store was written by a newer version. Nothing was changed. */
export class RecordFormatUnknown extends Error {
  override name = 'RecordFormatUnknown'
}

export function assertRecordKey(table: number, key: string): void {
  assert(Number.isInteger(table) && table >= 0 && table <= RECORD_TABLE_MAX, `a record table from 0 to ${RECORD_TABLE_MAX}, not ${table}`)
  const bytes = Buffer.byteLength(key)
  assert(bytes > 0 && bytes <= RECORD_KEY_BYTES_MAX, `a record key of 1 to ${RECORD_KEY_BYTES_MAX} bytes in table ${table}`)
  assert(key.isWellFormed(), `a well-formed record key in table ${table}`)
}

export interface RecordPage {
  readonly prefix: string
  /** The key to go on from, itself excluded. */
  readonly after: string | undefined
  readonly reverse: boolean
  readonly max: number
}
export type RecordEntry = { readonly key: string; readonly value: Buffer }

/** Reads a range page by page, so that no cursor stays open while the reader does something else. Fewer than `max` entries end it. */
export function* readPages(range: Range, page: (page: RecordPage) => readonly RecordEntry[]): Generator<RecordEntry> {
  const { prefix = '', after, limit = Infinity, reverse = false } = range
  let left = limit
  let from = after
  while (left > 0) {
    const max = Math.min(left, PAGE_ENTRIES)
    const entries = page({ prefix, after: from, reverse, max })
    yield* entries
    if (entries.length < max) return
    left -= entries.length
    from = entries.at(-1)?.key
  }
}
const PAGE_ENTRIES = 128
