// Delays that grow between tries, with jitter so that many who failed together do not come back together.
import type { Random } from './random.ts'

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** The delay in ms before try `attempt` (1 = the first repeat): doubled each time, cut at `maxMs`, jittered to 50..100 %. */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random: Random): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(full * (0.5 + random.below(1_000_001) / 2_000_000))
}
