// A page of all versions in a bucket: keys in the order of their UTF-8 bytes, each key's versions newest first, keys that share a prefix
// up to the delimiter rolled into one. Two tables are read side by side; what is rolled up is jumped over, not read.
import { type TableReader, compareKeys } from '../../engine/tables.ts'
import type { Bucket, NullVersion, ObjectVersion } from '../../model/bucket.ts'
import { behindVersions, orderOf, readVersionId, versionRow, versionsFrom } from '../../model/object-version.ts'
import { Table, type TableNumber } from '../../model/tables.ts'
import { commonPrefixOf, endsRolledUp, LAST_CHARACTER } from './object-listing.ts'
import { findVersion, idOf } from './object-versions.ts'

export interface VersionListingQuery {
  readonly bucket: Bucket
  readonly prefix: string
  /** Empty: none. */
  readonly delimiter: string
  readonly entriesMax: number
  readonly from: VersionMarker | undefined
}

export interface VersionMarker {
  readonly key: string
  /** The listing goes on with the key's older versions; else behind all of them. */
  readonly versionId?: string
}

export interface ListedVersion {
  readonly version: ObjectVersion
  readonly isLatest: boolean
}

export interface VersionListing {
  readonly entries: readonly ListedVersion[]
  readonly commonPrefixes: readonly string[]
  /** Where the next page starts, when there is one. */
  readonly next: VersionMarker | undefined
}

const PAGE_ROWS = 500

export function listVersionsOf(tables: TableReader, query: VersionListingQuery): VersionListing {
  const { bucket, prefix, delimiter, entriesMax, from } = query
  const { name } = bucket
  const entries: ListedVersion[] = []
  const commonPrefixes: string[] = []
  if (entriesMax === 0) return { entries, commonPrefixes, next: undefined }
  const start = from === undefined ? undefined : startOf(tables, query, from)
  const pageRows = Math.min(PAGE_ROWS, entriesMax + 1)
  const objects = openCursor(tables, Table.objects, `${name}/${prefix}`, start?.objects, pageRows)
  const others = openCursor(tables, Table.objectVersions, versionsFrom(name, prefix), start?.others, pageRows)
  let last: VersionMarker | undefined
  let lastKey = from?.versionId === undefined ? undefined : from.key
  for (;;) {
    const [current, other] = [objects.peek(), others.peek()]
    const isCurrent = current !== undefined && (other === undefined || compareKeys(current.key, other.key) <= 0)
    const version = isCurrent ? current : other
    if (version === undefined) return { entries, commonPrefixes, next: undefined }
    if (entries.length + commonPrefixes.length === entriesMax) return { entries, commonPrefixes, next: last }
    const common = commonPrefixOf(version.key, prefix, delimiter)
    if (common !== undefined) {
      commonPrefixes.push(common)
      last = { key: common }
      objects.jump(`${name}/${common}${LAST_CHARACTER}`)
      others.jump(`${versionsFrom(name, common)}${LAST_CHARACTER}`)
      continue
    }
    ;(isCurrent ? objects : others).next()
    entries.push({ version, isLatest: version.key !== lastKey })
    lastKey = version.key
    last = { key: version.key, versionId: idOf(version) }
  }
}

/** The rows behind which the two tables are read; undefined for a version id that says nothing about a place. */
export function startOf(
  tables: TableReader,
  { bucket, prefix, delimiter }: Pick<VersionListingQuery, 'bucket' | 'prefix' | 'delimiter'>,
  { key, versionId }: VersionMarker,
): { readonly objects: string; readonly others: string } | undefined {
  const { name } = bucket
  if (versionId !== undefined) {
    const version = findVersion(tables, bucket, key, versionId)
    const order = version === undefined ? readVersionId(versionId) : orderOf(version)
    return order === undefined ? undefined : { objects: `${name}/${key}`, others: versionRow(name, key, order) }
  }
  if (endsRolledUp(key, prefix, delimiter))
    return { objects: `${name}/${key}${LAST_CHARACTER}`, others: `${versionsFrom(name, key)}${LAST_CHARACTER}` }
  return { objects: `${name}/${key}`, others: behindVersions(name, key) }
}

interface Cursor {
  peek(): ObjectVersion | undefined
  next(): void
  /** Goes on behind a row. */
  jump(after: string): void
}

function openCursor(
  tables: TableReader,
  table: TableNumber & (typeof Table.objects | typeof Table.objectVersions),
  prefix: string,
  start: string | undefined,
  pageRows: number,
): Cursor {
  let after = start
  let rows: readonly { readonly key: string; readonly value: ObjectVersion | NullVersion }[] = []
  let at = 0
  let isOver = false
  return {
    peek() {
      if (at === rows.length && !isOver) {
        rows = tables.range(table, { prefix, limit: pageRows, ...(after !== undefined && { after }) })
        at = 0
        after = rows.at(-1)?.key ?? after
        isOver = rows.length < pageRows
      }
      return rows[at]?.value as ObjectVersion | undefined
    },
    next: () => void at++,
    jump(to) {
      while (at < rows.length && compareKeys(rows[at]?.key ?? '', to) <= 0) at++
      if (at === rows.length && (after === undefined || compareKeys(after, to) < 0)) after = to
    },
  }
}
