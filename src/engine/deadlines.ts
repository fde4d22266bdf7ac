// Deadlines of many things at once with one timer, which runs for the earliest: what is over in time costs no timer of its own.
import { ArrivalOrder, type Placed } from '../base/arrival-order.ts'
import type { Clock, Timer } from '../base/clock.ts'

/** What can have a deadline. */
export interface Timed extends Placed {
  /** Monotonic. Nobody else's to change. */
  dueAt: number
}

export class Deadlines<T extends Timed> {
  readonly #clock: Clock
  readonly #expired: (item: T) => void
  readonly #items = new ArrivalOrder<T>()
  #timer: Timer | undefined
  #timerAt = Infinity

  /** `expired` is called once for what was not taken back in time. */
  constructor(clock: Clock, expired: (item: T) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  add(item: T, milliseconds: number): void {
    const at = this.#clock.monotonic() + milliseconds
    item.dueAt = at
    this.#items.add(item)
    if (at < this.#timerAt) this.#wakeAt(at)
  }

  delete(item: T): boolean {
    return this.#items.delete(item)
  }

  /** Takes back all that are neither over nor expired. */
  clear(): T[] {
    this.#timer?.cancel()
    this.#timerAt = Infinity
    const items = this.#items.values()
    for (const item of items) this.delete(item)
    return items
  }

  #wakeAt(at: number): void {
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#clock.after(at - this.#clock.monotonic(), () => this.#look())
  }

  #look(): void {
    this.#timerAt = Infinity
    const now = this.#clock.monotonic()
    const expired: T[] = []
    let next = Infinity
    for (const item of this.#items.values()) {
      if (item.dueAt <= now) expired.push(item)
      else next = Math.min(next, item.dueAt)
    }
    // A timer may be a little early.
    if (next !== Infinity) this.#wakeAt(Math.max(next, now + 1))
    for (const item of expired) if (this.delete(item)) this.#expired(item)
  }
}
