// The deliveries that nothing but the journal remembers, oldest first, within bounds.
import { ArrivalOrder } from '../../base/arrival-order.ts'
import type { Delivery } from './lanes.ts'

export interface FreshLimits {
  /** Deliveries that wait in memory, over all; beyond, the follower pauses. */
  readonly waiting: number
  readonly waitingBytes: number
}

export class Fresh {
  readonly #limits: FreshLimits
  readonly #deliveries = new ArrivalOrder<Delivery>()
  #bytes = 0
  #waiters: (() => void)[] = []
  #isClosed = false

  constructor(limits: FreshLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#deliveries.size
  }

  get oldest(): Delivery | undefined {
    return this.#deliveries.oldest
  }

  get isFull(): boolean {
    return this.size >= this.#limits.waiting || this.#bytes >= this.#limits.waitingBytes
  }

  add(delivery: Delivery): void {
    this.#deliveries.add(delivery)
    this.#bytes += delivery.body.length
  }

  delete(delivery: Delivery): void {
    if (!this.#deliveries.delete(delivery)) return
    this.#bytes -= delivery.body.length
    if (!this.isFull) this.#wake()
  }

  /** Those that came at `time` or before. */
  takenBy(time: number): Delivery[] {
    const oldest = this.oldest
    if (oldest === undefined || oldest.takenAt > time) return []
    return this.#deliveries.values().filter(({ takenAt }) => takenAt <= time)
  }

  /** Resolves when there is room, or after `close`. */
  async room(): Promise<void> {
    while (this.isFull && !this.#isClosed) await new Promise<void>((resolve) => void this.#waiters.push(resolve))
  }

  /** Nobody waits for room any more. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}
