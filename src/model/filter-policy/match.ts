// Whether a message passes a policy by itself. Conditions on fields of the same array have to be met within the same element of it.
import type { Facts } from './facts.ts'
import type { FilterPolicy, Rule } from './parse-policy.ts'
import { type Element, type FieldValue, type Pattern, isMet } from './pattern.ts'

/** `facts` as the policy's scope sees the message; undefined: a body that is no JSON object. */
export function passes(policy: FilterPolicy, facts: Facts | undefined): boolean {
  return facts !== undefined && policy.rules.some((rule) => holds(rule, facts))
}

export function holds(rule: Rule, facts: Facts): boolean {
  if (!facts.hasElements || rule.size < 2) {
    for (const [name, patterns] of rule) if (!isFieldMet(patterns, facts.fields.get(name))) return false
    return true
  }
  // A field that is there may yet be absent from the elements that count.
  for (const [name, patterns] of rule) if (!isFieldMet(patterns, facts.fields.get(name)) && !mayBeAbsent(patterns)) return false
  return holdsWithinElements(rule, facts)
}

export function mayBeAbsent(patterns: readonly Pattern[]): boolean {
  return patterns.some(({ kind }) => kind === 'absent')
}

/** Whether the field by itself meets one of the patterns. */
function isFieldMet(patterns: readonly Pattern[], values: readonly FieldValue[] | undefined): boolean {
  if (values === undefined) return mayBeAbsent(patterns)
  return patterns.some((pattern) => values.some((value) => isMet(pattern, value)))
}

/**
 * Whether one choice of an element from each array meets every field. A field may also hold by its absence: when no value of it is left
 * in the elements chosen and in the arrays from which none was.
 */
function holdsWithinElements(rule: Rule, { fields }: Facts): boolean {
  const root = new Scope()
  const scopes = new Map<Element, Scope>()
  const scopeOf = (element: Element | undefined): Scope => {
    if (element === undefined) return root
    let scope = scopes.get(element)
    if (scope === undefined) {
      scopes.set(element, (scope = new Scope()))
      scopeOf(element.within).add(element.array, scope)
    }
    return scope
  }
  let bit = 1
  let dispensable = 0
  for (const [name, patterns] of rule) {
    if (mayBeAbsent(patterns)) dispensable |= bit
    for (const value of fields.get(name) ?? []) {
      const scope = scopeOf(value.element)
      scope.seen |= bit
      if (patterns.some((pattern) => isMet(pattern, value))) scope.met |= bit
    }
    bit *= 2
  }
  const all = bit - 1
  for (const outcome of root.outcomes()) {
    const { met, seen } = unpacked(outcome)
    if ((met | (dispensable & ~seen)) === all) return true
  }
  return false
}

/** Fields of a rule are bits here; the limits of a policy allow for eleven. */
const BITS = 12
const MASK = (1 << BITS) - 1

function packed(met: number, seen: number): number {
  return (seen << BITS) | met
}

function unpacked(outcome: number): { readonly met: number; readonly seen: number } {
  return { met: outcome & MASK, seen: outcome >> BITS }
}

/** The message as a whole, or an element of an array. */
class Scope {
  /** Fields met by values that stand here, and fields that have values here, elements within not counted. */
  met = 0
  seen = 0
  readonly #arrays = new Map<number, Scope[]>()

  add(array: number, scope: Scope): void {
    const elements = this.#arrays.get(array)
    if (elements === undefined) this.#arrays.set(array, [scope])
    else elements.push(scope)
  }

  /** What each choice among the arrays within meets and sees. */
  outcomes(): ReadonlySet<number> {
    let outcomes = new Set([packed(this.met, this.seen)])
    for (const elements of this.#arrays.values()) {
      const choices = choicesAmong(elements)
      const next = new Set<number>()
      for (const outcome of outcomes) for (const choice of choices) next.add(outcome | choice)
      outcomes = next
    }
    return outcomes
  }
}

function choicesAmong(elements: readonly Scope[]): ReadonlySet<number> {
  const choices = new Set<number>()
  let seen = 0
  for (const element of elements)
    for (const outcome of element.outcomes()) {
      seen |= unpacked(outcome).seen
      if (unpacked(outcome).met !== 0) choices.add(outcome)
    }
  // Where nothing was met no element is chosen, and all of them are seen.
  return choices.add(packed(0, seen))
}
