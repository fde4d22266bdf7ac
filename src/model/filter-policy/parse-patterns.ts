// The conditions in the array of one field, read and checked in the order and with the words of AWS's rule compiler.
// "Amazon SNS subscription filter policies", and the rule compiler that AWS published (event-ruler), at the level of features SNS has.
import { addressOf, blockOf, isIpv4, looksLikeAddress } from './address.ts'
import { refuseAt, refusePolicy } from './filter-policy-error.ts'
import type { Located, LocatedObject } from './located-json.ts'
import { type Pattern, comparable, patternKey, rounded } from './pattern.ts'

/** Throws FilterPolicyError. No condition comes twice. */
export function parsePatterns(json: string, list: Located & { readonly kind: 'array' }): Pattern[] {
  const patterns = new Map<string, Pattern>()
  for (const item of list.items) {
    const pattern = new PatternReader(json).item(item)
    patterns.set(patternKey(pattern), pattern)
  }
  if (patterns.size === 0) refuseAt(json, list.end, 'Empty arrays are not allowed')
  return [...patterns.values()]
}

class PatternReader {
  readonly #json: string

  constructor(json: string) {
    this.#json = json
  }

  item(item: Located): Pattern {
    switch (item.kind) {
      case 'object':
        return this.#expression(item)
      case 'text': {
        const address = addressOf(item.text)
        return address === undefined ? { kind: 'text', text: item.text } : { kind: 'address', text: address }
      }
      case 'number':
        return numberPattern(item.text)
      case 'literal':
        return { kind: 'literal', text: item.text }
      default:
        return this.#refuse(item.at, 'Match value must be String, number, true, false, or null')
    }
  }

  #expression(expression: LocatedObject): Pattern {
    const [member] = expression.members
    if (member === undefined) return this.#refuse(expression.end, 'Match expression name not found')
    const { name, value } = member
    switch (name) {
      case 'exactly':
        return { kind: 'text', text: this.#onlyText(expression, 'exact') }
      case 'prefix':
      case 'suffix':
        return { kind: name, text: this.#onlyText(expression, name) }
      case 'equals-ignore-case':
        return { kind: 'caseless', text: this.#onlyText(expression, name).toLowerCase() }
      case 'numeric':
        return this.#numeric(expression, value)
      case 'anything-but':
        return this.#anythingBut(expression, value)
      case 'exists':
        return this.#exists(expression, value)
      case 'cidr':
        return this.#cidr(expression, value)
      default:
        return this.#refuse(value.at, `Unrecognized match type ${name}`)
    }
  }

  #refuse(at: number, text: string): never {
    return refuseAt(this.#json, at, text)
  }

  /** Of an expression with one name only. */
  #only(expression: LocatedObject, text = 'Only one key allowed in match expression'): void {
    const second = expression.members[1]
    if (second !== undefined) this.#refuse(second.value.at, text)
  }

  #onlyText(expression: LocatedObject, operator: string): string {
    const value = expression.members[0]?.value
    if (value?.kind !== 'text') return this.#refuse(value?.at ?? expression.at, `${operator} match pattern must be a string`)
    this.#only(expression)
    return value.text
  }

