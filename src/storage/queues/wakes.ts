// Who waits for messages of which queue. Wakes on a later turn, at most as many as there are messages, and looks again one turn after that,
// so that a message which the woken one did not take wakes the next.

export class Wakes {
  /** How many messages a queue has to give; undefined when the queue is no more: then all wake. */
  readonly #available: (queue: number) => number | undefined
  readonly #waiting = new Map<number, Set<() => void>>()
  readonly #due = new Set<number>()
  #isScheduled = false

  constructor(available: (queue: number) => number | undefined) {
    this.#available = available
  }

  once(queue: number, wake: () => void): () => void {
    const waiting = this.#waiting.get(queue) ?? new Set()
    this.#waiting.set(queue, waiting)
    const waiter = (): void => wake()
    waiting.add(waiter)
    return () => {
      waiting.delete(waiter)
      if (waiting.size === 0 && this.#waiting.get(queue) === waiting) this.#waiting.delete(queue)
    }
  }

  /** The queue may have something now. */
  due(queue: number): void {
    if (!this.#waiting.has(queue)) return
    this.#due.add(queue)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#isScheduled = false
    const due = [...this.#due]
    this.#due.clear()
    for (const queue of due) this.#wake(queue)
  }

  #wake(queue: number): void {
    const waiting = this.#waiting.get(queue)
    const available = this.#available(queue) ?? Infinity
    if (waiting === undefined || available === 0) return
    const woken: (() => void)[] = []
    for (const waiter of waiting) {
      if (woken.length >= available) break
      waiting.delete(waiter)
      woken.push(waiter)
    }
    if (waiting.size === 0) this.#waiting.delete(queue)
    for (const waiter of woken) waiter()
    this.due(queue)
  }
}
