// The rules of many policies as one tree: each branch stands for a pattern that was met on the way, and holds the rules that ask for it.
// A rule goes by its most telling field first, so that a message comes only upon rules that it meets so far. A rule with several patterns
// for a field hangs on a branch for each; the limits of a policy keep that below 150.
import type { Facts } from './facts.ts'
import { FieldBranches } from './field-branches.ts'
import { holds } from './match.ts'
import type { Rule } from './parse-policy.ts'
import type { Pattern } from './pattern.ts'

/** So few are tried one by one. */
const FEW_MAX = 8

/** How often a value is likely to meet a pattern it was not made for, against an exact value's. */
const WEIGHTS: Readonly<Record<Pattern['kind'], number>> = {
  text: 1,
  number: 1,
  numeral: 1,
  address: 1,
  literal: 4,
  caseless: 1.5,
  prefix: 5,
  suffix: 5,
  block: 5,
  range: 20,
  present: 200,
  'none-of': 400,
  'no-prefix': 400,
  absent: 1000,
}

/** A rule in the tree; the same object takes it out again. */
export interface Rooted {
  readonly rule: Rule
  /** One field, which is to be there. */
  readonly isLone: boolean
}

export class RuleTree<R extends Rooted> {
  /** Of these everything was met on the way. */
  #met: R[] = []
  /** Of these `rest` is to be met. */
  #few: { readonly rooted: R; readonly rest: readonly string[] }[] = []
  #fields: Map<string, FieldBranches<RuleTree<R>>> | undefined
  /** Fields with a branch for their absence. */
  #absences: Map<string, FieldBranches<RuleTree<R>>> | undefined
  /** The field by which each rule went on. */
  #ways: Map<R, string> | undefined
  #look = 0

  get isEmpty(): boolean {
    return this.#met.length === 0 && this.#few.length === 0 && this.#ways === undefined
  }

  add(rooted: R, rest: readonly string[] = [...rooted.rule.keys()]): void {
    if (rest.length === 0) this.#met.push(rooted)
    else if (this.#ways === undefined && this.#few.length < FEW_MAX) this.#few.push({ rooted, rest })
    else {
      const few = this.#few
      this.#few = []
      for (const one of few) this.#branch(one.rooted, one.rest)
      this.#branch(rooted, rest)
    }
  }

  remove(rooted: R, rest: readonly string[] = [...rooted.rule.keys()]): void {
    const name = this.#ways?.get(rooted)
    if (name === undefined) {
      if (rest.length === 0) takeOut(this.#met, this.#met.indexOf(rooted))
      else
        takeOut(
          this.#few,
          this.#few.findIndex((one) => one.rooted === rooted),
        )
      return
    }
    this.#ways?.delete(rooted)
    if (this.#ways?.size === 0) this.#ways = undefined
    const branches = this.#fields?.get(name)
    if (branches === undefined) return
    const others = rest.filter((other) => other !== name)
    for (const pattern of rooted.rule.get(name) ?? []) {
      const branch = branches.get(pattern)
      branch?.remove(rooted, others)
      if (branch?.isEmpty === true) branches.delete(pattern)
    }
    if (branches.absent === undefined) this.#absences?.delete(name)
    if (this.#absences?.size === 0) this.#absences = undefined
    if (branches.size === 0) this.#fields?.delete(name)
    if (this.#fields?.size === 0) this.#fields = undefined
  }

  /** Calls `found` for each rule that holds, for some more than once. `look` is a number that no look at the tree had before. */
  visit(facts: Facts, look: number, found: (rooted: R) => void): void {
    // Several values of a field may lead here; what is behind depends on none of them.
    if (this.#look === look) return
    this.#look = look
    if (this.#met.length > 0) {
      // Fields were met one by one; within elements they have to be met together.
      if (facts.elements !== undefined) {
        for (const rooted of this.#met) if (rooted.isLone || holds(rooted.rule, facts)) found(rooted)
      } else for (const rooted of this.#met) found(rooted)
    }
    for (const { rooted } of this.#few) if (holds(rooted.rule, facts)) found(rooted)
    if (this.#fields !== undefined) this.#visitFields(this.#fields, facts, look, found)
  }

  #visitFields(own: Map<string, FieldBranches<RuleTree<R>>>, facts: Facts, look: number, found: (rooted: R) => void): void {
    const visit = (branch: RuleTree<R>): void => branch.visit(facts, look, found)
    if (own.size < facts.fields.size) {
      for (const [name, branches] of own) {
        const values = facts.fields.get(name)
        if (values !== undefined) branches.visit(values, visit)
      }
    } else for (const [name, values] of facts.fields) own.get(name)?.visit(values, visit)
    if (this.#absences === undefined) return
    for (const [name, { absent }] of this.#absences)
      if (absent !== undefined && (facts.elements !== undefined || !facts.fields.has(name))) visit(absent)
  }

  #branch(rooted: R, rest: readonly string[]): void {
    const fields = (this.#fields ??= new Map())
    const name = this.#mostTelling(rooted, rest)
    ;(this.#ways ??= new Map()).set(rooted, name)
    let branches = fields.get(name)
    if (branches === undefined) fields.set(name, (branches = new FieldBranches()))
    const others = rest.filter((other) => other !== name)
    for (const pattern of rooted.rule.get(name) ?? []) {
      let branch = branches.get(pattern)
      if (branch === undefined) branches.set(pattern, (branch = new RuleTree()))
      branch.add(rooted, others)
    }
    if (branches.absent !== undefined) (this.#absences ??= new Map()).set(name, branches)
  }

  /** The field whose patterns are met by the fewest values; among such, one whose branches hold less. */
  #mostTelling({ rule }: R, rest: readonly string[]): string {
    let best = rest[0] ?? ''
    let least = Infinity
    for (const name of rest) {
      const branches = this.#fields?.get(name)
      let weight = 0
      for (const pattern of rule.get(name) ?? []) weight += WEIGHTS[pattern.kind] + (branches?.get(pattern) === undefined ? 0 : 0.5)
      if (weight >= least) continue
      least = weight
      best = name
    }
    return best
  }
}

function takeOut<T>(list: T[], at: number): void {
  if (at === -1) return
  const last = list.pop()
  if (at < list.length && last !== undefined) list[at] = last
}
