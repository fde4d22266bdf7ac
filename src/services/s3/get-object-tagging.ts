// GetObjectTagging: the tags of an object; an empty set where it has none.
import type { Operation } from '../../engine/operation.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { toldVersion } from './object-versions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions, type Tagging, tagging } from './tags.ts'

export const getObjectTagging: Operation<ObjectInput, Tagging & { readonly VersionId?: string }> = {
  name: 'GetObjectTagging',
  access: 'read',
  data: true,
  action: ({ VersionId: versionId }) => (versionId === undefined ? 'GetObjectTagging' : 'GetObjectVersionTagging'),
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { tagging: '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run(tx, input) {
    const { bucket, object } = existingObject(tx, input)
    return { ...tagging(object.tags), ...toldVersion(bucket, object) }
  },
}
