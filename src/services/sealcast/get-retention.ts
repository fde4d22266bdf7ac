// GetRetention: what of each trail is kept until when and by which rule, and how long the stores of the data directory keep theirs.
import type { RetentionReport } from '../../model/retention.ts'
import { Table } from '../../model/tables.ts'
import type { SealcastOperation } from './operation.ts'
import { trailRetention } from './retention-report.ts'

export const getRetention: SealcastOperation<object, RetentionReport> = ({ stores }) => ({
  name: 'GetRetention',
  access: 'read',
  async prepare({ env: { tables, clock } }) {
    const trails = []
    for (const { value } of tables.range(Table.trails, {})) trails.push(await trailRetention(tables, value, clock.now()))
    return trails
  },
  run: (tx, _input, _call, trails) => ({ at: tx.now, trails: trails as RetentionReport['trails'], stores: stores() }),
})
