// RemoveTags: by key; absent keys are no error.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { checkTrailArn, taggedTrail } from './tagged-trail.ts'
import type { Tag } from './tags.ts'

export const removeTags: Operation<{ readonly ResourceId: string; readonly TagsList: readonly Tag[] }, object> = {
  name: 'RemoveTags',
  access: 'write',
  resource: (input) => checkTrailArn(input.ResourceId),
  run(tx, input, call) {
    const trail = taggedTrail(tx, call, input.ResourceId)
    const gone = new Set(input.TagsList.map(({ Key }) => Key))
    tx.put(Table.trails, trail.trailArn, {
      ...trail,
      tags: Object.fromEntries(Object.entries(trail.tags).filter(([key]) => !gone.has(key))),
    })
    return {}
  },
}
