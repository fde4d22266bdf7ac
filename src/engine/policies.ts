// Policies compiled once per record: record values are never changed in place, so the value itself is the key.
import { type CompiledPolicy, compilePolicy } from '../model/access-policy/policy.ts'

const compiled = new WeakMap<object, CompiledPolicy>()

/** The compiled form of a record's resource policy. `text` was validated when it was set. */
export function policyOf(record: object, text: string): CompiledPolicy {
  let policy = compiled.get(record)
  if (policy === undefined) compiled.set(record, (policy = compilePolicy(text, { kind: 'resource' })))
  return policy
}
