// StartLogging: events from this commit on, itself included, belong to the trail.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { withDigestEra } from './digest-era.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'

export const startLogging: Operation<{ readonly Name: string }, object> = {
  name: 'StartLogging',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  run(tx, input, call) {
    const trail = trailToChange(tx, call, input.Name)
    if (!trail.isLogging) tx.put(Table.trails, trail.trailArn, withDigestEra(tx, { ...trail, isLogging: true, startedAt: tx.now }))
    return {}
  },
}
