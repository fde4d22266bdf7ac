// What makes time pass for the queues: when a hidden or delayed message becomes visible, who waits for one is woken. One timer for all
// queues, moved up when something is hidden for a shorter time.
import type { Clock, Timer } from '../base/clock.ts'
import type { Journal } from '../storage/journal.ts'
import type { Queues } from '../storage/queues.ts'

/** MUST start after the store is open, so that it sees a group of frames once it is applied. */
export function startVisibility({
  clock,
  journal,
  queues,
}: {
  readonly clock: Clock
  readonly journal: Journal
  readonly queues: Queues
}): {
  stop(): void
} {
  let timer: Timer | undefined
  let timerAt = Infinity
  let isStopped = false

  const arm = (): void => {
    const next = queues.nextVisibleAt()
    if (isStopped || next === undefined || next >= timerAt) return
    timer?.cancel()
    timerAt = next
    timer = clock.after(next - clock.now(), () => {
      timerAt = Infinity
      queues.expire(clock.now())
      arm()
    })
  }
  journal.onDurable(arm)
  arm()
  return {
    stop() {
      isStopped = true
      timer?.cancel()
    },
  }
}
