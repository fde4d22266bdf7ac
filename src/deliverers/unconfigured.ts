// A protocol that nothing is configured for: nothing is subscribed to it, and what was before waits for its provider.
import type { Deliverer } from '../engine/deliverer.ts'

/** `remedy`: what to set, `email.provider to smtp (with ...) or to capture`. */
export function unconfiguredDeliverer(protocol: string, remedy: string, validate: Deliverer['validate']): Deliverer {
  const reason = `nothing delivers ${protocol} here: set ${remedy}`
  return {
    protocols: [protocol],
    unconfigured: `Protocol Reason: ${reason}`,
    validate,
    deliver: () => Promise.resolve({ kind: 'retry', reason }),
  }
}
