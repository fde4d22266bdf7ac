// DuckDB's values as JSON has them (model/sql-rows.ts says how).
import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  type DuckDBType,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { SqlValue } from '../../model/sql-rows.ts'

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const EXACT_DIGITS = 15

/** The shape that the binding's row reader calls; the type decides nothing that the value does not tell. */
export function toSqlValue(value: DuckDBValue, _type?: DuckDBType): SqlValue {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return value >= -SAFE && value <= SAFE ? Number(value) : String(value)
    default:
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map((item) => toSqlValue(item))
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, toSqlValue(inner)]))
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(value.entries.map((entry) => [String(toSqlValue(entry.key)), toSqlValue(entry.value)]))
  if (value instanceof DuckDBUnionValue) return toSqlValue(value.value)
  if (value instanceof DuckDBDecimalValue) return value.width <= EXACT_DIGITS ? value.toDouble() : exactDecimal(value.toString())
  return String(value)
}

/** Wide types mostly hold small values: `sum` of integers is one of 38 digits. */
function exactDecimal(text: string): number | string {
  return text.replace(/\D/g, '').length <= EXACT_DIGITS ? Number(text) : text
}
