// A second implementation of filter policies, as plain as it can be, written from the contract and not from the first: it tries every way
// in which a message could meet a policy. Slow on purpose. It takes policies that are good; what is refused is tested elsewhere.
import { BlockList, isIPv4, isIPv6 } from 'node:net'

export interface Case {
  /** MessageAttributes when absent. */
  readonly scope?: 'MessageBody'
  /** The policy's text, or the policy where its text does not matter. */
  readonly policy: unknown
  /** DataType and value of each. */
  readonly attributes?: Readonly<Record<string, readonly [type: string, value: string]>>
  /** The body's text, or the body where its text does not matter. */
  readonly body?: unknown
}

export function naiveVerdict({ scope, policy, attributes, body }: Case): boolean {
  const alternatives = alternativesOf(exact(textOf(policy)) as Obj, [], [{}])
  const leaves = scope === 'MessageBody' ? leavesOfBody(textOf(body)) : leavesOfAttributes(attributes ?? {})
  return leaves !== undefined && alternatives.some((fields) => canMeet(Object.entries(fields), leaves, [], []))
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '')
}

/** A number with the text it was written in. */
class Num {
  readonly text: string
  readonly value: number
  constructor(text: string) {
    this.text = text
    this.value = Number(text)
  }
  get isComparable(): boolean {
    return Math.abs(this.value) <= 5_000_000_000
  }
  equals(other: unknown): boolean {
    if (!(other instanceof Num)) return false
    if (this.isComparable && other.isComparable) return rounded(this) === rounded(other)
    return !this.isComparable && !other.isComparable && this.text === other.text
  }
}

type Obj = { readonly [name: string]: unknown }

interface Leaf {
  readonly path: string
  /** Undefined: something is there that meets nothing. */
  readonly value: unknown
  /** Array -> element. */
  readonly elements: ReadonlyMap<number, number>
}

function exact(json: string): unknown {
  return JSON.parse(json, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new Num(context?.source ?? '') : value,
  )
}

function rounded({ value }: Num): string {
  const text = value.toFixed(5)
  return text === '-0.00000' ? '0.00000' : text
}

function isObject(value: unknown): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Num)
}

const KEYWORDS = 'exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >='.split(' ')

type Fields = { readonly [path: string]: readonly unknown[] }

/** Each way through the `$or`s, as one flat object. */
function alternativesOf(policy: Obj, path: readonly string[], start: readonly Fields[]): readonly Fields[] {
  let all = start
  for (const [name, value] of Object.entries(policy)) {
    const isOr =
      name === '$or' &&
      Array.isArray(value) &&
      value.length >= 2 &&
      value.every((branch) => isObject(branch) && !Object.keys(branch).some((key) => KEYWORDS.includes(key)))
    if (isOr) {
      const before = all
      all = (value as Obj[]).flatMap((branch) => alternativesOf(branch, path, before))
    } else if (isObject(value)) all = alternativesOf(value, [...path, name], all)
    else all = all.map((fields) => ({ ...fields, [[...path, name].join('.')]: value as unknown[] }))
  }
  return all
}

function leavesOfAttributes(attributes: NonNullable<Case['attributes']>): Leaf[] {
  const elements = new Map<number, number>()
  return Object.entries(attributes).flatMap(([path, [type, value]]): Leaf[] => {
    const quoted = (text: string): string => text.split('\\').join('\\\\').split('"').join('\\"')
    if (type.startsWith('Binary')) return []
    if (type.startsWith('Number')) return [{ path, value: new Num(value), elements }]
    if (type !== 'String.Array') return [{ path, value: quoted(value), elements }]
    try {
      const parsed = exact(value)
      const items: unknown[] = Array.isArray(parsed) ? parsed : [parsed]
      if (items.some((item) => isObject(item) || Array.isArray(item))) throw new Error('not flat')
      return items.map((item) => ({ path, value: typeof item === 'string' ? quoted(item) : item, elements }))
    } catch {
      return [{ path, value: undefined, elements }]
    }
  })
}

