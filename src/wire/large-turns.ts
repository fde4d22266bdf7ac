// Turns for large requests: each holds the event loop and the journal for milliseconds, in which every small one waits. While small ones
// come, large ones are let in at a limited rate; by themselves they follow each other at once. docs/decisions/0007.
import type { Clock } from '../base/clock.ts'

export const LARGE_BODY_BYTES = 64 * 1024
/** What large requests get while small ones come, per ms. A MiB costs the loop some 5 ms in all: read, checked, told and written. */
const BYTES_PER_MS = 32 * 1024

export class LargeTurns {
  readonly #clock: Clock
  #waiting: { readonly bytes: number; readonly handle: () => void }[] = []
  #restUntil = 0
  /** Small requests since the last large one. */
  #small = 0
  #isDue = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `handle`, at once for a small request. Returns what takes a request back that still waits. */
  take(bytes: number, handle: () => void): (() => void) | undefined {
    if (bytes <= LARGE_BODY_BYTES) {
      this.#small++
      handle()
      return undefined
    }
    const turn = { bytes, handle }
    this.#waiting.push(turn)
    if (!this.#isDue) this.#next()
    return () => (this.#waiting = this.#waiting.filter((other) => other !== turn))
  }

  readonly #next = (): void => {
    this.#isDue = false
    const restMs = this.#restUntil - this.#clock.monotonic()
    if (restMs > 0 && this.#small > 0) {
      this.#isDue = true
      this.#clock.after(restMs, this.#next)
      return
    }
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#small = 0
    this.#restUntil = this.#clock.monotonic() + next.bytes / BYTES_PER_MS
    next.handle()
    // The next on a later turn, so that small ones that have come meanwhile go first and are counted.
    this.#isDue = true
    setImmediate(this.#next)
  }
}
