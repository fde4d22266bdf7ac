// Policies compiled once per record: record values are never changed in place, so the value itself is the key.
import { type CompiledPolicy, compilePolicy } from '../model/access-policy/policy.ts'

const compiled = new WeakMap<object, CompiledPolicy>()

/**
 * The compiled form of a record's resource policy. The text, asked for once, was validated when it was set; RemovePermission may have left
 * no statement in it, and then it allows nothing.
 */
export function policyOf(record: object, text: string | (() => string)): CompiledPolicy {
  let policy = compiled.get(record)
  if (policy === undefined) {
    policy = compilePolicy(typeof text === 'string' ? text : text(), { kind: 'resource', statementsMin: 0 })
    compiled.set(record, policy)
  }
  return policy
}

const denying = new WeakMap<CompiledPolicy, boolean>()

/** Whether a policy can refuse anybody who is allowed otherwise. */
export function hasDeny(policy: CompiledPolicy): boolean {
  let denies = denying.get(policy)
  if (denies === undefined) denying.set(policy, (denies = policy.statements.some(({ effect }) => effect === 'Deny')))
  return denies
}
