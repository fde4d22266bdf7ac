// The policy of a bucket: what S3 accepts as one, and who may see and change it.
import { PolicyError } from '../../model/access-policy/policy-error.ts'
import { actionsOf, type CompiledPolicy, compilePolicy, resourcesOf } from '../../model/access-policy/policy.ts'
import type { Call } from '../../engine/operation.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { bucketResource } from './existing-bucket.ts'

/** Bucket policies are limited to 20 KB (S3 user guide, "Bucket policies for Amazon S3"). */
export const BUCKET_POLICY_BYTES_MAX = 20 * 1024

/** Throws MalformedPolicy, with the element at fault. */
export function checkBucketPolicy(text: string, arn: string): void {
  let policy: CompiledPolicy
  try {
    policy = compilePolicy(text, { kind: 'resource', textBytesMax: BUCKET_POLICY_BYTES_MAX })
  } catch (error) {
    throw error instanceof PolicyError ? errors.malformedPolicy(`Policy is not valid. ${error.message}`) : error
  }
  for (const action of actionsOf(policy))
    if (action !== '*' && !action.toLowerCase().startsWith('s3:')) throw errors.malformedPolicy(`Policy has invalid action: ${action}`)
  for (const resource of resourcesOf(policy)) {
    const rest = resource.startsWith(arn) ? resource.slice(arn.length) : undefined
    if (rest === undefined || !/^([/*]|$)/.test(rest)) throw errors.malformedPolicy(`Policy has invalid resource: ${resource}`)
  }
}

/**
 * What is authorised for a call on the policy itself. Quirk: the owning account's root may always read, replace and delete it, so that
 * nobody is locked out for good (PutBucketPolicy, "Permissions").
 */
export function policyResource(input: { readonly Bucket: string }, call: Call): string | undefined {
  const isOwner = call.env.tables.get(Table.buckets, input.Bucket)?.owner === call.account
  return isOwner && call.principal.type === 'root' ? undefined : bucketResource(input, call)
}
