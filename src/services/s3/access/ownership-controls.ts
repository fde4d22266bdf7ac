// GetBucketOwnershipControls, PutBucketOwnershipControls and DeleteBucketOwnershipControls: buckets own what is put into them, and access
// control lists are disabled, for good.
import type { Operation } from '../../../engine/operation.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'

interface Controls {
  readonly OwnershipControls: { readonly Rules: readonly { readonly ObjectOwnership: string }[] }
}

const ENFORCED = 'BucketOwnerEnforced'

export const getBucketOwnershipControls: Operation<BucketInput, Controls> = {
  name: 'GetBucketOwnershipControls',
  access: 'read',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { ownershipControls: '' }), resources: bucketResources },
  run(tx, input) {
    existingBucket(tx, input)
    return { OwnershipControls: { Rules: [{ ObjectOwnership: ENFORCED }] } }
  },
}

export const putBucketOwnershipControls: Operation<BucketInput & Controls, undefined> = {
  name: 'PutBucketOwnershipControls',
  access: 'write',
  resource: bucketResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { ownershipControls: '', OwnershipControls: input.OwnershipControls }),
    resources: bucketResources,
  },
  run(tx, input) {
    existingBucket(tx, input)
    const { Rules: rules } = input.OwnershipControls
    const [rule, ...more] = rules
    if (rule === undefined || more.length > 0 || !KNOWN.has(rule.ObjectOwnership))
      throw errors.malformedXml('OwnershipControls has one Rule with an ObjectOwnership.')
    if (rule.ObjectOwnership !== ENFORCED) throw errors.notOffered(`ObjectOwnership ${rule.ObjectOwnership}; it is ${ENFORCED}`)
    return undefined
  },
}

const KNOWN: ReadonlySet<string> = new Set([ENFORCED, 'BucketOwnerPreferred', 'ObjectWriter'])

export const deleteBucketOwnershipControls: Operation<BucketInput, undefined> = {
  name: 'DeleteBucketOwnershipControls',
  access: 'write',
  action: 'PutBucketOwnershipControls',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { ownershipControls: '' }), resources: bucketResources },
  run(tx, input) {
    existingBucket(tx, input)
    throw errors.notOffered(`DeleteBucketOwnershipControls, which would turn access control lists on; ObjectOwnership is ${ENFORCED}`)
  },
}
