// AWS's evaluation logic: may this caller do this? (IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic").
// An explicit deny anywhere wins. In one account either side may allow; across accounts both sides must.
import type { CompiledPolicy, PolicyRequest } from './policy.ts'
import type { Grant } from './principals.ts'

export type PolicyPlace = 'identity' | 'resource' | CeilingKind
/** Policies that only limit what others allow. */
export type CeilingKind = 'permissionsBoundary' | 'sessionPolicy' | 'serviceControlPolicy'

export interface Ceiling {
  readonly kind: CeilingKind
  /** One of them MUST allow; a deny in any of them denies. */
  readonly policies: readonly CompiledPolicy[]
}

export interface PolicySet {
  /** The account that owns the resource. */
  readonly resourceOwner: string
  readonly resourcePolicy?: CompiledPolicy | undefined
  readonly identityPolicies?: readonly CompiledPolicy[]
  readonly ceilings?: readonly Ceiling[]
  /** For keys and roles: the owner's identity policies count only as far as the resource's policy delegates to the account. */
  readonly isResourcePolicyDecisive?: boolean
}

export type DenialReason =
  | 'explicitDeny'
  | 'noIdentityAllow'
  | 'noResourceAllow'
  | 'noPermissionsBoundaryAllow'
  | 'noSessionPolicyAllow'
  | 'noServiceControlPolicyAllow'

export type Decision =
  | { readonly allowed: true; readonly reason: 'identityAllow' | 'resourceAllow' | 'rootOfAccount'; readonly sid?: string }
  | { readonly allowed: false; readonly reason: DenialReason; readonly place: PolicyPlace; readonly sid?: string }

/** Service principals and anonymous callers pass by a resource policy alone. A root key needs no identity policy. */
export function evaluate(request: PolicyRequest, policies: PolicySet): Decision {
  const { principal } = request
  const action = request.action.toLowerCase()
  const ceilings = policies.ceilings ?? NONE
  const denial = findDenial(request, action, policies, ceilings)
  if (denial !== undefined) return denial

  const resource = findGrant(request, action, policies.resourcePolicy)
  const limit = ceilings.length === 0 ? undefined : findLimit(request, action, ceilings, resource.grant)
  if (principal.type === 'service' || principal.type === 'anonymous' || principal.type === 'web-identity') {
    return resource.grant === 'none' ? deny('noResourceAllow', 'resource') : (limit ?? allow('resourceAllow', resource.sid))
  }

  const isOwner = principal.account === policies.resourceOwner
  if (isOwner && (resource.grant === 'granted' || resource.grant === 'direct')) return limit ?? allow('resourceAllow', resource.sid)
  const isRoot = principal.type === 'root' || principal.type === 'operator'
  const identity = isRoot ? ROOT : findIdentityAllow(request, action, policies.identityPolicies ?? NONE)
  if (identity === undefined) return deny('noIdentityAllow', 'identity')
  const isResourceNeeded = !isOwner || policies.isResourcePolicyDecisive === true
  if (isResourceNeeded && resource.grant === 'none') return deny('noResourceAllow', 'resource')
  // The identity's allow is what carries here, so that every ceiling counts, however firmly the resource names the caller.
  const identityLimit = ceilings.length === 0 ? undefined : findLimit(request, action, ceilings, 'none')
  return identityLimit ?? identity
}

const NONE: readonly never[] = []
const ROOT: Decision = { allowed: true, reason: 'rootOfAccount' }

function findDenial(request: PolicyRequest, action: string, policies: PolicySet, ceilings: readonly Ceiling[]): Decision | undefined {
  for (const { kind, policies: limits } of ceilings) {
    const sid = findStatement(request, action, limits, 'Deny')
    if (sid !== undefined) return deny('explicitDeny', kind, sid)
  }
  const sid = findStatement(request, action, policies.identityPolicies ?? NONE, 'Deny')
  if (sid !== undefined) return deny('explicitDeny', 'identity', sid)
  if (policies.resourcePolicy === undefined) return undefined
  const hasBoundary = ceilings.some(({ kind }) => kind === 'permissionsBoundary')
  for (const statement of policies.resourcePolicy.statements) {
    if (statement.effect !== 'Deny' || statement.grantOf(request.principal, hasBoundary) === 'none') continue
    if (statement.covers(request, action)) return deny('explicitDeny', 'resource', statement.sid)
  }
  return undefined
}

