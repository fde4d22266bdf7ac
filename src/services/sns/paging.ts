// Lists of a hundred, with a sealed token that names the last key looked at: it may be that of somebody else's row.
import { type TableNumber, type Rows } from '../../model/tables.ts'
import { type Seal, SealBroken } from '../../engine/seal.ts'
import type { Row, TableReader } from '../../engine/tables.ts'
import { invalidParameter } from './errors.ts'

const PAGE_ROWS = 100
/** So many rows are looked at for a page; behind them the page is short, as pages of AWS may be. */
const LOOKED_AT_MAX = 1000

export interface Page<T> {
  readonly rows: readonly Row<T>[]
  readonly NextToken?: string
}

export interface PageRequest<T> {
  readonly seal: Seal
  /** Of the keys. */
  readonly prefix: string
  /** From the page before. */
  readonly token: string | undefined
  readonly max?: number
  readonly keep?: (value: T) => boolean
}

/** The page of rows whose keys start with the prefix, behind the key in the token. */
export function readPage<N extends TableNumber>(
  tables: TableReader,
  table: N,
  { seal, prefix, token, max = PAGE_ROWS, keep = () => true }: PageRequest<Rows[N]>,
): Page<Rows[N]> {
  const context = `page of ${table} ${prefix}`
  const kept: Row<Rows[N]>[] = []
  let after = token === undefined || token === '' ? undefined : openToken(seal, token, context)
  for (let looked = 0; ; looked += PAGE_ROWS) {
    if (looked >= LOOKED_AT_MAX) return { rows: kept, NextToken: seal.seal(after ?? '', context) }
    const rows = tables.range(table, { prefix, limit: PAGE_ROWS + 1, ...(after !== undefined && { after }) })
    for (const row of rows) {
      if (!keep(row.value)) continue
      if (kept.length === max) return { rows: kept, NextToken: seal.seal(kept.at(-1)?.key ?? '', context) }
      kept.push(row)
    }
    if (rows.length <= PAGE_ROWS) return { rows: kept }
    after = rows.at(-1)?.key
  }
}

function openToken(seal: Seal, token: string, context: string): string {
  try {
    return seal.open(token, context)
  } catch (error) {
    if (error instanceof SealBroken) throw invalidParameter('NextToken')
    throw error
  }
}
