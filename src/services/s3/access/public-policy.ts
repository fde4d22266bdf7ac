// Which bucket policies are public, and what a public access block makes of them (S3 user guide, "Blocking public access to your Amazon S3
// storage", "The meaning of public").
import { policyOf } from '../../../engine/policies.ts'
import { type CompiledPolicy, compilePolicy } from '../../../model/access-policy/policy.ts'
import type { Bucket } from '../../../model/bucket.ts'

/** Conditions on these with fixed values keep a statement for everybody from being public; lower case. */
const FIXING: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceip',
  'aws:sourceorgid',
  'aws:sourceowner',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
  's3:dataaccesspointaccount',
  's3:dataaccesspointarn',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
])

/** Operators that let more pass than the values they name. */
const LOOSE = /^(not|.*:not)|not(equals|like|ipaddress)|ifexists$|null$/i

export function isPublicPolicy(policy: CompiledPolicy): boolean {
  return policy.document.statements.some(({ effect, principals, conditions }) => {
    if (effect !== 'Allow' || principals === undefined) return false
    if (!principals.isNegated && !principals.items.some(({ kind }) => kind === 'everyone')) return false
    return !conditions.some(({ operator, key, values }) => FIXING.has(key.toLowerCase()) && !LOOSE.test(operator) && values.every(isFixed))
  })
}

/** No wildcard and no variable, and no network of more than a 256th of all addresses. */
function isFixed(value: string): boolean {
  const prefixBits = /^[\d.]+\/(\d+)$/.exec(value)?.[1] ?? (value.includes(':') && /^[\da-f:]+\/(\d+)$/i.exec(value)?.[1])
  if (typeof prefixBits === 'string' && Number(prefixBits) < (value.includes(':') ? IPV6_BITS_MIN : IPV4_BITS_MIN)) return false
  return !/[*?]|\$\{/.test(value)
}

const IPV4_BITS_MIN = 8
const IPV6_BITS_MIN = 32

const restricted = new WeakMap<Bucket, CompiledPolicy>()

/** The policy that counts: with RestrictPublicBuckets, a public one serves the owner's account and AWS services alone. */
export function effectivePolicy(bucket: Bucket): CompiledPolicy | undefined {
  const { policy, publicAccessBlock } = bucket
  if (policy === undefined) return undefined
  const given = policyOf(bucket, policy)
  if (publicAccessBlock?.restrictPublicBuckets !== true || !isPublicPolicy(given)) return given
  let compiled = restricted.get(bucket)
  if (compiled === undefined) restricted.set(bucket, (compiled = compilePolicy(withDeny(policy, bucket.owner), { kind: 'resource' })))
  return compiled
}

function withDeny(policy: string, owner: string): string {
  const document = JSON.parse(policy) as { readonly Statement: object | readonly object[] }
  const deny = {
    Sid: 'RestrictPublicBuckets',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: '*',
    Condition: { StringNotEquals: { 'aws:PrincipalAccount': owner }, Bool: { 'aws:PrincipalIsAWSService': 'false' } },
  }
  return JSON.stringify({ ...document, Statement: [...[document.Statement].flat(), deny] })
}
