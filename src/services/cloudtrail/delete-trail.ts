// DeleteTrail: ends logging; what was logged up to here is still delivered by the trail follower.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'

export const deleteTrail: Operation<{ readonly Name: string }, object> = {
  name: 'DeleteTrail',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  run(tx, input, call) {
    tx.delete(Table.trails, trailToChange(tx, call, input.Name).trailArn)
    return {}
  },
}
