import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anonymous, type Principal, rootPrincipal, servicePrincipal } from '../principal.ts'
import { type Ceiling, type Decision, denialText, evaluate, type PolicySet } from './evaluate.ts'
import { compilePolicy, type PolicyRequest } from './policy.ts'
import { defaultTopicPolicy } from './policy-edits.ts'
import type { PolicyPrincipal } from './principals.ts'

const [OWNER, OTHER] = ['111111111111', '222222222222']
const TOPIC = `arn:aws:sns:us-east-1:${OWNER}:orders`

function user(account: string, name: string): PolicyPrincipal {
  return { type: 'user', account, arn: `arn:aws:iam::${account}:user/${name}` }
}
function session(account: string, role: string): PolicyPrincipal {
  return {
    type: 'role-session',
    account,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/s`,
    roleArn: `arn:aws:iam::${account}:role/${role}`,
  }
}
function request(principal: PolicyPrincipal, context: PolicyRequest['context'] = {}): PolicyRequest {
  return { principal, action: 'sns:Publish', resource: TOPIC, context: { 'aws:sourceowner': principal.account, ...context } }
}
function resourcePolicy(...statements: readonly object[]): ReturnType<typeof compilePolicy> {
  return compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), { kind: 'resource' })
}
function identityPolicy(effect: string, action: string, sid = ''): ReturnType<typeof compilePolicy> {
  return compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: { Sid: sid, Effect: effect, Action: action, Resource: '*' } }), {
    kind: 'identity',
  })
}
function allow(principal: unknown, more: object = {}): object {
  return { Effect: 'Allow', Principal: principal, Action: 'SNS:Publish', Resource: TOPIC, ...more }
}
function reasonOf(principal: PolicyPrincipal, policies: Omit<PolicySet, 'resourceOwner'>, context: PolicyRequest['context'] = {}): string {
  return evaluate(request(principal, context), { resourceOwner: OWNER, ...policies }).reason
}

const PUBLISH = [identityPolicy('Allow', 'sns:Publish')]

test('the default topic policy opens a topic to its own account alone', () => {
  const policies = { resourcePolicy: compilePolicy(defaultTopicPolicy(TOPIC, OWNER), { kind: 'resource' }) }
  assert.equal(reasonOf(rootPrincipal(OWNER), policies), 'resourceAllow')
  assert.equal(reasonOf(user(OWNER, 'ann'), policies), 'resourceAllow')
  assert.equal(reasonOf(rootPrincipal(OTHER), policies), 'noResourceAllow')
  assert.equal(reasonOf(anonymous, policies), 'noResourceAllow')
  const decision = evaluate(request(user(OWNER, 'ann')), { resourceOwner: OWNER, ...policies })
  assert.deepEqual(decision, { allowed: true, reason: 'resourceAllow', sid: '__default_statement_ID' })
})

test('in one account either side allows; nobody else does', () => {
  const ann = user(OWNER, 'ann')
  assert.equal(reasonOf(ann, {}), 'noIdentityAllow')
  assert.equal(reasonOf(ann, { identityPolicies: PUBLISH }), 'identityAllow')
  assert.equal(reasonOf(ann, { resourcePolicy: resourcePolicy(allow({ AWS: ann.arn })) }), 'resourceAllow')
  assert.equal(reasonOf(ann, { resourcePolicy: resourcePolicy(allow({ AWS: user(OWNER, 'bob').arn })) }), 'noIdentityAllow')
  assert.equal(reasonOf(ann, { identityPolicies: [identityPolicy('Allow', 'sns:Subscribe')] }), 'noIdentityAllow')
})

test('root is at home in its own account, unless a resource policy denies', () => {
  assert.equal(reasonOf(rootPrincipal(OWNER), {}), 'rootOfAccount')
  const deny = resourcePolicy({ ...allow('*'), Effect: 'Deny', Sid: 'closed' })
  const decision = evaluate(request(rootPrincipal(OWNER)), { resourceOwner: OWNER, resourcePolicy: deny })
  assert.deepEqual(decision, { allowed: false, reason: 'explicitDeny', place: 'resource', sid: 'closed' })
})

test('an account named in a resource policy delegates to its identity policies', () => {
  for (const account of [`arn:aws:iam::${OWNER}:root`, OWNER]) {
    const policies = { resourcePolicy: resourcePolicy(allow({ AWS: account })) }
    assert.equal(reasonOf(user(OWNER, 'ann'), policies), 'noIdentityAllow')
    assert.equal(reasonOf(user(OWNER, 'ann'), { ...policies, identityPolicies: PUBLISH }), 'identityAllow')
    assert.equal(reasonOf(rootPrincipal(OWNER), policies), 'resourceAllow')
  }
})

test('across accounts both sides must allow', () => {
  const eve = user(OTHER, 'eve')
  const open = resourcePolicy(allow({ AWS: OTHER }))
  assert.equal(reasonOf(eve, {}), 'noIdentityAllow')
  assert.equal(reasonOf(eve, { identityPolicies: PUBLISH }), 'noResourceAllow')
  assert.equal(reasonOf(eve, { resourcePolicy: open }), 'noIdentityAllow')
  assert.equal(reasonOf(eve, { resourcePolicy: resourcePolicy(allow({ AWS: eve.arn })) }), 'noIdentityAllow')
  assert.equal(reasonOf(eve, { resourcePolicy: open, identityPolicies: PUBLISH }), 'identityAllow')
  assert.equal(reasonOf(rootPrincipal(OTHER), { resourcePolicy: open }), 'rootOfAccount')
  assert.equal(reasonOf(rootPrincipal(OTHER), {}), 'noResourceAllow')
})

test('services pass by resource policy alone, whichever account they act for', () => {
  const topicArn = 'arn:aws:sns:us-east-1:111111111111:orders'
  const named = resourcePolicy(allow({ Service: 'sns.amazonaws.com' }, { Condition: { ArnEquals: { 'aws:SourceArn': topicArn } } }))
  const service = servicePrincipal('sns.amazonaws.com', OWNER)
  assert.equal(reasonOf(service, { resourcePolicy: named }, { 'aws:sourcearn': topicArn }), 'resourceAllow')
  assert.equal(reasonOf(service, { resourcePolicy: named }, { 'aws:sourcearn': `${topicArn}2` }), 'noResourceAllow')
  assert.equal(reasonOf(service, { resourcePolicy: named }), 'noResourceAllow')
  assert.equal(
    reasonOf(servicePrincipal('cloudtrail.amazonaws.com', OWNER), { resourcePolicy: named }, { 'aws:sourcearn': topicArn }),
    'noResourceAllow',
  )
  assert.equal(reasonOf(service, { identityPolicies: PUBLISH }), 'noResourceAllow')
  assert.equal(reasonOf(service, { resourcePolicy: resourcePolicy(allow({ AWS: OWNER })) }), 'noResourceAllow')
  assert.equal(reasonOf(service, { resourcePolicy: resourcePolicy(allow({ AWS: '*' })) }), 'resourceAllow')
  assert.equal(reasonOf(anonymous, { resourcePolicy: resourcePolicy(allow('*')) }), 'resourceAllow')
})

test('an explicit deny wins wherever it stands', () => {
  const policies = { resourcePolicy: resourcePolicy(allow('*')), identityPolicies: [...PUBLISH, identityPolicy('Deny', 'SNS:*', 'no')] }
  assert.deepEqual(evaluate(request(user(OWNER, 'ann')), { resourceOwner: OWNER, ...policies }), {
    allowed: false,
    reason: 'explicitDeny',
    place: 'identity',
    sid: 'no',
  })
})

test('NotPrincipal spares who is listed with role and account, never one with a boundary', () => {
  const deny = (...listed: readonly string[]): object => ({ Effect: 'Deny', NotPrincipal: { AWS: listed }, Action: '*', Resource: '*' })
  const [ann, bob, worker] = [user(OWNER, 'ann'), user(OWNER, 'bob'), session(OWNER, 'worker')]
  const spared = { resourcePolicy: resourcePolicy(deny(ann.arn, OWNER)), identityPolicies: PUBLISH }
  assert.equal(reasonOf(ann, spared), 'identityAllow')
  assert.equal(reasonOf(bob, spared), 'explicitDeny')
  assert.equal(reasonOf(ann, { ...spared, resourcePolicy: resourcePolicy(deny(ann.arn)) }), 'explicitDeny')
  assert.equal(reasonOf(ann, { ...spared, ceilings: [{ kind: 'permissionsBoundary', policies: PUBLISH }] }), 'explicitDeny')
  const roles = (...listed: readonly string[]): string =>
    reasonOf(worker, { identityPolicies: PUBLISH, resourcePolicy: resourcePolicy(deny(...listed)) })
  assert.equal(roles(worker.arn, worker.roleArn ?? '', OWNER), 'identityAllow')
  assert.equal(roles(worker.arn, OWNER), 'explicitDeny')
})

test('ceilings limit what others allow, except a grant to the caller’s own ARN', () => {
  const [ann, worker] = [user(OWNER, 'ann'), session(OWNER, 'worker')]
  const ceiling = (kind: Ceiling['kind'], action: string, effect = 'Allow'): Pick<PolicySet, 'ceilings'> => ({
    ceilings: [{ kind, policies: [identityPolicy(effect, action, 'c')] }],
  })
  const direct = { resourcePolicy: resourcePolicy(allow({ AWS: [ann.arn, worker.arn] })) }
  const byRole = { resourcePolicy: resourcePolicy(allow({ AWS: worker.roleArn })) }
  assert.equal(reasonOf(ann, { identityPolicies: PUBLISH, ...ceiling('permissionsBoundary', 'sns:*') }), 'identityAllow')
  assert.equal(reasonOf(ann, { identityPolicies: PUBLISH, ...ceiling('permissionsBoundary', 's3:*') }), 'noPermissionsBoundaryAllow')
  assert.equal(reasonOf(ann, { identityPolicies: PUBLISH, ...ceiling('serviceControlPolicy', 's3:*') }), 'noServiceControlPolicyAllow')
  assert.equal(reasonOf(rootPrincipal(OWNER), ceiling('serviceControlPolicy', 's3:*')), 'noServiceControlPolicyAllow')
  assert.equal(reasonOf(ann, { ...direct, ...ceiling('permissionsBoundary', 's3:*') }), 'resourceAllow')
  assert.equal(reasonOf(worker, { ...direct, ...ceiling('sessionPolicy', 's3:*') }), 'resourceAllow')
  assert.equal(reasonOf(ann, { ...direct, ...ceiling('serviceControlPolicy', 's3:*') }), 'noServiceControlPolicyAllow')
  assert.equal(reasonOf(worker, { ...byRole, ...ceiling('sessionPolicy', 's3:*') }), 'noSessionPolicyAllow')
  assert.equal(reasonOf(worker, { ...byRole, ...ceiling('sessionPolicy', 'sns:*') }), 'resourceAllow')
  assert.equal(reasonOf(ann, { ...direct, ...ceiling('permissionsBoundary', 'sns:*', 'Deny') }), 'explicitDeny')
  const eve = user(OTHER, 'eve')
  const across = { resourcePolicy: resourcePolicy(allow({ AWS: eve.arn })), identityPolicies: PUBLISH }
  assert.equal(reasonOf(eve, { ...across, ...ceiling('permissionsBoundary', 's3:*') }), 'noPermissionsBoundaryAllow')
})

test('where the resource policy is decisive, identity policies need its delegation', () => {
  const decisive = { isResourcePolicyDecisive: true, identityPolicies: PUBLISH }
  assert.equal(reasonOf(user(OWNER, 'ann'), decisive), 'noResourceAllow')
  assert.equal(reasonOf(rootPrincipal(OWNER), decisive), 'noResourceAllow')
  assert.equal(reasonOf(user(OWNER, 'ann'), { ...decisive, resourcePolicy: resourcePolicy(allow({ AWS: OWNER })) }), 'identityAllow')
})

test('refusals speak AWS’s words', () => {
  const textOf = (principal: PolicyPrincipal, policies: Omit<PolicySet, 'resourceOwner'>): string => {
    const decision = evaluate(request(principal), { resourceOwner: OWNER, ...policies })
    assert.ok(!decision.allowed)
    return denialText({ principalArn: principal.arn, action: 'SNS:Publish', resource: TOPIC, decision })
  }
  const eve = `User: arn:aws:iam::${OTHER}:user/eve is not authorized to perform: SNS:Publish on resource: ${TOPIC} `
  assert.equal(textOf(user(OTHER, 'eve'), {}), `${eve}because no identity-based policy allows the SNS:Publish action`)
  assert.equal(
    textOf(user(OTHER, 'eve'), { identityPolicies: PUBLISH }),
    `${eve}because no resource-based policy allows the SNS:Publish action`,
  )
  const deny = resourcePolicy({ ...allow('*'), Effect: 'Deny' })
  assert.equal(textOf(user(OTHER, 'eve'), { resourcePolicy: deny }), `${eve}with an explicit deny in a resource-based policy`)
  const denied = { identityPolicies: [identityPolicy('Deny', '*')] }
  assert.equal(textOf(user(OTHER, 'eve'), denied), `${eve}with an explicit deny in an identity-based policy`)
  const limited = {
    identityPolicies: PUBLISH,
    resourcePolicy: resourcePolicy(allow('*')),
    ceilings: [{ kind: 'sessionPolicy', policies: [] }] as const,
  }
  assert.equal(textOf(user(OTHER, 'eve'), limited), `${eve}because no session policy allows the SNS:Publish action`)
  assert.match(textOf(anonymous, {}), /^User: anonymous is not authorized/)
})

// The reference: the rules as a person would write them down, with lists and expressions, and no shared code.

interface RawStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | { readonly AWS?: readonly string[]; readonly Service?: readonly string[] }
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

function like(pattern: string, text: string): boolean {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(text)
}

function referenceCovers(statement: RawStatement, { action, resource, context }: PolicyRequest): boolean {
  const isAction = (patterns: readonly string[]): boolean => patterns.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase()))
  const isResource = (patterns: readonly string[]): boolean => patterns.some((pattern) => like(pattern, resource))
  if (statement.Action !== undefined ? !isAction(statement.Action) : isAction(statement.NotAction ?? [])) return false
  if (statement.Resource !== undefined ? !isResource(statement.Resource) : isResource(statement.NotResource ?? [])) return false
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      const actual = context[key]
      assert.ok(actual === undefined || typeof actual === 'string')
      if (operator === 'StringEquals') return actual !== undefined && values.includes(actual)
      if (operator === 'StringNotEquals') return actual === undefined || !values.includes(actual)
      if (operator === 'StringLikeIfExists') return actual === undefined || values.some((value) => like(value, actual))
      return assert.fail(operator)
    }),
  )
}

function referenceNames(
  { Principal: named }: RawStatement,
  principal: PolicyPrincipal,
): { readonly anyhow: boolean; readonly byAccountOnly: boolean } {
  if (named === undefined) return { anyhow: true, byAccountOnly: false }
  const listed = named === '*' ? ['*'] : (named.AWS ?? [])
  const own =
    [principal.arn, principal.roleArn].some((arn) => arn !== undefined && arn !== '' && listed.includes(arn)) || listed.includes('*')
  if (principal.type === 'service') {
    const anyhow = listed.includes('*') || (named !== '*' && (named.Service ?? []).includes(principal.service ?? ''))
    return { anyhow, byAccountOnly: false }
  }
  const byAccount =
    principal.account !== '' && (listed.includes(principal.account) || listed.includes(`arn:aws:iam::${principal.account}:root`))
  return { anyhow: own || byAccount, byAccountOnly: !own && byAccount && principal.type !== 'root' }
}

function referenceAllows(asked: PolicyRequest, identity: readonly RawStatement[], resource: readonly RawStatement[]): boolean {
  const { principal } = asked
  const onIdentity = identity.filter((statement) => referenceCovers(statement, asked))
  const onResource = resource.filter((statement) => referenceCovers(statement, asked) && referenceNames(statement, principal).anyhow)
  if ([...onIdentity, ...onResource].some(({ Effect }) => Effect === 'Deny')) return false
  const resourceAllows = onResource.length > 0
  if (principal.type === 'service' || principal.type === 'anonymous') return resourceAllows
  const identityAllows = onIdentity.length > 0 || principal.type === 'root'
  if (principal.account !== OWNER) return identityAllows && resourceAllows
  return identityAllows || onResource.some((statement) => !referenceNames(statement, principal).byAccountOnly)
}

test('decides as the reference does', () => {
  const people: readonly PolicyPrincipal[] = [
    rootPrincipal(OWNER) as Principal,
    rootPrincipal(OTHER),
    user(OWNER, 'ann'),
    user(OTHER, 'eve'),
    session(OWNER, 'worker'),
    session(OTHER, 'worker'),
    servicePrincipal('sns.amazonaws.com', OWNER),
    anonymous,
  ]
  const some = <T>(...items: readonly T[]): fc.Arbitrary<T[]> =>
    fc.subarray([...items], { minLength: 1, maxLength: Math.min(3, items.length) })
  const awsNames = some(
    '*',
    OWNER,
    OTHER,
    `arn:aws:iam::${OTHER}:root`,
    `arn:aws:iam::${OWNER}:user/ann`,
    `arn:aws:iam::${OTHER}:role/worker`,
    `arn:aws:sts::${OWNER}:assumed-role/worker/s`,
  )
  const principals = fc.oneof(
    fc.constant('*' as const),
    fc.record({ AWS: awsNames }),
    fc.record({ Service: some('sns.amazonaws.com', 'sqs.amazonaws.com') }),
  )
  const actions = some('*', 'SNS:Publish', 'sns:*', 'sns:Sub?cribe', 'sqs:SendMessage')
  const resources = some('*', TOPIC, 'arn:aws:sns:*:*:order?', 'arn:aws:sqs:*:*:*', 'arn:aws:sns:us-east-1:111111111111:*s')
  const condition = fc.dictionary(
    fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLikeIfExists'),
    fc.dictionary(fc.constantFrom('aws:a', 'aws:b'), some('x', 'y', 'x*', '*'), { minKeys: 1 }),
    { maxKeys: 2 },
  )
  const effect = fc.oneof({ weight: 4, arbitrary: fc.constant('Allow' as const) }, { weight: 1, arbitrary: fc.constant('Deny' as const) })
  const scope = fc.tuple(actions, fc.boolean(), resources, fc.boolean()).map(([action, notAction, resource, notResource]) => ({
    [notAction ? 'NotAction' : 'Action']: action,
    [notResource ? 'NotResource' : 'Resource']: resource,
  }))
  const statements = (isResource: boolean): fc.Arbitrary<RawStatement[]> =>
    fc.array(
      fc
        .tuple(effect, principals, scope, condition)
        .map(([Effect, Principal, where, Condition]) => ({ Effect, ...where, Condition, ...(isResource && { Principal }) })),
      { maxLength: 3 },
    )
  const asked = fc.record({
    principal: fc.constantFrom(...people),
    action: fc.constantFrom('sns:Publish', 'sns:Subscribe', 'sqs:SendMessage'),
    resource: fc.constantFrom(TOPIC, 'arn:aws:sqs:us-east-1:111111111111:q', '*'),
    context: fc.dictionary(fc.constantFrom('aws:a', 'aws:b'), fc.constantFrom('x', 'y', 'xy')),
  })
  const seen = { allowed: 0, refused: 0 }
  fc.assert(
    fc.property(asked, statements(false), statements(true), (question, identity, resource) => {
      const compile = (list: readonly RawStatement[], kind: 'identity' | 'resource') =>
        compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: list }), { kind })
      const decision: Decision = evaluate(question, {
        resourceOwner: OWNER,
        identityPolicies: identity.length === 0 ? [] : [compile(identity, 'identity')],
        resourcePolicy: resource.length === 0 ? undefined : compile(resource, 'resource'),
      })
      seen[decision.allowed ? 'allowed' : 'refused']++
      assert.equal(decision.allowed, referenceAllows(question, identity, resource))
    }),
    { numRuns: 4000 },
  )
  assert.ok(seen.allowed > 400 && seen.refused > 400, JSON.stringify(seen))
})
