// GetObjectRetention: until when a version is locked.
import type { Operation } from '../../../engine/operation.ts'
import { errors } from '../errors.ts'
import { existingBucket, objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { bucketParameters, objectResources } from '../record.ts'

interface Output {
  readonly Retention: { readonly Mode: string; readonly RetainUntilDate: Date }
}

export const getObjectRetention: Operation<ObjectInput, Output> = {
  name: 'GetObjectRetention',
  access: 'read',
  data: true,
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { retention: '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run(tx, input) {
    if (existingBucket(tx, input).objectLock === undefined) throw errors.noLockConfiguration()
    const { retention } = existingObject(tx, input).object
    if (retention === undefined) throw errors.noSuchObjectLock(input.Key)
    return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.until) } }
  },
}
