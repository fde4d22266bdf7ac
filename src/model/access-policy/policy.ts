// A policy ready to be asked: every pattern, operator and list of its document taken apart once, so that a decision builds nothing.
import { compileCondition, type Condition } from './condition.ts'
import type { Context } from './context.ts'
import {
  type Choice,
  POLICY_LIMITS,
  type PolicyDocument,
  type PolicyKind,
  type PolicyLimits,
  type PolicyStatement,
  readPolicyDocument,
} from './policy-document.ts'
import { compilePrincipals, type Grant, type PolicyPrincipal, type PrincipalEntry } from './principals.ts'
import { compileResourcePattern, compileTextPattern, type Matcher } from './text-pattern.ts'

export interface PolicyOptions extends Partial<PolicyLimits> {
  readonly kind: PolicyKind
}

export interface CompiledPolicy {
  readonly kind: PolicyKind
  readonly document: PolicyDocument
  readonly statements: readonly CompiledStatement[]
}

export interface PolicyRequest {
  readonly principal: PolicyPrincipal
  /** `sns:Publish`; the case does not matter. */
  readonly action: string
  /** The ARN of what is acted on, or `*` for actions that have no resource of their own. */
  readonly resource: string
  readonly context: Context
}

export interface CompiledStatement {
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** Whether action, resource and conditions fit; says nothing of who calls. `lowerAction` is the request's, in lower case. */
  covers(request: PolicyRequest, lowerAction: string): boolean
  /** How the statement names the caller; `granted` for all in an identity policy, whose holder is the caller. */
  grantOf(principal: PolicyPrincipal, hasPermissionsBoundary: boolean): Grant
}

/** Throws PolicyError, which names the element that is wrong. */
export function compilePolicy(text: string, { kind, ...limits }: PolicyOptions): CompiledPolicy {
  const document = readPolicyDocument(text, kind, { ...POLICY_LIMITS, ...limits })
  const variables = document.version === '2012-10-17'
  return { kind, document, statements: document.statements.map((statement) => compileStatement(statement, variables)) }
}

function compileStatement(statement: PolicyStatement, variables: boolean): CompiledStatement {
  const { sid, effect, principals, actions, resources, conditions } = statement
  const isAction = compileActions(actions)
  const isResource = resources === undefined ? () => true : compileResources(resources, variables)
  const compiled: readonly Condition[] = conditions.map((condition) => compileCondition({ ...condition, variables }))
  return {
    sid: sid === '' ? undefined : sid,
    effect,
    covers({ resource, context }, lowerAction) {
      if (!isAction(lowerAction) || !isResource(resource, context)) return false
      for (const condition of compiled) if (!condition(context)) return false
      return true
    },
    grantOf: compileGrant(principals),
  }
}

function compileActions({ items, isNegated, element }: Choice<string>): (lowerAction: string) => boolean {
  const lower = items.map((item) => item.toLowerCase())
  const plain = new Set(lower.filter((action) => !/[*?]/.test(action)))
  const options = { element, wildcards: true, variables: false }
  const patterns = lower.filter((action) => !plain.has(action)).map((action) => compileTextPattern(action, options))
  return (action) => (plain.has(action) || patterns.some((matches) => matches(action, {}))) !== isNegated
}

function compileResources({ items, isNegated, element }: Choice<string>, variables: boolean): Matcher {
  const patterns = items.map((item) => compileResourcePattern(item, { element, variables }))
  return (resource, context) => patterns.some((matches) => matches(resource, context)) !== isNegated
}

function compileGrant(principals: Choice<PrincipalEntry> | undefined): CompiledStatement['grantOf'] {
  if (principals === undefined) return () => 'granted'
  const matcher = compilePrincipals(principals.items)
  if (!principals.isNegated) return (principal) => matcher.grantOf(principal)
  // Quirk: a NotPrincipal denies whoever has a permissions boundary, listed or not ("AWS JSON policy elements: NotPrincipal").
  return (principal, hasPermissionsBoundary) => (hasPermissionsBoundary || !matcher.isExempt(principal) ? 'granted' : 'none')
}

/** Everybody whom the policy's statements name, in order, without repeats. */
export function principalsOf(policy: CompiledPolicy): readonly PrincipalEntry[] {
  const entries = policy.document.statements.flatMap(({ principals }) => principals?.items ?? [])
  return [...new Map(entries.map((entry) => [`${entry.kind} ${entry.value}`, entry])).values()]
}

/** Every action pattern as written, NotAction's included, without repeats. */
export function actionsOf(policy: CompiledPolicy): readonly string[] {
  return [...new Set(policy.document.statements.flatMap(({ actions }) => actions.items))]
}

/** Every resource pattern as written, NotResource's included, without repeats. */
export function resourcesOf(policy: CompiledPolicy): readonly string[] {
  return [...new Set(policy.document.statements.flatMap(({ resources }) => resources?.items ?? []))]
}

/** Whether a statement names the service, or everybody: what CreateTrail asks of a bucket's policy before it tries. */
export function namesService(policy: CompiledPolicy, service: string): boolean {
  return principalsOf(policy).some(({ kind, value }) => kind === 'everyone' || (kind === 'service' && value === service))
}
