// The breaker of a lane: an endpoint at which many messages failed in a row is parked. Only probes go there then, ever more seldom; the
// first answer ends it. One message that fails again and again parks nothing: its own policy says when it is tried.
import type { Clock } from '../../base/clock.ts'
import type { ParkedEndpointStatus } from '../../model/status.ts'

/** How an attempt speaks for its endpoint. `none`: not at all. */
export type Verdict =
  | { readonly kind: 'answered' }
  /** `atLeastMs`: the pause that the endpoint asked for. */
  | { readonly kind: 'failed'; readonly reason: string; readonly atLeastMs?: number }
  | { readonly kind: 'none' }

export interface ParkedEndpoint extends ParkedEndpointStatus {
  readonly lastFailureAt: number
}

/** `endpoint`: as it is parked, or as it was. */
export interface ParkingChange {
  readonly kind: 'parked' | 'resumed'
  readonly endpoint: ParkedEndpoint
}

/** So many different messages in a row. */
const FAILED_MAX = 10
const PROBE_MS = 1000
const PROBE_MS_MAX = 30_000

export class Breaker {
  readonly #subscriptionArn: string
  /** Deliveries whose last attempts failed, since the last answer. */
  readonly #failed = new Set<string>()
  #parked: ParkedEndpoint | undefined
  #pauseMs = PROBE_MS

  constructor(subscriptionArn: string) {
    this.#subscriptionArn = subscriptionArn
  }

  /** Undefined while the endpoint is tried as ever. */
  get parked(): ParkedEndpoint | undefined {
    return this.#parked
  }

  /** Whether the attempt parked the endpoint or set it free. */
  judge(deliveryId: string, verdict: Verdict, clock: Pick<Clock, 'now'>): ParkingChange | undefined {
    const was = this.#parked
    if (verdict.kind === 'none') return undefined
    if (verdict.kind === 'answered') {
      this.release()
      return was === undefined ? undefined : { kind: 'resumed', endpoint: was }
    }
    const { reason, atLeastMs = 0 } = verdict
    if (was === undefined && this.#failed.add(deliveryId).size < FAILED_MAX) return undefined
    const now = clock.now()
    this.#parked = {
      subscriptionArn: this.#subscriptionArn,
      since: was?.since ?? now,
      reason,
      nextProbeAt: now + Math.max(this.#pauseMs, atLeastMs),
      lastFailureAt: now,
    }
    return was === undefined ? { kind: 'parked', endpoint: this.#parked } : undefined
  }

  /** As if it had never failed. */
  release(): void {
    // Clearing makes a new table, however empty the old one is.
    if (this.#failed.size > 0) this.#failed.clear()
    this.#pauseMs = PROBE_MS
    this.#parked = undefined
  }

  /** A probe begins; should it fail, the next one comes later. */
  probing(): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, PROBE_MS_MAX)
  }
}

/** What the record says of it. */
export function parkingAct(
  { kind, endpoint: { subscriptionArn, since, reason } }: ParkingChange,
  now: number,
): { readonly name: string; readonly details: Readonly<Record<string, string | number>> } {
  return kind === 'parked'
    ? { name: 'EndpointParked', details: { subscriptionArn, reason } }
    : { name: 'EndpointResumed', details: { subscriptionArn, parkedSeconds: Math.round((now - since) / 1000) } }
}
