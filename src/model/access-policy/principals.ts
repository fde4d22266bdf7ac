// Who calls, and the Principal element that names them (IAM User Guide, "AWS JSON policy elements: Principal").
import { isAccountId, parseArn } from '../arn.ts'
import type { Principal } from '../principal.ts'
import { PolicyError } from './policy-error.ts'

/** What a policy looks at of a caller; a call's own principal fits. */
export interface PolicyPrincipal {
  readonly type: Principal['type'] | 'federated-user' | 'web-identity'
  /** Empty for services and anonymous callers. */
  readonly arn: string
  /** Twelve digits; for a service the account it acts for, empty for web identities and anonymous callers. */
  readonly account: string
  /** `sns.amazonaws.com`, for type service. */
  readonly service?: string
  /** The role a session was assumed from: arn:aws:iam::111122223333:role/path/name. */
  readonly roleArn?: string
  /** The identity provider of a web identity, as a policy's Federated names it. */
  readonly provider?: string
  /** The account's canonical user id, as S3 uses it. */
  readonly canonicalUser?: string
}

/** An entry of a Principal element. An account is written as its twelve digits, whichever way the document wrote it. */
export interface PrincipalEntry {
  readonly kind: 'everyone' | 'account' | 'arn' | 'service' | 'federated' | 'canonicalUser'
  readonly value: string
}

/**
 * How firmly a Principal element names a caller, which decides what else has to allow the call:
 * `account` (the caller's whole account: delegates to its identity policies), `granted` (by `*`, role, service or provider),
 * `direct` (by the caller's own ARN).
 */
export type Grant = 'none' | 'account' | 'granted' | 'direct'

export interface PrincipalMatcher {
  grantOf(principal: PolicyPrincipal): Grant
  /** For NotPrincipal: whether each name that the caller goes by is listed. */
  isExempt(principal: PolicyPrincipal): boolean
}

export function compilePrincipals(entries: readonly PrincipalEntry[]): PrincipalMatcher {
  const valuesOf = (kind: PrincipalEntry['kind']): ReadonlySet<string> =>
    new Set(entries.filter((entry) => entry.kind === kind).map(({ value }) => value))
  const isEveryone = entries.some(({ kind }) => kind === 'everyone')
  const [accounts, arns, services] = [valuesOf('account'), valuesOf('arn'), valuesOf('service')]
  const [providers, canonicalUsers] = [valuesOf('federated'), valuesOf('canonicalUser')]
  const isInAccounts = ({ account, canonicalUser }: PolicyPrincipal): boolean =>
    accounts.has(account) || (canonicalUser !== undefined && canonicalUsers.has(canonicalUser))

  const grantOf = (principal: PolicyPrincipal): Grant => {
    switch (principal.type) {
      case 'anonymous':
        return isEveryone ? 'granted' : 'none'
      case 'service':
        return isEveryone || services.has(principal.service ?? '') ? 'granted' : 'none'
      case 'web-identity':
        return isEveryone || (principal.provider !== undefined && providers.has(principal.provider)) ? 'granted' : 'none'
      case 'root':
      case 'operator':
        return isInAccounts(principal) ? 'direct' : isEveryone ? 'granted' : 'none'
      case 'user':
      case 'role-session':
      case 'federated-user':
        if (arns.has(principal.arn)) return 'direct'
        if (isEveryone || (principal.roleArn !== undefined && arns.has(principal.roleArn))) return 'granted'
        return isInAccounts(principal) ? 'account' : 'none'
    }
  }

  return {
    grantOf,
    // A user needs its account listed beside it, a session its role as well ("AWS JSON policy elements: NotPrincipal").
    isExempt(principal) {
      if (isEveryone) return true
      const isWithinAccount = principal.type === 'user' || principal.type === 'role-session' || principal.type === 'federated-user'
      if (!isWithinAccount) return grantOf(principal) !== 'none'
      return isInAccounts(principal) && arns.has(principal.arn) && (principal.roleArn === undefined || arns.has(principal.roleArn))
    },
  }
}

/** Reads `"*"` or `{"AWS": ..., "Service": ...}`. Throws PolicyError. */
export function readPrincipals(value: unknown, element: string): readonly PrincipalEntry[] {
  if (value === '*') return [{ kind: 'everyone', value: '*' }]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PolicyError(element, 'must be "*" or an object such as {"AWS": "arn:aws:iam::111122223333:root"}')
  }
  const entries = Object.entries(value).flatMap(([type, listed]) => {
    const read = READERS.get(type)
    if (read === undefined) {
      throw new PolicyError(`${element}.${type}`, `unknown type of principal; known are ${[...READERS.keys()].join(', ')}`)
    }
    const values: readonly unknown[] = Array.isArray(listed) ? listed : [listed]
    return values.map((text) => {
      const isText = typeof text === 'string' && text !== ''
      if (!isText) throw new PolicyError(`${element}.${type}`, 'must be a text or a list of texts, none empty')
      return read(text, `${element}.${type}`)
    })
  })
  if (entries.length === 0) throw new PolicyError(element, 'names nobody; list at least one principal')
  return entries
}

const READERS: ReadonlyMap<string, (value: string, element: string) => PrincipalEntry> = new Map([
  ['AWS', readAwsPrincipal],
  ['Service', readService],
  ['Federated', (value: string): PrincipalEntry => ({ kind: 'federated', value })],
  ['CanonicalUser', readCanonicalUser],
])

function readService(value: string, element: string): PrincipalEntry {
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value)) {
    throw new PolicyError(element, `${JSON.stringify(value)} is no service principal such as sns.amazonaws.com`)
  }
  return { kind: 'service', value }
}

function readCanonicalUser(value: string, element: string): PrincipalEntry {
  if (!/^[0-9a-f]{64}$/.test(value)) {
    throw new PolicyError(element, `${JSON.stringify(value)} is no canonical user id of 64 hexadecimal digits`)
  }
  return { kind: 'canonicalUser', value }
}

function readAwsPrincipal(value: string, element: string): PrincipalEntry {
  if (value === '*') return { kind: 'everyone', value }
  if (isAccountId(value)) return { kind: 'account', value }
  const arn = parseArn(value)
  const isPerson = arn !== undefined && (arn.service === 'iam' || arn.service === 'sts') && arn.region === '' && isAccountId(arn.account)
  if (!isPerson || /[*?]/.test(value)) {
    const remedy = 'write "*", an account id, or the ARN of an account, user, role or session without wildcards'
    throw new PolicyError(element, `${JSON.stringify(value)} is no principal; ${remedy}`)
  }
  if (arn.service === 'iam' && arn.resource === 'root') return { kind: 'account', value: arn.account }
  const isNamed = (arn.service === 'iam' ? /^(user|role)\/./ : /^(assumed-role\/[^/]+\/.|federated-user\/.)/).test(arn.resource)
  if (!isNamed) {
    throw new PolicyError(element, `${JSON.stringify(value)} names neither an account's root, a user, a role nor one of their sessions`)
  }
  return { kind: 'arn', value }
}
