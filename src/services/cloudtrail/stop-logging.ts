// StopLogging: its own event is the last that the trail takes.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { withDigestEra } from './digest-era.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'

export const stopLogging: Operation<{ readonly Name: string }, object> = {
  name: 'StopLogging',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  run(tx, input, call) {
    const trail = trailToChange(tx, call, input.Name)
    if (trail.isLogging) tx.put(Table.trails, trail.trailArn, withDigestEra(tx, { ...trail, isLogging: false, stoppedAt: tx.now }))
    return {}
  },
}
