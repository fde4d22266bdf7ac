// Lists of a hundred, with a sealed token that names the last key looked at: it may be that of somebody else's row.
import { type TableNumber, type Rows } from '../../model/tables.ts'
import type { Call } from '../../engine/operation.ts'
import { type Seal, SealBroken } from '../../engine/seal.ts'
import type { TableReader } from '../../engine/tables.ts'
import { invalidParameter } from './errors.ts'

const PAGE_ROWS = 100
/** So many rows are looked at for a page; behind them the page is short, as pages of AWS may be. */
const LOOKED_AT_MAX = 1000

export interface Page<T> {
  readonly values: readonly T[]
  readonly NextToken?: string
}

export interface PageRequest<T> {
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
  { env: { seal } }: Call,
  table: N,
  { prefix, token, max = PAGE_ROWS, keep = () => true }: PageRequest<Rows[N]>,
): Page<Rows[N]> {
  const context = `page of ${table} ${prefix}`
  const values: Rows[N][] = []
  let after = token === undefined || token === '' ? undefined : openToken(seal, token, context)
  let last = ''
  for (let looked = 0; ; looked += PAGE_ROWS) {
    if (looked >= LOOKED_AT_MAX) return { values, NextToken: seal.seal(after ?? '', context) }
    const rows = tables.range(table, { prefix, limit: PAGE_ROWS + 1, ...(after !== undefined && { after }) })
    for (const { key, value } of rows) {
      if (!keep(value)) continue
      if (values.length === max) return { values, NextToken: seal.seal(last, context) }
      values.push(value)
      last = key
    }
    if (rows.length <= PAGE_ROWS) return { values }
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
