// GetObjectLegalHold: whether a version is held.
import type { Operation } from '../../../engine/operation.ts'
import { errors } from '../errors.ts'
import { existingBucket, objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { bucketParameters, objectResources } from '../record.ts'

export const getObjectLegalHold: Operation<ObjectInput, { readonly LegalHold: { readonly Status: string } }> = {
  name: 'GetObjectLegalHold',
  access: 'read',
  data: true,
  resource: objectResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { 'legal-hold': '', versionId: input.VersionId }),
    resources: objectResources,
  },
  run(tx, input) {
    if (existingBucket(tx, input).objectLock === undefined) throw errors.noLockConfiguration()
    const { hasLegalHold } = existingObject(tx, input).object
    if (hasLegalHold === undefined) throw errors.noSuchObjectLock(input.Key)
    return { LegalHold: { Status: hasLegalHold ? 'ON' : 'OFF' } }
  },
}
