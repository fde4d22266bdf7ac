// RemoveTags: by key; absent keys are no error.
import type { Operation } from '../../engine/operation.ts'
import { checkTaggedArn, taggedResource } from './tagged-resource.ts'
import type { Tag } from './tags.ts'

export const removeTags: Operation<{ readonly ResourceId: string; readonly TagsList: readonly Tag[] }, object> = {
  name: 'RemoveTags',
  access: 'write',
  resource: (input) => checkTaggedArn(input.ResourceId),
  run(tx, input, call) {
    const { tags, setTags } = taggedResource(tx, call, input.ResourceId)
    const gone = new Set(input.TagsList.map(({ Key }) => Key))
    setTags(tx, Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))))
    return {}
  },
}
