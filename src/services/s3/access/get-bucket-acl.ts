// GetBucketAcl: the owner has full control.
import type { Operation } from '../../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'
import { type AclOutput, ownerAcl } from './owner-grant.ts'

export const getBucketAcl: Operation<BucketInput, AclOutput> = {
  name: 'GetBucketAcl',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { acl: '' }), resources: bucketResources },
  run: (tx, input) => ownerAcl(existingBucket(tx, input).owner),
}
