// What answers and failures of HTTP mean for a delivery, for all protocols that speak it.
import type { Outcome } from '../engine/deliverer.ts'
import { type FailureReason, OutboundFailed, OutboundRefused } from '../engine/outbound-failure.ts'

const RETRY_AFTER_MS_MAX = 3600 * 1000

/** RFC 9110 10.2.3: seconds, or a date; undefined when it says neither. */
export function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const pause = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(pause) ? undefined : Math.min(Math.max(0, pause), RETRY_AFTER_MS_MAX)
}

const REASON: Readonly<Record<FailureReason, string>> = {
  refused: 'the connection was refused',
  reset: 'the connection was closed before the answer',
  unreachable: 'the host is unreachable',
  dns: 'the host name does not resolve',
  tls: 'the TLS connection failed: certificate or protocol',
  timeout: 'no complete answer in time',
  protocol: 'the answer was not HTTP',
  busy: 'too many connections are open already',
  closed: 'the server is stopping',
}

/** The end of an attempt that got no answer. Throws what is no failure of a connection. */
export function failureOutcome(error: unknown): Outcome {
  if (error instanceof OutboundRefused) return { kind: 'refused', reason: error.message }
  if (error instanceof OutboundFailed) return { kind: 'retry', reason: REASON[error.reason] }
  throw error
}

/** The same towards a provider that the operator named: an address that may not be reached is the operator's to allow. */
export function providerFailure(provider: string, error: unknown): Exclude<Outcome, { readonly kind: 'delivered' }> {
  if (error instanceof OutboundRefused) return { kind: 'retry', reason: `${provider}: ${error.message}` }
  if (error instanceof OutboundFailed)
    return { kind: 'retry', reason: `${provider}: ${error.reason === 'protocol' ? 'the answer was not understood' : REASON[error.reason]}` }
  throw error
}

/** The members of a JSON object in an answer; none where it is something else. */
export function jsonOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
