// GetObjectLockConfiguration: whether versions may be locked, and how new ones are by default.
import type { Operation } from '../../../engine/operation.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'

export const getObjectLockConfiguration: Operation<BucketInput, { readonly ObjectLockConfiguration: object }> = {
  name: 'GetObjectLockConfiguration',
  eventName: 'GetBucketObjectLockConfiguration',
  access: 'read',
  action: 'GetBucketObjectLockConfiguration',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { 'object-lock': '' }), resources: bucketResources },
  run(tx, input) {
    const { name, objectLock } = existingBucket(tx, input)
    if (objectLock === undefined) throw errors.noSuchBucketLock(name)
    const { defaultRetention } = objectLock
    if (defaultRetention === undefined) return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }
    const { mode: Mode, days: Days, years: Years } = defaultRetention
    return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode, Days, Years } } } }
  },
}
