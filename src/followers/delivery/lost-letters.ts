// Dead letters that no queue took: each is told with its attempt and counted, and stands in the server's own record, where a subscription
// whose dead-letter queue is closed for long does not drown everything else.
import type { Clock } from '../../base/clock.ts'
import type { Counter } from '../../base/meter.ts'
import type { Acts } from '../../engine/acts.ts'
import type { Transaction } from '../../engine/transaction.ts'

export interface LostLetters {
  /** In the commit that tells of the attempt. */
  tell(tx: Transaction, letter: { readonly subscriptionArn: string; readonly queueArn: string; readonly reason: string }): void
}

/** Between two acts about one subscription. */
const PAUSE_MS = 60_000
const KEPT_MAX = 10_000

export function createLostLetters({
  clock,
  acts,
  counter,
}: {
  readonly clock: Clock
  readonly acts: Acts
  readonly counter?: Counter
}): LostLetters {
  const told = new Map<string, { at: number; untold: number }>()
  return {
    tell(tx, { subscriptionArn, queueArn, reason }) {
      counter?.add(1)
      const now = clock.monotonic()
      const last = told.get(subscriptionArn)
      if (last !== undefined && now - last.at < PAUSE_MS) return void last.untold++
      if (told.size >= KEPT_MAX) told.clear()
      told.set(subscriptionArn, { at: now, untold: 0 })
      acts.tell(tx, { name: 'DeadLettersLost', details: { subscriptionArn, queueArn, reason, messages: 1 + (last?.untold ?? 0) } })
    },
  }
}
