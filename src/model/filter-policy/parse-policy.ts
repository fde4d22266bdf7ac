// A filter policy, read, checked and laid out as the rules of which one must hold. Field names are paths joined by dots, as AWS compares
// them. "Filter policy constraints in Amazon SNS".
import { FilterPolicyError, refuseAt, refusePolicy } from './filter-policy-error.ts'
import { JsonTextError, type Located, type LocatedObject, parseLocated } from './located-json.ts'
import { parsePatterns } from './parse-patterns.ts'
import type { Pattern } from './pattern.ts'

export type FilterScope = 'MessageAttributes' | 'MessageBody'

/** Every field holds. */
export type Rule = ReadonlyMap<string, readonly Pattern[]>

/** One of the rules holds. */
export interface FilterPolicy {
  readonly scope: FilterScope
  readonly rules: readonly Rule[]
}

export const FILTER_POLICY_LIMITS = {
  /** Names at the top, `$or` counted as one; and names at the top of what one way through the `$or`s asks for. */
  keysMax: 5,
  /** The product over all fields of values times depth, summed up over the branches of `$or`. */
  combinationsMax: 150,
  bytesMax: 256 * 1024,
} as const

/** Undefined: the text asks for nothing, every message passes. Throws FilterPolicyError, whose message stands behind AWS's prefix. */
export function parseFilterPolicy(json: string, scope: FilterScope): FilterPolicy | undefined {
  if (Buffer.byteLength(json) > FILTER_POLICY_LIMITS.bytesMax)
    refusePolicy(`Filter policy can not be larger than ${FILTER_POLICY_LIMITS.bytesMax} bytes`)
  if (/^\s*(\{\s*\}\s*)?$/.test(json)) return undefined
  const source = located(json)
  if (source.kind !== 'object') return refuseAt(json, source.at, 'Filter is not an object')
  const clauses = parseObject(json, source, [])
  if (scope === 'MessageAttributes' && clauses.some(isNested))
    throw new FilterPolicyError('Filter policy scope MessageAttributes does not support nested filter policy')
  return { scope, rules: rulesWithinLimits(clauses) }
}

type Clause =
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly values: number; readonly patterns: readonly Pattern[] }
  | { readonly kind: 'or'; readonly branches: readonly (readonly Clause[])[] }

function located(json: string): Located {
  try {
    return parseLocated(json)
  } catch (error) {
    if (error instanceof JsonTextError) return refusePolicy(`failed to parse JSON. ${error.message}`)
    throw error
  }
}

/** Of names that come twice the last one counts. */
function parseObject(json: string, source: LocatedObject, path: readonly string[]): Clause[] {
  const clauses = new Map<string, readonly Clause[]>()
  for (const { name, value } of source.members) {
    const branches = name === '$or' ? branchesOf(value) : undefined
    if (branches !== undefined) clauses.set(name, [{ kind: 'or', branches: branches.map((branch) => parseObject(json, branch, path)) }])
    else if (value.kind === 'object') clauses.set(name, parseObject(json, value, [...path, name]))
    else if (value.kind === 'array')
      clauses.set(name, [{ kind: 'field', path: [...path, name], values: value.items.length, patterns: parsePatterns(json, value) }])
    else refuseAt(json, value.at, `"${name}" must be an object or an array`)
  }
  if (clauses.size === 0) refuseAt(json, source.end, 'Empty objects are not allowed')
  return [...clauses.values()].flat()
}

/** Names that make of `$or` an ordinary field name when an object in its array bears one of them ("AND/OR logic", "OR operator"). */
const OPERATOR_NAMES: ReadonlySet<string> = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr'],
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case', 'date-after', 'date-on-or-after'],
  ...['date-before', 'date-on-or-before', 'in-date-range', 'ip-address-in-range', 'ip-address-not-in-range'],
])

function branchesOf(value: Located): readonly LocatedObject[] | undefined {
  if (value.kind !== 'array' || value.items.length < 2) return undefined
  const branches = value.items.filter((item) => item.kind === 'object')
  if (branches.length < value.items.length) return undefined
  return branches.some(({ members }) => members.some(({ name }) => OPERATOR_NAMES.has(name))) ? undefined : branches
}

function isNested(clause: Clause): boolean {
  return clause.kind === 'field' ? clause.path.length > 1 : clause.branches.some((branch) => branch.some(isNested))
}

function rulesWithinLimits(clauses: readonly Clause[]): Rule[] {
  const { keysMax, combinationsMax } = FILTER_POLICY_LIMITS
  const tooManyKeys = `Filter policy can not have more than ${keysMax} keys`
  const tops = new Set(clauses.map((clause) => (clause.kind === 'or' ? '$or' : clause.path[0])))
  if (tops.size > keysMax) refusePolicy(tooManyKeys)
  // Counted before anything is multiplied out.
  if (combinations(clauses) > combinationsMax) refusePolicy('Filter policy is too complex')
  const rules = multiplied(clauses, [{ fields: new Map(), tops: new Set() }])
  if (rules.some((rule) => rule.tops.size > keysMax)) refusePolicy(tooManyKeys)
  return rules.map(({ fields }) => fields)
}

function combinations(clauses: readonly Clause[]): number {
  return clauses.reduce(
    (product, clause) =>
      product *
      (clause.kind === 'field'
        ? clause.values * clause.path.length
        : clause.branches.reduce((sum, branch) => sum + combinations(branch), 0)),
    1,
  )
}

interface Draft {
  readonly fields: Map<string, readonly Pattern[]>
  readonly tops: Set<string>
}

/** Each way through the `$or`s becomes a rule. A field that is met again on the way replaces what was asked of it before. */
function multiplied(clauses: readonly Clause[], drafts: readonly Draft[]): readonly Draft[] {
  let rules = drafts
  for (const clause of clauses) {
    if (clause.kind === 'or') {
      const before = rules
      rules = clause.branches.flatMap((branch) =>
        multiplied(
          branch,
          before.map(({ fields, tops }) => ({ fields: new Map(fields), tops: new Set(tops) })),
        ),
      )
    } else {
      for (const { fields, tops } of rules) {
        fields.set(clause.path.join('.'), clause.patterns)
        tops.add(clause.path[0] ?? '')
      }
    }
  }
  return rules
}
