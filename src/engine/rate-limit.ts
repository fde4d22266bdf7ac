// A rate for each name (an account's region): a bucket that fills at `perSecond` and holds one second's worth.
import type { Clock } from '../base/clock.ts'

export interface RateLimit {
  /** Takes one; false when the bucket is empty. */
  take(name: string): boolean
}

/** Full buckets are forgotten beyond so many. */
const BUCKETS_MAX = 10_000

export function createRateLimit({ clock, perSecond }: { readonly clock: Clock; readonly perSecond: number }): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>()
  const filled = (bucket: { readonly left: number; readonly at: number }, now: number): number =>
    Math.min(perSecond, bucket.left + ((now - bucket.at) / 1000) * perSecond)
  return {
    take(name) {
      const now = clock.monotonic()
      const bucket = buckets.get(name) ?? { left: perSecond, at: now }
      bucket.left = filled(bucket, now)
      bucket.at = now
      if (buckets.size >= BUCKETS_MAX && !buckets.has(name))
        for (const [other, known] of buckets) if (filled(known, now) >= perSecond) buckets.delete(other)
      buckets.set(name, bucket)
      if (bucket.left < 1) return false
      bucket.left--
      return true
    },
  }
}
