// DescribeTrails: the trails of the region, shadows of those homed elsewhere included unless the caller wants none.
import type { Call, Operation } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import { describeTrail, type TrailDescription } from './trail-form.ts'
import { resolveTrailArn, visibleTrails } from './trail-name.ts'

interface Input {
  readonly trailNameList?: readonly string[]
  readonly includeShadowTrails?: boolean
}

export const describeTrails: Operation<Input, { readonly trailList: readonly TrailDescription[] }> = {
  name: 'DescribeTrails',
  access: 'read',
  run: (tx, input, call) => ({ trailList: chosenTrails(tx, input, call).map(describeTrail) }),
}

/** Names that are none are left out, as AWS does. */
function chosenTrails(tables: TableReader, input: Input, call: Call): readonly Trail[] {
  const { trailNameList: names = [], includeShadowTrails: includesShadows = true } = input
  if (names.length === 0) return visibleTrails(tables, call).filter((trail) => includesShadows || trail.homeRegion === call.region)
  const chosen = new Map<string, Trail>()
  for (const name of names) {
    const trail = tables.get(Table.trails, resolveTrailArn(tables, call, name))
    if (trail !== undefined && trail.account === call.account && (includesShadows || trail.homeRegion === call.region))
      chosen.set(trail.trailArn, trail)
  }
  return [...chosen.values()]
}
