// What has to happen before a time, looked at once a second: thousands of bodies are awaited, and hardly one is late.
import { ArrivalOrder, type Placed } from '../base/arrival-order.ts'
import type { Clock, Timer } from '../base/clock.ts'

const SWEEP_MS = 1000

export interface Deadline extends Placed {
  /** Monotonic. */
  readonly at: number
  readonly expire: () => void
}

export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  /** Each gets as long as the others: what comes first is due first. */
  readonly #open = new ArrivalOrder<Deadline>()
  #sweep: Timer | undefined

  /** `ms`: what each gets. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** `expire` is called when `met` was not called in time. */
  set(expire: () => void): Deadline {
    const deadline: Deadline = { at: this.#clock.monotonic() + this.#ms, expire, place: undefined }
    this.#open.add(deadline)
    this.#sweep ??= this.#clock.after(SWEEP_MS, this.#look)
    return deadline
  }

  met(deadline: Deadline | undefined): void {
    if (deadline !== undefined) this.#open.delete(deadline)
  }

  stop(): void {
    this.#sweep?.cancel()
  }

  readonly #look = (): void => {
    const now = this.#clock.monotonic()
    this.#sweep = undefined
    for (let first = this.#open.oldest; first !== undefined && first.at <= now; first = this.#open.oldest) {
      this.#open.delete(first)
      first.expire()
    }
    if (this.#open.size > 0) this.#sweep = this.#clock.after(SWEEP_MS, this.#look)
  }
}
