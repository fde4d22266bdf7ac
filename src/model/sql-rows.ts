// What a SQL query answers: values that JSON can hold, and the names of their types. Whole numbers beyond 2^53 and decimals that a
// double would round come as text; so do times ("2023-07-10 11:54:39.123", UTC) and everything else without a JSON form.

export type SqlValue = null | boolean | number | string | readonly SqlValue[] | { readonly [name: string]: SqlValue }

/** DuckDB's name of a type: VARCHAR, BIGINT, DOUBLE, TIMESTAMP, BOOLEAN, STRUCT("type" VARCHAR, ...), STRUCT(...)[], MAP(...). */
export type ColumnType = string

const NUMERIC = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM)$/

/** Whether a column of the type reads best aligned to the right. */
export function isNumeric(type: ColumnType): boolean {
  return NUMERIC.test(type)
}

/** A value as text for people and CSV: null is empty, structs and lists are JSON. */
export function textOf(value: SqlValue): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
