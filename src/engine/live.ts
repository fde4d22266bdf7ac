// Events as they become durable, for whoever looks on: bounded for each, so that a slow onlooker loses lines (and is told) and nothing
// waits.
import { EntryKind, type EventEntry, readEntries } from '../model/entry.ts'
import type { Frame, Journal } from '../storage/journal.ts'

export interface LiveEvent {
  readonly class: EventEntry['class']
  readonly arrivedAt: number
  readonly committedAt: number
  /** The CloudTrail record. */
  readonly record: unknown
  /** Events lost before this one, because the onlooker was too slow. */
  readonly lostBefore: number
}

export interface Live {
  /** Events from now on, until the iteration ends or the server closes. */
  watch(): AsyncIterableIterator<LiveEvent>
  close(): void
}

const WAITING_MAX = 10_000
const EVENTS: ReadonlySet<number> = new Set([EntryKind.event])

export function createLive(journal: Journal): Live {
  const watchers = new Set<Watcher>()
  journal.onDurable((frames) => {
    if (watchers.size === 0) return
    for (const event of eventsOf(frames)) for (const watcher of watchers) watcher.push(event)
  })
  return {
    watch() {
      const watcher = new Watcher(() => watchers.delete(watcher))
      watchers.add(watcher)
      return watcher
    },
    close() {
      for (const watcher of watchers) void watcher.return()
    },
  }
}

function* eventsOf(frames: readonly Frame[]): Generator<Omit<LiveEvent, 'lostBefore'>> {
  for (const { payload } of frames)
    for (const { entry } of readEntries(payload, EVENTS)) {
      if (entry.kind !== 'event') continue
      const { class: eventClass, arrivedAt, committedAt } = entry
      yield { class: eventClass, arrivedAt, committedAt, record: JSON.parse(entry.json.toString('utf8')) as unknown }
    }
}

class Watcher implements AsyncIterableIterator<LiveEvent> {
  readonly #ended: () => void
  readonly #waiting: LiveEvent[] = []
  #lost = 0
  #isOver = false
  #wake: (() => void) | undefined

  constructor(ended: () => void) {
    this.#ended = ended
  }

  push(event: Omit<LiveEvent, 'lostBefore'>): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#lost++
      return
    }
    this.#waiting.push({ ...event, lostBefore: this.#lost })
    this.#lost = 0
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<LiveEvent>> {
    while (this.#waiting.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    const value = this.#waiting.shift()
    return value === undefined ? { done: true, value: undefined } : { done: false, value }
  }

  return(): Promise<IteratorResult<LiveEvent>> {
    this.#isOver = true
    this.#ended()
    this.#wake?.()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
