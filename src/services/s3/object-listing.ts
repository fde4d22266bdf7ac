// A page of a bucket's keys, in the order of their UTF-8 bytes, with keys that share a prefix up to the delimiter rolled into one
// (S3 user guide, "Organizing objects using prefixes"). Rolled-up keys are skipped by one jump, not read.
import type { TableReader } from '../../engine/tables.ts'
import type { StoredObject } from '../../model/bucket.ts'
import { Table } from '../../model/tables.ts'
import type { Continuation } from './continuation-token.ts'

export interface ListingQuery {
  readonly bucket: string
  readonly prefix: string
  /** Empty: none. */
  readonly delimiter: string
  readonly keysMax: number
  readonly from: Continuation | undefined
}

export interface Listing {
  readonly objects: readonly StoredObject[]
  readonly commonPrefixes: readonly string[]
  /** Where the next page starts, when there is one. */
  readonly next: Continuation | undefined
}

/** Behind every key that starts with the text before it: no key holds a greater code point. */
export const LAST_CHARACTER = '\u{10FFFF}'
/** Read in one step: a listing of a thousand keys is none that holds up others. */
const STEP_ROWS = 250
/** Where keys are rolled up, the first of them may be all that is read before the jump behind the others. */
const JUMP_ROWS = 2
/** What finding a place costs, in rows read. */
const SEEK_ROWS = 4

/** Lets other calls in between while it reads; each key is told as it was when its row was read. */
export async function listObjectsOf(tables: TableReader, query: ListingQuery): Promise<Listing> {
  const { bucket, prefix, delimiter, keysMax } = query
  const objects: StoredObject[] = []
  const commonPrefixes: string[] = []
  let last: Continuation | undefined
  let after = query.from === undefined ? undefined : behind(query.from)
  if (keysMax === 0) return { objects, commonPrefixes, next: undefined }
  const rowsMin = delimiter === '' ? STEP_ROWS : JUMP_ROWS
  let rowsMax = rowsMin
  for (let read = 0; ;) {
    if (read >= STEP_ROWS) {
      await new Promise((resolve) => setImmediate(resolve))
      read = 0
    }
    const rows = tables.range(Table.objects, {
      prefix: `${bucket}/${prefix}`,
      limit: Math.min(rowsMax, keysMax - objects.length - commonPrefixes.length + 1),
      ...(after !== undefined && { after: `${bucket}/${after}` }),
    })
    read += rows.length + SEEK_ROWS
    let jumped = false
    for (const { value } of rows) {
      const common = commonPrefixOf(value.key, prefix, delimiter)
      if (common !== undefined && common === commonPrefixes.at(-1)) continue
      if (objects.length + commonPrefixes.length === keysMax) return { objects, commonPrefixes, next: last }
      if (common === undefined) {
        objects.push(value)
        last = { after: value.key, skipsPrefix: false }
        after = value.key
      } else {
        commonPrefixes.push(common)
        last = { after: common, skipsPrefix: true }
        after = behind(last)
        jumped = true
        break
      }
    }
    if (!jumped && rows.length === 0) return { objects, commonPrefixes, next: undefined }
    const lastRow = rows.at(-1)
    if (!jumped && lastRow !== undefined) after = lastRow.value.key
    rowsMax = jumped ? rowsMin : Math.min(STEP_ROWS, 2 * rowsMax)
  }
}

function behind({ after, skipsPrefix }: Continuation): string {
  return skipsPrefix ? after + LAST_CHARACTER : after
}

export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.slice(0, at + delimiter.length)
}

/** Whether a marker is a common prefix: what it rolled up is behind us. A delimiter begins behind the prefix, and never in it. */
export function endsRolledUp(marker: string, prefix: string, delimiter: string): boolean {
  return delimiter !== '' && marker.length >= prefix.length + delimiter.length && marker.endsWith(delimiter)
}

/** Form encoding as S3 does it for `encoding-type=url`: the slash stays, a blank is a plus sign. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
}