  #exists(expression: LocatedObject, value: Located): Pattern {
    if (value.kind !== 'literal' || value.text === 'null')
      return this.#refuse(value.at, 'exists match pattern must be either true or false.')
    this.#only(expression)
    return { kind: value.text === 'true' ? 'present' : 'absent' }
  }

  #cidr(expression: LocatedObject, value: Located): Pattern {
    // Quirk: AWS names the wrong operator here (recorded 2024).
    if (value.kind !== 'text') return this.#refuse(value.at, 'prefix match pattern must be a string')
    const [written = '', mask = '', ...rest] = value.text.split('/')
    if (mask === '' || rest.length > 0) refusePolicy("Malformed CIDR, one '/' required")
    if (!/^[+-]?\d{1,9}$/.test(mask)) refusePolicy('Malformed CIDR, mask bits must be an integer')
    const bits = Number(mask)
    if (bits < 0) refusePolicy('Malformed CIDR, mask bits must not be negative')
    const address = addressOf(written)
    if (address === undefined) return refusePolicy(`${looksLikeAddress(written) ? 'Invalid' : 'Nonstandard'} IP address: ${written}`)
    if (isIpv4(address) && bits > 31) refusePolicy('IPv4 mask bits must be < 32')
    if (bits > 127) refusePolicy('IPv6 mask bits must be < 128')
    this.#only(expression)
    return { kind: 'block', text: blockOf(address, bits) }
  }

  #anythingBut(expression: LocatedObject, value: Located): Pattern {
    if (value.kind === 'object') return this.#anythingButExpression(expression, value)
    if (value.kind === 'literal') return this.#refuse(value.at, 'Value of anything-but must be an array or single string/number value.')
    const pattern = noneOf(value.kind === 'array' ? value.items.map((item) => this.#excluded(item)) : [this.#excluded(value)])
    const isOfNumbers = pattern.numbers.size + pattern.numerals.size > 0
    if (isOfNumbers === pattern.texts.size > 0)
      this.#refuse(value.end, 'Inside anything but list, either all values are number or string, mixed type is not supported')
    this.#only(expression, 'Too many elements in numeric expression')
    return pattern
  }

  #excluded(item: Located): Located & { readonly kind: 'text' | 'number' } {
    if (item.kind === 'text' || item.kind === 'number') return item as Located & { readonly kind: 'text' | 'number' }
    return this.#refuse(item.at, 'Inside anything but list, start|null|boolean is not supported.')
  }

  #anythingButExpression(expression: LocatedObject, inner: LocatedObject): Pattern {
    const [member] = inner.members
    if (member === undefined) return this.#refuse(inner.end, 'Anything-But expression name not found')
    if (member.name !== 'prefix') return this.#refuse(member.value.at, `Unsupported anything-but pattern: ${member.name}`)
    if (member.value.kind !== 'text') return this.#refuse(member.value.at, 'prefix match pattern must be a string')
    if (member.value.text === '') return this.#refuse(member.value.end, 'Null prefix not allowed')
    this.#only(inner)
    this.#only(expression)
    return { kind: 'no-prefix', text: member.value.text }
  }

  #numeric(expression: LocatedObject, value: Located): Pattern {
    if (value.kind !== 'array') return this.#refuse(value.at, 'Value of numeric must be an array.')
    const pattern = this.#range(value)
    this.#only(expression, 'Too many elements in numeric expression')
    return pattern
  }

  /** `["=", n]`, one of `< <= > >=` and a number, or both bounds, the lower first. */
  #range(list: Located & { readonly kind: 'array' }): Pattern {
    const [first, second, third, fourth, fifth] = list.items
    if (first?.kind !== 'text') return this.#refuse(first?.at ?? list.end, `Invalid member in numeric match: ${wordOf(first)}`)
    const operator = first.text
    if (!OPERATORS.has(operator)) return this.#refuse(second?.at ?? list.end, `Unrecognized numeric range operator: ${operator}`)
    const bound = this.#number(list, second, operator === '=' ? 'equals' : operator)
    if (third === undefined) return oneSided(operator, bound)
    if (operator !== '>' && operator !== '>=') return this.#refuse(third.at, 'Too many elements in numeric expression')
    if (third.kind !== 'text') return this.#refuse(third.at, `Bad value in numeric range: ${wordOf(third)}`)
    if (third.text !== '<' && third.text !== '<=') return this.#refuse(third.end, `Bad numeric range operator: ${third.text}`)
    const top = this.#number(list, fourth, third.text)
    if (fifth !== undefined) return this.#refuse(fifth.at, 'Too many terms in numeric range expression')
    const [from, to] = [rounded(Number(bound)), rounded(Number(top))]
    if (from >= to) return this.#refuse(list.end, 'Bottom must be less than top')
    return { kind: 'range', from: operator === '>' ? from + 1 : from, to: third.text === '<' ? to - 1 : to }
  }

  #number(list: Located & { readonly kind: 'array' }, value: Located | undefined, operator: string): string {
    if (value?.kind === 'number') return value.text
    return this.#refuse(value?.at ?? list.end, `Value of ${operator} must be numeric`)
  }
}

const OPERATORS: ReadonlySet<string> = new Set(['=', '<', '<=', '>', '>='])

function oneSided(operator: string, text: string): Pattern {
  const bound = rounded(Number(text))
  switch (operator) {
    case '=':
      return numberPattern(text)
    case '<':
      return { kind: 'range', from: -Infinity, to: bound - 1 }
    case '<=':
      return { kind: 'range', from: -Infinity, to: bound }
    case '>':
      return { kind: 'range', from: bound + 1, to: Infinity }
    default:
      return { kind: 'range', from: bound, to: Infinity }
  }
}

function numberPattern(text: string): Pattern {
  const number = comparable(Number(text))
  return number === undefined ? { kind: 'numeral', text } : { kind: 'number', number }
}

function noneOf(items: readonly (Located & { readonly kind: 'text' | 'number' })[]): Pattern & { readonly kind: 'none-of' } {
  const texts = new Set<string>()
  const numbers = new Set<number>()
  const numerals = new Set<string>()
  for (const { kind, text } of items) {
    const pattern: Pattern = kind === 'text' ? { kind, text } : numberPattern(text)
    if (pattern.kind === 'text') texts.add(pattern.text)
    else if (pattern.kind === 'number') numbers.add(pattern.number)
    else if (pattern.kind === 'numeral') numerals.add(pattern.text)
  }
  return { kind: 'none-of', texts, numbers, numerals }
}

/** A value as AWS's parser spells it in a complaint; where there is none, it has come upon the end of the array. */
function wordOf(value: Located | undefined): string {
  if (value === undefined) return ']'
  if (value.kind === 'array') return '['
  return value.kind === 'object' ? '{' : value.text
}
