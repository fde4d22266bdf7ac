// Deadlines of many things at once with one timer, which runs for the earliest: what is over in time costs no timer of its own.
import type { Clock, Timer } from '../base/clock.ts'

export class Deadlines<T> {
  readonly #clock: Clock
  readonly #expired: (item: T) => void
  readonly #items = new Map<T, number>()
  #timer: Timer | undefined
  #timerAt = Infinity

  /** `expired` is called once for what was not taken back in time. */
  constructor(clock: Clock, expired: (item: T) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  add(item: T, milliseconds: number): void {
    const at = this.#clock.monotonic() + milliseconds
    this.#items.set(item, at)
    if (at < this.#timerAt) this.#wakeAt(at)
  }

  delete(item: T): boolean {
    return this.#items.delete(item)
  }

  /** Those that are neither over nor expired. */
  get items(): Iterable<T> {
    return this.#items.keys()
  }

  clear(): void {
    this.#items.clear()
    this.#timer?.cancel()
    this.#timerAt = Infinity
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
    for (const [item, at] of this.#items) {
      if (at <= now) expired.push(item)
      else next = Math.min(next, at)
    }
    // A timer may be a little early.
    if (next !== Infinity) this.#wakeAt(Math.max(next, now + 1))
    for (const item of expired) if (this.#items.delete(item)) this.#expired(item)
  }
}
