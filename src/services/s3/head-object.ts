// HeadObject: GetObject without the bytes.
import type { Operation } from '../../engine/operation.ts'
import { objectResource } from './existing-bucket.ts'
import { taggedObject } from './existing-object.ts'
import { withHeadErrors } from './head-errors.ts'
import type { ObjectDescription } from './object-headers.ts'
import { readAction, type ReadInput, readObject } from './read-object.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'

export const headObject: Operation<ReadInput, ObjectDescription> = {
  name: 'HeadObject',
  access: 'read',
  data: true,
  action: readAction,
  resource: (input, call) => withHeadErrors(() => objectResource(input, call)),
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: { parameters: (input, call) => bucketParameters(input, call, { versionId: input.VersionId }), resources: objectResources },
  run: (tx, input, call) => withHeadErrors(() => readObject(tx, input, call).description),
}
