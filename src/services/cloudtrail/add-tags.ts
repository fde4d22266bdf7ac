// AddTags: sets tags on a trail or channel; a key that is there gets the new value.
import type { Operation } from '../../engine/operation.ts'
import { checkTaggedArn, taggedResource } from './tagged-resource.ts'
import { type Tag, withTags } from './tags.ts'

export const addTags: Operation<{ readonly ResourceId: string; readonly TagsList: readonly Tag[] }, object> = {
  name: 'AddTags',
  access: 'write',
  resource: (input) => checkTaggedArn(input.ResourceId),
  run(tx, input, call) {
    const { tags, setTags } = taggedResource(tx, call, input.ResourceId)
    setTags(tx, withTags(tags, input.TagsList))
    return {}
  },
}
