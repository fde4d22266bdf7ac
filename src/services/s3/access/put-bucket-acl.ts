// PutBucketAcl: lists are disabled; only the one that holds anyway is taken.
import type { Operation } from '../../../engine/operation.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'
import { type AclInput, checkAcl } from './owner-grant.ts'

export const putBucketAcl: Operation<BucketInput & AclInput, undefined> = {
  name: 'PutBucketAcl',
  access: 'write',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { acl: '', 'x-amz-acl': input.ACL, AccessControlPolicy: input.AccessControlPolicy }),
    resources: bucketResources,
  },
  run(tx, input) {
    checkAcl(input, existingBucket(tx, input).owner, 'private')
    return undefined
  },
}
