// PutObjectLegalHold: locks a version without an end, or frees it; apart from its retention.
import type { Operation } from '../../../engine/operation.ts'
import { errors } from '../errors.ts'
import { existingBucket, objectResource } from '../existing-bucket.ts'
import { existingObject, type ObjectInput } from '../existing-object.ts'
import { changeVersion } from '../object-versions.ts'
import { bucketParameters, objectResources } from '../record.ts'

interface Input extends ObjectInput {
  readonly LegalHold?: { readonly Status?: string }
}

export const putObjectLegalHold: Operation<Input, object> = {
  name: 'PutObjectLegalHold',
  access: 'write',
  data: true,
  resource: objectResource,
  conditions: ({ LegalHold: hold }) => ({ ...(hold?.Status !== undefined && { 's3:object-lock-legal-hold': hold.Status }) }),
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { 'legal-hold': '', versionId: input.VersionId, LegalHold: input.LegalHold }),
    response: () => null,
    resources: objectResources,
  },
  run(tx, input) {
    if (existingBucket(tx, input).objectLock === undefined) throw errors.noLockConfiguration()
    const status = input.LegalHold?.Status
    if (status !== 'ON' && status !== 'OFF') throw errors.malformedXml('The Status of a LegalHold is ON or OFF.')
    const { bucket, object } = existingObject(tx, input)
    changeVersion(tx, bucket, object, { hasLegalHold: status === 'ON' })
    return {}
  },
}
