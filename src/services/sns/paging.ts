// Lists of a hundred, with an opaque token that names the last key given out.
import { type TableNumber, type Rows } from '../../model/tables.ts'
import type { Row, TableReader } from '../../engine/tables.ts'
import { invalidParameter } from './errors.ts'

const PAGE_ROWS = 100
const TOKEN_PREFIX = 'v1:'

export interface Page<T> {
  readonly rows: readonly Row<T>[]
  readonly NextToken?: string
}

/** The page of rows whose keys start with `prefix`, behind the key in `token`. */
export function readPage<N extends TableNumber>(
  tables: TableReader,
  table: N,
  prefix: string,
  token: string | undefined,
  keep: (value: Rows[N]) => boolean = () => true,
): Page<Rows[N]> {
  const kept: Row<Rows[N]>[] = []
  let after = token === undefined || token === '' ? undefined : openToken(token, prefix)
  for (;;) {
    const rows = tables.range(table, { prefix, limit: PAGE_ROWS + 1, ...(after !== undefined && { after }) })
    for (const row of rows) {
      if (!keep(row.value)) continue
      if (kept.length === PAGE_ROWS) return { rows: kept, NextToken: sealToken(kept.at(-1)?.key ?? '') }
      kept.push(row)
    }
    if (rows.length <= PAGE_ROWS) return { rows: kept }
    after = rows.at(-1)?.key
  }
}

function sealToken(key: string): string {
  return Buffer.from(TOKEN_PREFIX + key).toString('base64url')
}

function openToken(token: string, prefix: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith(TOKEN_PREFIX + prefix)) throw invalidParameter('NextToken')
  return text.slice(TOKEN_PREFIX.length)
}
