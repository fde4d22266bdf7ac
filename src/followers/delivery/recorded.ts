// How many deliveries wait among the records, and since when: counted by the second of their message, so that it stays small.
import type { MessageHeader } from '../../model/message.ts'

export class Recorded {
  readonly #bySecond = new Map<number, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  /** When the oldest message was published, in ms since 1970, to the second; Infinity when none waits. */
  get oldestAt(): number {
    let oldest = Infinity
    for (const second of this.#bySecond.keys()) oldest = Math.min(oldest, second)
    return oldest * 1000
  }

  count({ publishedAt }: MessageHeader, change: number): void {
    if (change === 0) return
    const second = Math.floor(publishedAt / 1000)
    const count = (this.#bySecond.get(second) ?? 0) + change
    if (count > 0) this.#bySecond.set(second, count)
    else this.#bySecond.delete(second)
    this.#total += change
  }

  clear(): void {
    this.#bySecond.clear()
    this.#total = 0
  }
}
