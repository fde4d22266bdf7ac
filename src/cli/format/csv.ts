// Rows as CSV (RFC 4180): CRLF line ends, quotes doubled, a header line. Null is an empty field and the empty text is "", so that readers
// that care can tell them apart. Structs and lists are JSON.
import { type SqlValue, textOf } from '../../model/sql-rows.ts'

export function formatCsvRow(values: readonly SqlValue[]): string {
  return `${values.map(field).join(',')}\r\n`
}

function field(value: SqlValue): string {
  const text = textOf(value)
  return value !== null && (text === '' || /[",\r\n]|^\s|\s$/.test(text)) ? `"${text.replaceAll('"', '""')}"` : text
}
