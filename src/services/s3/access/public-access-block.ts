// GetPublicAccessBlock, PutPublicAccessBlock and DeletePublicAccessBlock. Access control lists are disabled, so that two of its four
// switches have nothing to block; the other two refuse public policies, and close buckets that have one.
import type { Operation } from '../../../engine/operation.ts'
import { Table } from '../../../model/tables.ts'
import { errors } from '../errors.ts'
import { type BucketInput, bucketResource, existingBucket } from '../existing-bucket.ts'
import { bucketParameters, bucketResources } from '../record.ts'

interface Configuration {
  readonly PublicAccessBlockConfiguration: {
    readonly BlockPublicAcls?: boolean
    readonly IgnorePublicAcls?: boolean
    readonly BlockPublicPolicy?: boolean
    readonly RestrictPublicBuckets?: boolean
  }
}

export const getPublicAccessBlock: Operation<BucketInput, Configuration> = {
  name: 'GetPublicAccessBlock',
  eventName: 'GetBucketPublicAccessBlock',
  access: 'read',
  action: 'GetBucketPublicAccessBlock',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { publicAccessBlock: '' }), resources: bucketResources },
  run(tx, input) {
    const { name, publicAccessBlock: block } = existingBucket(tx, input)
    if (block === undefined) throw errors.noSuchPublicAccessBlock(name)
    return {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: block.blockPublicAcls,
        IgnorePublicAcls: block.ignorePublicAcls,
        BlockPublicPolicy: block.blockPublicPolicy,
        RestrictPublicBuckets: block.restrictPublicBuckets,
      },
    }
  },
}

export const putPublicAccessBlock: Operation<BucketInput & Configuration, undefined> = {
  name: 'PutPublicAccessBlock',
  eventName: 'PutBucketPublicAccessBlock',
  access: 'write',
  action: 'PutBucketPublicAccessBlock',
  resource: bucketResource,
  record: {
    parameters: (input, call) =>
      bucketParameters(input, call, { publicAccessBlock: '', PublicAccessBlockConfiguration: input.PublicAccessBlockConfiguration }),
    resources: bucketResources,
  },
  run(tx, input) {
    const bucket = existingBucket(tx, input)
    const wanted = input.PublicAccessBlockConfiguration
    const publicAccessBlock = {
      blockPublicAcls: wanted.BlockPublicAcls ?? false,
      ignorePublicAcls: wanted.IgnorePublicAcls ?? false,
      blockPublicPolicy: wanted.BlockPublicPolicy ?? false,
      restrictPublicBuckets: wanted.RestrictPublicBuckets ?? false,
    }
    tx.put(Table.buckets, bucket.name, { ...bucket, publicAccessBlock })
    return undefined
  },
}

export const deletePublicAccessBlock: Operation<BucketInput, undefined> = {
  name: 'DeletePublicAccessBlock',
  eventName: 'DeleteBucketPublicAccessBlock',
  access: 'write',
  action: 'PutBucketPublicAccessBlock',
  resource: bucketResource,
  record: { parameters: (input, call) => bucketParameters(input, call, { publicAccessBlock: '' }), resources: bucketResources },
  run(tx, input) {
    const { publicAccessBlock, ...bucket } = existingBucket(tx, input)
    if (publicAccessBlock !== undefined) tx.put(Table.buckets, bucket.name, bucket)
    return undefined
  },
}
