// AddTags: sets tags on a trail; a key that is there gets the new value.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { checkTrailArn, taggedTrail } from './tagged-trail.ts'
import { type Tag, withTags } from './tags.ts'

export const addTags: Operation<{ readonly ResourceId: string; readonly TagsList: readonly Tag[] }, object> = {
  name: 'AddTags',
  access: 'write',
  resource: (input) => checkTrailArn(input.ResourceId),
  run(tx, input, call) {
    const trail = taggedTrail(tx, call, input.ResourceId)
    tx.put(Table.trails, trail.trailArn, { ...trail, tags: withTags(trail.tags, input.TagsList) })
    return {}
  },
}
