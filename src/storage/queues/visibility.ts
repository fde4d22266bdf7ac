// When hidden and delayed messages of all queues become visible: a calendar of short spans. What ends later than now is only noted in its
// span; a span that begins is sorted out into a heap. Entries are never searched for: one that no longer holds (the message was removed, or
// hidden until another time) goes when its span is looked at. When the dead outnumber the living, one span after another is, so that no
// call has to look at many, whatever was purged.

const SPAN_MS = 16
const DEAD_SPARE = 64
const GONE_SPARE = 1024
/** So many entries `next` looks at to tell the time exactly. */
const LOOKED_AT_MAX = 64
/** Of an entry: visibleAt, queue, sequence. */
const FIELDS = 3

interface Span {
  readonly entries: number[]
  /** No entry has a lower time. */
  earliest: number
}

export class Visibility {
  readonly #isAlive: (visibleAt: number, queue: number, sequence: number) => boolean
  /** Entries of the spans that have begun: a heap by time. */
  readonly #near: number[] = []
  /** Entries of later spans, as they came. */
  readonly #spans = new Map<number, Span>()
  /** Their numbers, and those of some that are gone: a heap of entries that begin with a number in place of a time. */
  #numbers: number[] = []
  /** Spans below it have begun. */
  #begun = -Infinity
  #size = 0
  #sweep: Iterator<[number, Span]> | undefined
  /** The span of the last push: the next is mostly for the same. */
  #lastNumber = -Infinity
  #last: Span = { entries: [], earliest: Infinity }

  constructor(isAlive: (visibleAt: number, queue: number, sequence: number) => boolean) {
    this.#isAlive = isAlive
  }

  /** Entries, the dead included. */
  get size(): number {
    return this.#size
  }