function leavesOfBody(body: string): Leaf[] | undefined {
  try {
    const parsed = exact(body)
    if (!isObject(parsed)) return undefined
    let arrays = 0
    const walk = (value: unknown, path: readonly string[], elements: ReadonlyMap<number, number>): Leaf[] => {
      if (isObject(value)) return Object.entries(value).flatMap(([name, inner]) => walk(inner, [...path, name], elements))
      if (!Array.isArray(value)) return [{ path: path.join('.'), value, elements }]
      const array = arrays++
      return value.flatMap((item, index) =>
        walk(item, path, isObject(item) || Array.isArray(item) ? new Map([...elements, [array, index]]) : elements),
      )
    }
    return walk(parsed, [], new Map())
  } catch {
    return undefined
  }
}

function agree(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return [...a].every(([array, index]) => (b.get(array) ?? index) === index)
}

/** Tries to give each field a leaf that meets it, or its absence. */
function canMeet(
  fields: readonly (readonly [string, readonly unknown[]])[],
  leaves: readonly Leaf[],
  chosen: readonly Leaf[],
  absent: readonly string[],
): boolean {
  const [first, ...others] = fields
  if (first === undefined)
    return absent.every(
      (path) => !leaves.some((leaf) => leaf.path === path && chosen.every((other) => agree(other.elements, leaf.elements))),
    )
  const [path, conditions] = first
  const candidates = leaves.filter(
    (leaf) =>
      leaf.path === path &&
      chosen.every((other) => agree(other.elements, leaf.elements)) &&
      conditions.some((condition) => meets(leaf.value, condition)),
  )
  if (candidates.some((leaf) => canMeet(others, leaves, [...chosen, leaf], absent))) return true
  const mayBeAbsent = conditions.some((condition) => isObject(condition) && condition['exists'] === false)
  return mayBeAbsent && canMeet(others, leaves, chosen, [...absent, path])
}

function meets(value: unknown, condition: unknown): boolean {
  if (value === undefined) return false
  if (!isObject(condition)) return equals(value, condition)
  const [operator = '', operand] = Object.entries(condition)[0] ?? []
  const text = typeof value === 'string' ? value : undefined
  switch (operator) {
    case 'exactly':
      return value === operand
    case 'prefix':
      return text?.startsWith(operand as string) === true
    case 'suffix':
      return text?.endsWith(operand as string) === true
    case 'equals-ignore-case':
      return text?.toLowerCase() === (operand as string).toLowerCase()
    case 'anything-but':
      if (isObject(operand)) return text?.startsWith(operand['prefix'] as string) !== true
      return ![operand].flat().some((excluded) => (excluded instanceof Num ? excluded.equals(value) : excluded === value))
    case 'exists':
      return operand === true
    case 'numeric':
      return isInRange(value, operand as unknown[])
    case 'cidr':
      return isInBlock(text, operand as string)
    default:
      throw new Error(`no operator: ${operator}`)
  }
}

function equals(value: unknown, wanted: unknown): boolean {
  if (wanted instanceof Num) return wanted.equals(value)
  if (typeof wanted === 'string' && typeof value === 'string' && addressOf(wanted) !== undefined)
    return addressOf(value) === addressOf(wanted)
  return value === wanted
}

function isInRange(value: unknown, range: readonly unknown[]): boolean {
  if (!(value instanceof Num)) return false
  for (let at = 0; at < range.length; at += 2) {
    const bound = range[at + 1] as Num
    if (range[at] === '=') return bound.equals(value)
    if (!value.isComparable) return false
    const difference = Number(rounded(value)) - Number(rounded(bound))
    const holds = { '<': difference < 0, '<=': difference <= 0, '>': difference > 0, '>=': difference >= 0 }[range[at] as '<']
    if (!holds) return false
  }
  return true
}

function isInBlock(text: string | undefined, block: string): boolean {
  const [network = '', bits] = block.split('/')
  const address = addressOf(text ?? '')
  if (address === undefined || kindOf(address) !== kindOf(network)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), kindOf(network))
  return list.check(address, kindOf(address))
}

/** In one spelling; undefined: the text is none. */
function addressOf(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || !/^[\da-f:]+$/i.test(text)) return undefined
  const spelled = new URL(`http://[${text}]/`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(spelled) ?? []
  if (high === undefined || low === undefined) return spelled
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.')
}

function kindOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
