// RestoreObject: there is nothing to restore, since what lies in the archive is readable at once; S3 answers the same for such a class.
import type { Operation } from '../../engine/operation.ts'
import { errors } from './errors.ts'
import { objectResource } from './existing-bucket.ts'
import { existingObject, type ObjectInput } from './existing-object.ts'
import { bucketParameters, objectResources } from './record.ts'

export const restoreObject: Operation<ObjectInput, undefined> = {
  name: 'RestoreObject',
  access: 'write',
  data: true,
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { restore: '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run(tx, input) {
    const { object } = existingObject(tx, input)
    throw errors.invalidObjectState(object.storageClass ?? 'STANDARD')
  },
}
