// Whether a message passes a policy by itself.
import { holdsWithinElements } from './elements.ts'
import type { Facts } from './facts.ts'
import type { FilterPolicy, Rule } from './parse-policy.ts'
import { type FieldValue, type Pattern, isMet, mayBeAbsent } from './pattern.ts'

/** `facts` as the policy's scope sees the message; undefined: a body that is no JSON object. */
export function passes(policy: FilterPolicy, facts: Facts | undefined): boolean {
  return facts !== undefined && policy.rules.some((rule) => holds(rule, facts))
}

export function holds(rule: Rule, facts: Facts): boolean {
  if (facts.elements === undefined || rule.size < 2) {
    for (const [name, patterns] of rule) if (!isFieldMet(patterns, facts.fields.get(name))) return false
    return true
  }
  // A field that is there may yet be absent from the elements that count.
  for (const [name, patterns] of rule) if (!isFieldMet(patterns, facts.fields.get(name)) && !mayBeAbsent(patterns)) return false
  return holdsWithinElements(rule, facts.fields, facts.elements)
}

/** Whether the field by itself meets one of the patterns. */
function isFieldMet(patterns: readonly Pattern[], values: readonly FieldValue[] | undefined): boolean {
  if (values === undefined) return mayBeAbsent(patterns)
  return patterns.some((pattern) => values.some((value) => isMet(pattern, value)))
}
