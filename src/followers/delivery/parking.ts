// The breaker of a lane: an endpoint at which many messages failed in a row is parked. Only probes go there then, ever more seldom; the
// first answer ends it. One message that fails again and again parks nothing: its own policy says when it is tried.

/** How an attempt speaks for its endpoint. `none`: not at all. */
export type Verdict =
  | { readonly kind: 'answered' }
  /** `atLeastMs`: the pause that the endpoint asked for. */
  | { readonly kind: 'failed'; readonly reason: string; readonly atLeastMs?: number }
  | { readonly kind: 'none' }

/** What is told of an endpoint that is parked. Times in ms since 1970. */
export interface Parked {
  readonly subscriptionArn: string
  readonly since: number
  /** Why the last attempt failed. */
  readonly reason: string
  readonly nextProbeAt: number
}

/** So many different messages in a row. */
const FAILED_MAX = 10
const PROBE_MS = 1000
const PROBE_MS_MAX = 30_000

export class Breaker {
  /** Deliveries whose last attempts failed, since the last answer. */
  readonly #failed = new Set<string>()
  #parked: Omit<Parked, 'subscriptionArn'> | undefined
  #pauseMs = PROBE_MS
  #lastFailureAt = -Infinity

  get parked(): Omit<Parked, 'subscriptionArn'> | undefined {
    return this.#parked
  }

  get lastFailureAt(): number {
    return this.#lastFailureAt
  }

  /** Whether the attempt parked the endpoint or set it free. */
  judge(deliveryId: string, verdict: Verdict, now: number): 'parked' | 'resumed' | undefined {
    if (verdict.kind === 'none') return undefined
    if (verdict.kind === 'answered') {
      this.#failed.clear()
      this.#pauseMs = PROBE_MS
      if (this.#parked === undefined) return undefined
      this.#parked = undefined
      return 'resumed'
    }
    const { reason, atLeastMs = 0 } = verdict
    this.#lastFailureAt = now
    const wasParked = this.#parked !== undefined
    if (!wasParked && this.#failed.add(deliveryId).size < FAILED_MAX) return undefined
    this.#parked = { since: this.#parked?.since ?? now, reason, nextProbeAt: now + Math.max(this.#pauseMs, atLeastMs) }
    return wasParked ? undefined : 'parked'
  }

  /** A probe begins; should it fail, the next one comes later. */
  probing(): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, PROBE_MS_MAX)
  }
}
