// The newest events, in memory until they are enough for a group that is written: found like all others, told again by the journal after
// a crash.
import type { Position } from '../journal.ts'
import type { HistoryRow } from '../history.ts'
import { type BlockEvent, GROUP_EVENTS } from './format.ts'

const GROUP_BYTES_MAX = 4 * 1024 * 1024

export class OpenGroup {
  readonly first: number
  readonly events: BlockEvent[] = []
  /** By scope and term, as one text: ordinals, ascending. */
  readonly postings = new Map<string, number[]>()
  oldest = Infinity
  newest = -Infinity
  upTo: Position
  #bytes = 0

  constructor(first: number, upTo: Position) {
    this.first = first
    this.upTo = upTo
  }

  get count(): number {
    return this.events.length
  }

  get isFull(): boolean {
    return this.events.length >= GROUP_EVENTS || this.#bytes >= GROUP_BYTES_MAX
  }

  add({ scope, terms, time, json }: HistoryRow): void {
    const ordinal = this.events.length
    this.events.push({ time, json: Buffer.from(json) })
    this.#bytes += json.length
    this.oldest = Math.min(this.oldest, time)
    this.newest = Math.max(this.newest, time)
    this.#post(termText(scope, ''), ordinal)
    for (const term of terms) this.#post(termText(scope, term), ordinal)
  }

  #post(term: string, ordinal: number): void {
    const ordinals = this.postings.get(term)
    if (ordinals === undefined) this.postings.set(term, [ordinal])
    else ordinals.push(ordinal)
  }
}

/** Scopes hold no line feed. */
export function termText(scope: string, term: string): string {
  return `${scope}\n${term}`
}
