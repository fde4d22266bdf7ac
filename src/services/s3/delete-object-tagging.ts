// DeleteObjectTagging: no tags are left, also where there were none.
import type { Operation } from '../../engine/operation.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { changeVersion, toldVersion } from './object-versions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'
import { tellEvent } from './tell-event.ts'

export const deleteObjectTagging: Operation<ObjectInput, object> = {
  name: 'DeleteObjectTagging',
  access: 'write',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'DeleteObjectTagging' : 'DeleteObjectVersionTagging'),
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { tagging: '', versionId: input.VersionId }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input, call) {
    const { bucket, object } = existingObject(tx, input)
    changeVersion(tx, bucket, object, { tags: undefined })
    tellEvent(tx, call, bucket, 'ObjectTagging:Delete', object)
    return toldVersion(bucket, object)
  },
}
