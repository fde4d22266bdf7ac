// Rows as JSON lines: one object a row, with the columns in the order of the query.
import type { SqlValue } from '../../model/sql-rows.ts'
import type { LakeColumn } from '../../storage/lake.ts'

export function formatJsonRow(columns: readonly LakeColumn[], values: readonly SqlValue[]): string {
  // Written out, since an object would sort columns with names like "1" to the front.
  return `{${columns.map(({ name }, at) => `${JSON.stringify(name)}:${JSON.stringify(values[at] ?? null)}`).join(',')}}\n`
}