/** The Sid of the first statement that fits, '' when it has none, undefined when none fits. */
function findStatement(
  request: PolicyRequest,
  action: string,
  policies: readonly CompiledPolicy[],
  effect: 'Allow' | 'Deny',
): string | undefined {
  for (const { statements } of policies) {
    for (const statement of statements) {
      if (statement.effect === effect && statement.covers(request, action)) return statement.sid ?? ''
    }
  }
  return undefined
}

const STRENGTH: Readonly<Record<Grant, number>> = { none: 0, account: 1, granted: 2, direct: 3 }
const NO_GRANT: ResourceGrant = { grant: 'none', sid: undefined }

interface ResourceGrant {
  readonly grant: Grant
  readonly sid: string | undefined
}

function findGrant(request: PolicyRequest, action: string, policy: CompiledPolicy | undefined): ResourceGrant {
  let best = NO_GRANT
  for (const statement of policy?.statements ?? NONE) {
    if (statement.effect !== 'Allow') continue
    const grant = statement.grantOf(request.principal, false)
    if (STRENGTH[grant] > STRENGTH[best.grant] && statement.covers(request, action)) best = { grant, sid: statement.sid }
  }
  return best
}

function findIdentityAllow(request: PolicyRequest, action: string, policies: readonly CompiledPolicy[]): Decision | undefined {
  const sid = findStatement(request, action, policies, 'Allow')
  return sid === undefined ? undefined : allow('identityAllow', sid)
}

const LIMIT_REASONS: Readonly<Record<CeilingKind, DenialReason>> = {
  permissionsBoundary: 'noPermissionsBoundaryAllow',
  sessionPolicy: 'noSessionPolicyAllow',
  serviceControlPolicy: 'noServiceControlPolicyAllow',
}

// A grant to the caller's own ARN (user or session, not role) is not limited by a boundary or a session policy that merely does not
// allow ("Permissions boundaries for IAM entities"); a service control policy limits everybody of its account.
function findLimit(request: PolicyRequest, action: string, ceilings: readonly Ceiling[], grant: Grant): Decision | undefined {
  for (const { kind, policies } of ceilings) {
    if (grant === 'direct' && kind !== 'serviceControlPolicy') continue
    if (findStatement(request, action, policies, 'Allow') === undefined) return deny(LIMIT_REASONS[kind], kind)
  }
  return undefined
}

function allow(reason: 'identityAllow' | 'resourceAllow', sid: string | undefined): Decision {
  return sid === undefined || sid === '' ? { allowed: true, reason } : { allowed: true, reason, sid }
}

function deny(reason: DenialReason, place: PolicyPlace, sid?: string): Decision {
  return sid === undefined || sid === '' ? { allowed: false, reason, place } : { allowed: false, reason, place, sid }
}

export interface Denial {
  /** Empty for an anonymous caller. */
  readonly principalArn: string
  /** With the prefix that the service itself prints: `SNS:Publish`, `s3:PutObject`. */
  readonly action: string
  readonly resource: string
  readonly decision: Extract<Decision, { allowed: false }>
}

/** A refusal in AWS's words (IAM User Guide, "Troubleshoot access denied error messages"). */
export function denialText({ principalArn, action, resource, decision }: Denial): string {
  const { article, name } = PLACES[decision.place]
  const isExplicit = decision.reason === 'explicitDeny'
  const clause = isExplicit ? `with an explicit deny in ${article} ${name}` : `because no ${name} allows the ${action} action`
  const user = principalArn === '' ? 'anonymous' : principalArn
  return `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${clause}`
}

const PLACES: Readonly<Record<PolicyPlace, { readonly article: string; readonly name: string }>> = {
  identity: { article: 'an', name: 'identity-based policy' },
  resource: { article: 'a', name: 'resource-based policy' },
  permissionsBoundary: { article: 'a', name: 'permissions boundary' },
  sessionPolicy: { article: 'a', name: 'session policy' },
  serviceControlPolicy: { article: 'a', name: 'service control policy' },
}
