// What has to happen before a time, looked at once a second: thousands of bodies are awaited, and hardly one is late.
import type { Clock, Timer } from '../base/clock.ts'

const SWEEP_MS = 1000

export interface Deadline {
  /** Monotonic. */
  readonly at: number
  readonly expire: () => void
}

export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  readonly #open = new Set<Deadline>()
  #sweep: Timer | undefined

  /** `ms`: what each gets. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** `expire` is called when `met` was not called in time. */
  set(expire: () => void): Deadline {
    const deadline = { at: this.#clock.monotonic() + this.#ms, expire }
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
    for (const deadline of this.#open) {
      if (deadline.at > now) continue
      this.#open.delete(deadline)
      deadline.expire()
    }
    if (this.#open.size > 0) this.#sweep = this.#clock.after(SWEEP_MS, this.#look)
  }
}
