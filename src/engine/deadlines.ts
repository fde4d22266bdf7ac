// Deadlines of many things at once with one timer, which runs for the earliest: what is over in time costs no timer of its own. Things
// stand in numbered places that are used again, in no map: a map that much goes through keeps what left it alive for the garbage collector.
import type { Clock, Timer } from '../base/clock.ts'

/** What can have a deadline. */
export interface Timed {
  /** Where it stands; undefined while it has none. Nobody else's to change. */
  place: number | undefined
}

export class Deadlines<T extends Timed> {
  readonly #clock: Clock
  readonly #expired: (item: T) => void
  readonly #items: (T | undefined)[] = []
  readonly #at: number[] = []
  /** Places that were left. */
  readonly #free: number[] = []
  #timer: Timer | undefined
  #timerAt = Infinity

  /** `expired` is called once for what was not taken back in time. */
  constructor(clock: Clock, expired: (item: T) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  add(item: T, milliseconds: number): void {
    const at = this.#clock.monotonic() + milliseconds
    const place = this.#free.pop() ?? this.#items.length
    this.#items[place] = item
    this.#at[place] = at
    item.place = place
    if (at < this.#timerAt) this.#wakeAt(at)
  }

  delete(item: T): boolean {
    const { place } = item
    if (place === undefined) return false
    item.place = undefined
    this.#items[place] = undefined
    this.#free.push(place)
    return true
  }

  /** Takes back all that are neither over nor expired. */
  clear(): T[] {
    this.#timer?.cancel()
    this.#timerAt = Infinity
    const items = this.#items.filter((item) => item !== undefined)
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
    this.#items.forEach((item, place) => {
      const at = this.#at[place] ?? Infinity
      if (item === undefined) return
      if (at <= now) expired.push(item)
      else next = Math.min(next, at)
    })
    // A timer may be a little early.
    if (next !== Infinity) this.#wakeAt(Math.max(next, now + 1))
    for (const item of expired) if (this.delete(item)) this.#expired(item)
  }
}
