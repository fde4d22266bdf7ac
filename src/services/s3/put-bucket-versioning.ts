// PutBucketVersioning: on, or suspended; a bucket that kept versions once cannot go back. MFA delete is not offered.
import type { Operation } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketResource, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Input extends BucketInput {
  readonly VersioningConfiguration: { readonly Status?: string; readonly MFADelete?: string }
  readonly MFA?: string
}

export const putBucketVersioning: Operation<Input, undefined> = {
  name: 'PutBucketVersioning',
  access: 'write',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { versioning: '', VersioningConfiguration: { ...input.VersioningConfiguration } }),
    resources: bucketResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    const { Status: status, MFADelete: mfaDelete } = input.VersioningConfiguration
    if (mfaDelete !== undefined && mfaDelete !== 'Disabled') {
      if (mfaDelete !== 'Enabled') throw errors.malformedXml()
      throw errors.notImplemented('MFADelete')
    }
    if (status === undefined) throw errors.illegalVersioning()
    if (status !== 'Enabled' && status !== 'Suspended') throw errors.malformedXml()
    if (status === 'Suspended' && bucket.objectLock !== undefined)
      throw errors.invalidBucketState('An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.')
    if (status !== bucket.versioning) tx.put(Table.buckets, bucket.name, { ...bucket, versioning: status })
    return undefined
  },
}
