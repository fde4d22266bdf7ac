// Room for large answers. Ten messages may have ten MiB, each of which is in memory several times until the client has read it; so beyond
// a sum the receives of large messages take turns. Small answers need no room.
import type { Clock } from '../../base/clock.ts'

/** Held by one answer; beyond it needs room. */
export const SMALL_ANSWER_BYTES = 256 * 1024
const ROOM_BYTES = 64 * 1024 * 1024
/** A client that reads more slowly keeps nobody waiting any longer. */
const HELD_MS_MAX = 60_000

export class AnswerRoom {
  readonly #bytesMax: number
  #held = 0
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = []

  constructor(bytesMax = ROOM_BYTES) {
    this.#bytesMax = bytesMax
  }

  /** Resolves in the order of the calls, once there is room, with what gives it back. Alone, an answer of any size has room. */
  async enter(bytes: number, clock: Clock): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(bytes))
      await new Promise<void>((enter) => {
        this.#waiting.push({ bytes, enter })
      })
    else this.#held += bytes
    let isHeld = true
    const give = (): void => {
      if (!isHeld) return
      isHeld = false
      timer.cancel()
      this.#held -= bytes
      this.#next()
    }
    const timer = clock.after(HELD_MS_MAX, give)
    return give
  }

  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#bytesMax
  }

  #next(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#held += next.bytes
      next.enter()
    }
  }
}
