// When hidden and delayed messages of all queues become visible: a binary heap by time. Entries are never searched for; one that no
// longer holds (the message was removed, or hidden until another time) is dropped when it comes up, or when the dead outnumber the living.

export interface Hidden {
  readonly visibleAt: number
  readonly queue: number
  readonly sequence: number
}

const REBUILD_MIN = 64

export class Visibility {
  readonly #isAlive: (entry: Hidden) => boolean
  #times: number[] = []
  #queues: number[] = []
  #sequences: number[] = []

  constructor(isAlive: (entry: Hidden) => boolean) {
    this.#isAlive = isAlive
  }

  get size(): number {
    return this.#times.length
  }

  /** `living`: how many messages are hidden in all, this one included. */
  push(visibleAt: number, queue: number, sequence: number, living: number): void {
    this.#insert(visibleAt, queue, sequence)
    if (this.size > REBUILD_MIN && this.size > 2 * living) this.#rebuild()
  }

  /** The earliest time at which a message becomes visible, or undefined. */
  next(): number | undefined {
    for (;;) {
      const top = this.#top()
      if (top === undefined || this.#isAlive(top)) return top?.visibleAt
      this.#pop()
    }
  }

  /** Takes the next message that is due at `now`, or undefined. */
  take(now: number): Hidden | undefined {
    for (;;) {
      const top = this.#top()
      if (top === undefined || top.visibleAt > now) return undefined
      this.#pop()
      if (this.#isAlive(top)) return top
    }
  }

  #top(): Hidden | undefined {
    const [visibleAt, queue, sequence] = [this.#times[0], this.#queues[0], this.#sequences[0]]
    if (visibleAt === undefined || queue === undefined || sequence === undefined) return undefined
    return { visibleAt, queue, sequence }
  }

  #insert(visibleAt: number, queue: number, sequence: number): void {
    let at = this.#times.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#times[parent] ?? 0) <= visibleAt) break
      this.#copy(parent, at)
      at = parent
    }
    this.#set(at, visibleAt, queue, sequence)
  }

  #pop(): void {
    const [visibleAt, queue, sequence] = [this.#times.pop(), this.#queues.pop(), this.#sequences.pop()]
    const size = this.#times.length
    if (size === 0 || visibleAt === undefined || queue === undefined || sequence === undefined) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && (this.#times[child + 1] ?? 0) < (this.#times[child] ?? 0)) child++
      if ((this.#times[child] ?? 0) >= visibleAt) break
      this.#copy(child, at)
      at = child
    }
    this.#set(at, visibleAt, queue, sequence)
  }

  #rebuild(): void {
    const [times, queues, sequences] = [this.#times, this.#queues, this.#sequences]
    this.#times = []
    this.#queues = []
    this.#sequences = []
    const seen = new Set<string>()
    for (const [at, visibleAt] of times.entries()) {
      const entry = { visibleAt, queue: queues[at] ?? 0, sequence: sequences[at] ?? 0 }
      const name = `${entry.queue} ${entry.sequence}`
      // Hidden until one time, then another, then the first again leaves two entries that both hold.
      if (seen.has(name) || !this.#isAlive(entry)) continue
      seen.add(name)
      this.#insert(visibleAt, entry.queue, entry.sequence)
    }
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#times[from] ?? 0, this.#queues[from] ?? 0, this.#sequences[from] ?? 0)
  }

  #set(at: number, visibleAt: number, queue: number, sequence: number): void {
    this.#times[at] = visibleAt
    this.#queues[at] = queue
    this.#sequences[at] = sequence
  }
}
