// PutObjectTagging: replaces all tags of the object.
import type { Operation } from '../../engine/operation.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { changeVersion, toldVersion } from './object-versions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions, objectTags, requestTagConditions, type Tagging } from './tags.ts'
import { tellEvent } from './tell-event.ts'

interface Input extends ObjectInput {
  readonly Tagging: Tagging
}

export const putObjectTagging: Operation<Input, object> = {
  name: 'PutObjectTagging',
  access: 'write',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'PutObjectTagging' : 'PutObjectVersionTagging'),
  resource: objectResource,
  conditions: (input, _call, tables) => ({
    ...existingTagConditions(taggedObject(tables, input)),
    ...requestTagConditions(objectTags(input.Tagging)),
  }),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { tagging: '', versionId: input.VersionId }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input, call) {
    const { bucket, object } = existingObject(tx, input)
    changeVersion(tx, bucket, object, { tags: objectTags(input.Tagging) })
    tellEvent(tx, call, bucket, 'ObjectTagging:Put', object)
    return toldVersion(bucket, object)
  },
}
