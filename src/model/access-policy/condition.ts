// The Condition element: operators, qualifiers and what an absent key means (IAM User Guide, "IAM JSON policy elements: Condition
// operators" and "Set operators for multivalued context keys"). Each condition becomes one function of the request's context.
import { isInRange, parseAddress, parseAddressRange } from '../address-range.ts'
import { type Context, type ContextValue, contextValue } from './context.ts'
import { PolicyError } from './policy-error.ts'
import { compileArnPattern, compileTextPattern, type Matcher } from './text-pattern.ts'

export type Condition = (context: Context) => boolean

export interface ConditionSource {
  /** As written: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
  readonly element: string
  readonly variables: boolean
}

/** Throws PolicyError for an unknown operator, or a value that the operator cannot compare with. */
export function compileCondition(source: ConditionSource): Condition {
  const { name, qualifier, ifExists } = readOperator(source)
  const key = source.key.toLowerCase()
  if (name === 'Null') return compileNull(source, key)
  const isNegated = POSITIVE.has(name)
  const positive = POSITIVE.get(name) ?? name
  const matchers = source.values.map((value) => compileValue(positive, value, source))
  const matches: Matcher = (value, context) => matchers.some((matcher) => matcher(value, context))

  if (qualifier === 'ForAllValues') {
    return (context) => membersOf(contextValue(context, key)).every((value) => matches(value, context) !== isNegated)
  }
  if (qualifier === 'ForAnyValue') {
    return (context) => {
      const value = contextValue(context, key)
      if (value === undefined) return ifExists
      return membersOf(value).some((member) => matches(member, context) !== isNegated)
    }
  }
  return (context) => {
    const value = contextValue(context, key)
    // An absent key matches nothing: a positive operator is false, a negated one true.
    if (value === undefined) return ifExists || isNegated
    const isMatched = typeof value === 'string' ? matches(value, context) : value.some((member) => matches(member, context))
    return isMatched !== isNegated
  }
}

type Qualifier = 'ForAllValues' | 'ForAnyValue' | undefined

// A negated operator and the one it negates.
const POSITIVE: ReadonlyMap<string, string> = new Map([
  ['StringNotEquals', 'StringEquals'],
  ['StringNotEqualsIgnoreCase', 'StringEqualsIgnoreCase'],
  ['StringNotLike', 'StringLike'],
  ['NumericNotEquals', 'NumericEquals'],
  ['DateNotEquals', 'DateEquals'],
  ['NotIpAddress', 'IpAddress'],
  ['ArnNotEquals', 'ArnEquals'],
  ['ArnNotLike', 'ArnLike'],
])

const COMPARISONS: ReadonlyMap<string, (left: number, right: number) => boolean> = new Map([
  ['Equals', (left: number, right: number) => left === right],
  ['LessThan', (left: number, right: number) => left < right],
  ['LessThanEquals', (left: number, right: number) => left <= right],
  ['GreaterThan', (left: number, right: number) => left > right],
  ['GreaterThanEquals', (left: number, right: number) => left >= right],
])

const NAMES: ReadonlySet<string> = new Set([
  ...POSITIVE.keys(),
  ...POSITIVE.values(),
  ...[...COMPARISONS.keys()].flatMap((name) => [`Numeric${name}`, `Date${name}`]),
  'Bool',
  'BinaryEquals',
  'Null',
])

function readOperator({ operator, element }: ConditionSource): { name: string; qualifier: Qualifier; ifExists: boolean } {
  const [, prefix, rest = ''] = /^(?:(ForAllValues|ForAnyValue):)?(.*)$/s.exec(operator) ?? []
  const ifExists = rest.endsWith('IfExists')
  const name = ifExists ? rest.slice(0, -'IfExists'.length) : rest
  if (!NAMES.has(name)) {
    throw new PolicyError(element, `${JSON.stringify(operator)} is no condition operator; known are ${[...NAMES].toSorted().join(', ')}`)
  }
  if (name === 'Null' && (ifExists || prefix !== undefined)) {
    throw new PolicyError(element, 'Null stands alone, without IfExists, ForAllValues: or ForAnyValue:')
  }
  return { name, qualifier: prefix === 'ForAllValues' || prefix === 'ForAnyValue' ? prefix : undefined, ifExists }
}

// Set operators take an empty text for a set without members.
function membersOf(value: ContextValue | undefined): readonly string[] {
  if (value === undefined || value === '') return []
  if (typeof value === 'string') return [value]
  return value.length === 1 && value[0] === '' ? [] : value
}

function compileNull({ values, element }: ConditionSource, key: string): Condition {
  const wanted = values.map((value) => readBoolean(value, element))
  return (context) => wanted.includes(contextValue(context, key) === undefined)
}

function compileValue(operator: string, value: string, { element, variables }: ConditionSource): Matcher {
  switch (operator) {
    case 'StringEquals':
      return compileTextPattern(value, { element, variables, wildcards: false })
    case 'StringEqualsIgnoreCase':
      return compileTextPattern(value, { element, variables, wildcards: false, ignoreCase: true })
    case 'StringLike':
      return compileTextPattern(value, { element, variables, wildcards: true })
    case 'ArnEquals':
    case 'ArnLike':
      return compileArnPattern(value, { element, variables })
    case 'Bool': {
      const wanted = String(readBoolean(value, element))
      return (text) => text.toLowerCase() === wanted
    }
    case 'BinaryEquals': {
      const wanted = canonicalBase64(value)
      if (wanted === undefined) throw new PolicyError(element, `${JSON.stringify(value)} is not base64`)
      return (text) => canonicalBase64(text) === wanted
    }
    case 'IpAddress': {
      const range = parseAddressRange(value)
      if (range === undefined) {
        throw new PolicyError(element, `${JSON.stringify(value)} is no address or range, such as 203.0.113.0/24 or 2001:db8::/32`)
      }
      return (text) => {
        const address = parseAddress(text)
        return address !== undefined && isInRange(range, address)
      }
    }
    default:
      return compileComparison(operator, value, element)
  }
}

function compileComparison(operator: string, value: string, element: string): Matcher {
  const isDate = operator.startsWith('Date')
  const compare = COMPARISONS.get(operator.slice(isDate ? 'Date'.length : 'Numeric'.length))
  const read = isDate ? readDateMs : readNumber
  const wanted = read(value)
  if (compare === undefined || wanted === undefined) {
    const what = isDate ? 'date; write ISO 8601 (2026-01-31T08:00:00Z) or seconds since 1970' : 'number'
    throw new PolicyError(element, `${JSON.stringify(value)} is no ${what}`)
  }
  return (text) => {
    const actual = read(text)
    return actual !== undefined && compare(actual, wanted)
  }
}

function readBoolean(value: string, element: string): boolean {
  const lower = value.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw new PolicyError(element, `${JSON.stringify(value)} is neither true nor false`)
  return lower === 'true'
}

function readNumber(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : undefined
}

const DATE = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?)?)?$/

/** Milliseconds. Four digits are a year (W3C note on ISO 8601), other whole numbers are seconds since 1970. */
function readDateMs(text: string): number | undefined {
  if (!DATE.test(text)) return /^-?\d{1,12}(\.\d+)?$/.test(text) ? Number(text) * 1000 : undefined
  const time = Date.parse(text.includes('T') ? text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2') : text)
  return Number.isNaN(time) ? undefined : time
}

function canonicalBase64(text: string): string | undefined {
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1
  return isBase64 ? Buffer.from(text, 'base64').toString('base64') : undefined
}
