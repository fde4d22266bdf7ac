// The lineage of the record: which history it continues. A restore from a backup begins another one; what signs, chains or counts over the
// whole record looks here, so that what a restore left behind shows as a declared break and not as a fork.
import type { LineageRow } from '../model/acts.ts'
import { Table } from '../model/tables.ts'
import type { TableReader } from './tables.ts'

/** Undefined only before the first start has written it. */
export function lineageOf(tables: TableReader): LineageRow | undefined {
  const row = tables.get(Table.acts, 'lineage')
  return row?.kind === 'lineage' ? row : undefined
}
