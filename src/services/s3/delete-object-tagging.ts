// DeleteObjectTagging: no tags are left, also where there were none.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'

export const deleteObjectTagging: Operation<ObjectInput, object> = {
  name: 'DeleteObjectTagging',
  access: 'write',
  data: true,
  resource: objectResource,
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: {
    parameters: (input, call) => bucketParameters(input, call, { tagging: '', versionId: input.VersionId }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input) {
    const { tags, ...object } = existingObject(tx, input)
    if (tags !== undefined) tx.put(Table.objects, `${input.Bucket}/${input.Key}`, object)
    return {}
  },
}