  /** `living`: how many messages are hidden in all, this one included. */
  push(visibleAt: number, queue: number, sequence: number, living: number): void {
    const number = Math.floor(visibleAt / SPAN_MS)
    this.#size++
    if (number < this.#begun) pushEntry(this.#near, visibleAt, queue, sequence)
    else {
      const span = number === this.#lastNumber ? this.#last : this.#spanOf(number, visibleAt)
      span.entries.push(visibleAt, queue, sequence)
      if (visibleAt < span.earliest) span.earliest = visibleAt
    }
    if (this.#size > 2 * living + DEAD_SPARE) this.#sweepOne()
  }

  /** The earliest time at which a message becomes visible, or undefined. Among many it may be that of a message that died. */
  next(): number | undefined {
    let left = LOOKED_AT_MAX
    while (this.#near.length > 0 && left-- > 0 && !this.#isAliveAt(this.#near, 0)) this.#popNear()
    if (this.#near.length > 0) return this.#near[0]
    for (;;) {
      const number = this.#numbers[0]
      const span = number === undefined ? undefined : this.#spans.get(number)
      if (number === undefined) return undefined
      if (span !== undefined) {
        left -= span.entries.length / FIELDS
        if (left >= 0) this.#clean(span)
        if (span.entries.length > 0) return span.earliest
      }
      this.#leave(number)
    }
  }

  /** Takes out the messages that are due at `now`, by time; stops after about `max` entries, the dead included. */
  expire(now: number, max: number, expired: (queue: number, sequence: number) => void): void {
    for (let left = max; left > 0; left--) {
      const near = this.#near
      const visibleAt = near[0] ?? Infinity
      if (visibleAt <= now) {
        const [queue, sequence] = [near[1] ?? 0, near[2] ?? 0]
        this.#popNear()
        if (this.#isAlive(visibleAt, queue, sequence)) expired(queue, sequence)
      } else {
        const length = this.#begin(now)
        if (length === undefined) return
        // To look at one is a fraction of what it is to expire it.
        left -= length >> 2
      }
    }
  }

  /** Sorts out the next span that has begun. Returns how many entries it had, undefined when none has begun. */
  #begin(now: number): number | undefined {
    const number = this.#numbers[0]
    if (number === undefined || number * SPAN_MS > now) return undefined
    const span = this.#spans.get(number)
    this.#leave(number)
    this.#begun = number + 1
    if (span === undefined) return 0
    const { entries } = span
    const length = entries.length / FIELDS
    this.#clean(span)
    for (let at = 0; at < entries.length; at += FIELDS) pushEntry(this.#near, entries[at] ?? 0, entries[at + 1] ?? 0, entries[at + 2] ?? 0)
    return length
  }

  #spanOf(number: number, visibleAt: number): Span {
    let span = this.#spans.get(number)
    if (span === undefined) {
      this.#spans.set(number, (span = { entries: [], earliest: visibleAt }))
      pushEntry(this.#numbers, number, 0, 0)
    }
    this.#lastNumber = number
    this.#last = span
    return span
  }

  #remove(number: number): void {
    this.#spans.delete(number)
    if (number === this.#lastNumber) this.#lastNumber = -Infinity
  }

  #leave(number: number): void {
    this.#remove(number)
    popEntry(this.#numbers)
  }

  #sweepOne(): void {
    let next = this.#sweep?.next()
    if (next === undefined || next.done === true) {
      this.#sweep = this.#spans.entries()
      next = this.#sweep.next()
    }
    if (next.done === true) return
    const [number, span] = next.value
    this.#clean(span, new Set())
    if (span.entries.length > 0) return
    this.#remove(number)
    if (this.#numbers.length / FIELDS <= 2 * this.#spans.size + GONE_SPARE) return
    // In order, which is a heap.
    this.#numbers = [...this.#spans.keys()].sort((a, b) => a - b).flatMap((at) => [at, 0, 0])
  }

  /** Drops the dead of a span, and what `seen` shows to be there twice. */
  #clean(span: Span, seen?: Set<string>): void {
    const { entries } = span
    let earliest = Infinity
    let end = 0
    for (let at = 0; at < entries.length; at += FIELDS) {
      if (!this.#isAliveAt(entries, at)) continue
      if (seen !== undefined) {
        // Hidden until one time, then another, then the first again leaves two entries that both hold.
        const name = `${entries[at + 1]} ${entries[at + 2]}`
        if (seen.has(name)) continue
        seen.add(name)
      }
      for (let field = 0; field < FIELDS; field++) entries[end + field] = entries[at + field] ?? 0
      earliest = Math.min(earliest, entries[end] ?? 0)
      end += FIELDS
    }
    this.#size -= (entries.length - end) / FIELDS
    entries.length = end
    span.earliest = earliest
  }

  #isAliveAt(entries: readonly number[], at: number): boolean {
    return this.#isAlive(entries[at] ?? 0, entries[at + 1] ?? 0, entries[at + 2] ?? 0)
  }

  #popNear(): void {
    popEntry(this.#near)
    this.#size--
  }
}

function pushEntry(heap: number[], visibleAt: number, queue: number, sequence: number): void {
  let at = heap.length
  heap.push(visibleAt, queue, sequence)
  while (at > 0) {
    const parent = Math.floor((at / FIELDS - 1) / 2) * FIELDS
    if ((heap[parent] ?? 0) <= visibleAt) break
    copyEntry(heap, parent, at)
    at = parent
  }
  setEntry(heap, at, visibleAt, queue, sequence)
}

function popEntry(heap: number[]): void {
  const sequence = heap.pop() ?? 0
  const queue = heap.pop() ?? 0
  const visibleAt = heap.pop() ?? 0
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + FIELDS
    if (child >= heap.length) break
    if (child + FIELDS < heap.length && (heap[child + FIELDS] ?? 0) < (heap[child] ?? 0)) child += FIELDS
    if ((heap[child] ?? 0) >= visibleAt) break
    copyEntry(heap, child, at)
    at = child
  }
  setEntry(heap, at, visibleAt, queue, sequence)
}

function copyEntry(heap: number[], from: number, to: number): void {
  setEntry(heap, to, heap[from] ?? 0, heap[from + 1] ?? 0, heap[from + 2] ?? 0)
}

function setEntry(heap: number[], at: number, visibleAt: number, queue: number, sequence: number): void {
  heap[at] = visibleAt
  heap[at + 1] = queue
  heap[at + 2] = sequence
}
