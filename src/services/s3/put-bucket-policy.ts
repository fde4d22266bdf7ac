// PutBucketPolicy: sets or replaces the policy.
import { createHash } from 'node:crypto'
import type { Operation } from '../../engine/operation.ts'
import { compilePolicy } from '../../model/access-policy/policy.ts'
import { Table } from '../../model/tables.ts'
import { isPublicPolicy } from './access/public-policy.ts'
import { checkBucketPolicy, policyResource } from './bucket-policy.ts'
import { errors } from './errors.ts'
import { type BucketInput, bucketArn, existingBucket } from './existing-bucket.ts'
import { bucketParameters, bucketResources } from './record.ts'

interface Input extends BucketInput {
  readonly Policy: string
  readonly ContentMD5?: string
}

export const putBucketPolicy: Operation<Input, undefined> = {
  name: 'PutBucketPolicy',
  access: 'write',
  resource: policyResource,
  record: {
    parameters: (input, call) => bucketParameters(input, call, { bucketPolicy: documentOf(input.Policy), policy: '' }),
    resources: bucketResources,
  },
  run(tx, input, call) {
    const bucket = existingBucket(tx, input)
    const policy = textOf(input.Policy)
    if (input.ContentMD5 !== undefined && input.ContentMD5 !== createHash('md5').update(policy).digest('base64'))
      throw errors.digestMismatch('The Content-MD5 you specified did not match what we received.')
    checkBucketPolicy(policy, bucketArn(bucket.name, call))
    if (bucket.publicAccessBlock?.blockPublicPolicy === true && isPublicPolicy(compilePolicy(policy, { kind: 'resource' })))
      throw errors.accessDenied('Access Denied because public policies are blocked by the BlockPublicPolicy block public access setting.')
    tx.put(Table.buckets, bucket.name, { ...bucket, policy })
    return undefined
  },
}

function textOf(policy: unknown): string {
  return policy instanceof Uint8Array ? Buffer.from(policy).toString('utf8') : String(policy)
}

/** The record holds the document itself; what is none is left out. */
function documentOf(policy: unknown): unknown {
  try {
    return JSON.parse(textOf(policy))
  } catch {
    return undefined
  }
}
