// So many at once, the others one after the other: for providers that do not like to be called by hundreds.
export class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(max: number) {
    this.#free = max
  }

  /** Resolves with how to end the turn, or with undefined when the signal comes first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (this.#free > 0) return Promise.resolve(this.#begin())
    return new Promise((resolve) => {
      const begin = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(this.#begin())
      }
      const giveUp = (): void => {
        this.#waiting.delete(begin)
        resolve(undefined)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(begin)
    })
  }

  #begin(): () => void {
    this.#free--
    return () => {
      this.#free++
      for (const begin of this.#waiting) {
        this.#waiting.delete(begin)
        begin()
        break
      }
    }
  }
}
