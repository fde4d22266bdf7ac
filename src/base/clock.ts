// Time as a parameter. Nothing else reads the machine's clock or sets a timer, so that a test can move time by hand.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970, whole. May jump when the machine's clock is set. */
  now(): number
  /** Milliseconds with fractions from an arbitrary origin; never goes back. For durations. */
  monotonic(): number
  /** Calls `run` once after `milliseconds`. The timer does not keep the process alive. */
  after(milliseconds: number, run: () => void): Timer
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, run) {
    // A timer of no time takes a millisecond.
    if (milliseconds <= 0) {
      const soon = setImmediate(run)
      soon.unref()
      return { cancel: () => clearImmediate(soon) }
    }
    const handle = setTimeout(run, Math.min(milliseconds, TIMER_MS_MAX))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

/** setTimeout fires at once beyond 2^31-1 ms. Who waits longer is called early and must look at the clock again. */
export const TIMER_MS_MAX = 2_147_483_647

/** A clock that stands still until `advance` moves it; timers due on the way run in order of their time. */
export class SimulatedClock implements Clock {
  #now: number
  /** How far the wall clock was set away from where timers count. */
  #set = 0
  #order = 0
  #timers: { at: number; order: number; run: () => void }[] = []

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return Math.floor(this.#now + this.#set)
  }

  monotonic(): number {
    return this.#now
  }

  after(milliseconds: number, run: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, milliseconds), order: this.#order++, run }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** The time of the next timer, or undefined when none is set. */
  nextTimerAt(): number | undefined {
    return this.#timers.reduce<number | undefined>((first, { at }) => (first === undefined || at < first ? at : first), undefined)
  }

  /** Sets the wall clock, ahead or back, as an administrator would: no time passes, and timers do not notice. */
  jump(milliseconds: number): void {
    this.#set += milliseconds
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#now = Math.max(this.#now, due.at)
      due.run()
    }
    this.#now = until
  }
}
