// PutObjectTagging: replaces all tags of the object.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput, taggedObject } from './existing-object.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions, objectTags, requestTagConditions, type Tagging } from './tags.ts'

interface Input extends ObjectInput {
  readonly Tagging: Tagging
}

export const putObjectTagging: Operation<Input, object> = {
  name: 'PutObjectTagging',
  access: 'write',
  data: true,
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
  run(tx, input) {
    const object = existingObject(tx, input)
    tx.put(Table.objects, `${input.Bucket}/${input.Key}`, { ...object, tags: objectTags(input.Tagging) })
    return {}
  },
}
