// A clock that goes as the machine's does and can be set ahead, never back: for a development server whose tests do not want to wait.
// Timers count in its time: those that a move makes due run in the order of their time, each at its own.
import type { Clock, Timer } from './clock.ts'

interface SetTimer {
  /** In our monotonic time. */
  readonly at: number
  readonly order: number
  readonly run: () => void
  armed: Timer | undefined
}

export class AdjustableClock implements Clock {
  readonly #machine: Clock
  /** Milliseconds. */
  #ahead = 0
  #order = 0
  readonly #timers = new Set<SetTimer>()

  constructor(machine: Clock) {
    this.#machine = machine
  }

  /** How far it is ahead of the machine's, in ms. */
  get ahead(): number {
    return this.#ahead
  }

  now(): number {
    return Math.floor(this.#machine.now() + this.#ahead)
  }

  monotonic(): number {
    return this.#machine.monotonic() + this.#ahead
  }

  after(milliseconds: number, run: () => void): Timer {
    const timer: SetTimer = { at: this.monotonic() + Math.max(0, milliseconds), order: this.#order++, run, armed: undefined }
    this.#timers.add(timer)
    this.#arm(timer)
    return { cancel: () => this.#take(timer) }
  }

  /** Milliseconds until the next timer is due, 0 when one is, or undefined when none is set. */
  untilNext(): number | undefined {
    let first: number | undefined
    for (const { at } of this.#timers) if (first === undefined || at < first) first = at
    return first === undefined ? undefined : Math.max(0, first - this.monotonic())
  }

  /** Time passes. What is set by what runs meanwhile waits for the event loop, or for the next move. */
  advance(milliseconds: number): void {
    const end = this.#ahead + Math.max(0, milliseconds)
    const due = [...this.#timers].filter(({ at }) => at <= this.#machine.monotonic() + end).sort((a, b) => a.at - b.at || a.order - b.order)
    try {
      for (const timer of due) {
        // One before it may have cancelled it.
        if (!this.#timers.has(timer)) continue
        this.#take(timer)
        this.#ahead = Math.min(end, Math.max(this.#ahead, timer.at - this.#machine.monotonic()))
        timer.run()
      }
    } finally {
      this.#ahead = end
      for (const timer of this.#timers) {
        timer.armed?.cancel()
        this.#arm(timer)
      }
    }
  }

  #arm(timer: SetTimer): void {
    timer.armed = this.#machine.after(Math.max(0, timer.at - this.monotonic()), () => {
      this.#timers.delete(timer)
      timer.run()
    })
  }

  #take(timer: SetTimer): void {
    timer.armed?.cancel()
    this.#timers.delete(timer)
  }
}
