// GetTrail: one trail, by name or ARN.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { describeTrail, type TrailDescription } from './trail-form.ts'
import { resolveTrailArn } from './trail-name.ts'

export const getTrail: Operation<{ readonly Name: string }, { readonly Trail: TrailDescription }> = {
  name: 'GetTrail',
  access: 'read',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  run(tx, input, call) {
    const trail = tx.get(Table.trails, resolveTrailArn(tx, call, input.Name))
    // Quirk: names the trail as the caller did, where others name its ARN.
    if (trail === undefined) throw errors.trailMissing(input.Name, call.account)
    return { Trail: describeTrail(trail) }
  },
}
