// HeadObject: GetObject without the bytes.
import type { Operation } from '../../engine/operation.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, taggedObject } from './existing-object.ts'
import { type GetInput, READ_SUPPORTED, readAction } from './get-object.ts'
import { withHeadErrors } from './head-errors.ts'
import { type ObjectDescription, describeObject, readRange } from './object-headers.ts'
import { checkRead } from './preconditions.ts'
import { bucketParameters, objectResources } from './record.ts'
import { existingTagConditions } from './tags.ts'
import { refuseUnsupported } from './unsupported.ts'

export const headObject: Operation<GetInput, ObjectDescription> = {
  name: 'HeadObject',
  access: 'read',
  data: true,
  action: readAction,
  resource: (input, call) => withHeadErrors(() => objectResource(input, call)),
  conditions: (input, _call, tables) => existingTagConditions(taggedObject(tables, input)),
  record: { parameters: (input, call) => bucketParameters(input, call, { versionId: input.VersionId }), resources: objectResources },
  run: (tx, input) =>
    withHeadErrors(() => {
      refuseUnsupported(input, READ_SUPPORTED)
      const { bucket, object } = existingObject(tx, input)
      checkRead(input, object)
      return describeObject(bucket, object, input, readRange(input.Range, object.bytes))
    }),
}
