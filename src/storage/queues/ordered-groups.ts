// The ordered (FIFO) groups of one queue. A group's line holds all its messages in the order they were sent; while one of them is in flight
// or reserved the group is locked. Groups that have something to give stand in a row: nothing is ever searched for them, whatever waits
// behind a lock. A group in which nothing waits is forgotten.
import { type Chunk, isOut, MessageState, type MessageStateCode } from './chunk.ts'
import { type ChunkPlaces, type InRow, type MessageLine, MessageLinks, Row } from './lines.ts'

interface OrderedGroup extends InRow<OrderedGroup>, MessageLine {
  readonly number: number
  /** Messages in flight or reserved. */
  out: number
}

export class OrderedGroups {
  readonly #chunks: ChunkPlaces
  readonly #links: MessageLinks
  readonly #groups = new Map<number, OrderedGroup>()
  readonly #ready = new Row<OrderedGroup>()
  /** Messages that are visible, those behind a lock included. */
  #visible = 0

  constructor(chunks: ChunkPlaces) {
    this.#chunks = chunks
    this.#links = new MessageLinks(chunks)
  }

  get size(): number {
    return this.#groups.size
  }

  get visible(): number {
    return this.#visible
  }

  /** Groups with a message to give: it has at least one for each. */
  get ready(): number {
    return this.#ready.size
  }

  /** A message that stands behind all others of its group. */
  add(chunk: Chunk, index: number): void {
    const number = chunk.group(index)
    let group = this.#groups.get(number)
    if (group === undefined) {
      group = { number, head: 0, tail: 0, out: 0, row: undefined, previous: undefined, next: undefined }
      this.#groups.set(number, group)
    }
    this.#links.append(group, chunk, index)
    const state = chunk.state(index)
    if (state === MessageState.visible) this.#visible++
    if (isOut(state)) group.out++
    this.#judge(group)
  }

  /** The message's state has become another. */
  moved(chunk: Chunk, index: number, from: MessageStateCode, to: MessageStateCode): void {
    const group = this.#groups.get(chunk.group(index))
    if (group === undefined) return
    this.#visible += Number(to === MessageState.visible) - Number(from === MessageState.visible)
    group.out += Number(isOut(to)) - Number(isOut(from))
    this.#judge(group)
  }

  /** A message that was taken is back, as if it had not been: its group is the next. */
  untaken(chunk: Chunk, index: number): void {
    const group = this.#groups.get(chunk.group(index))
    if (group?.row === undefined) return
    this.#ready.remove(group)
    this.#ready.prepend(group)
  }

  /** MUST run before the chunk forgets the message. */
  removed(chunk: Chunk, index: number): void {
    const group = this.#groups.get(chunk.group(index))
    if (group === undefined) return
    this.#links.remove([group], chunk, index)
    const state = chunk.state(index)
    if (state === MessageState.visible) this.#visible--
    if (isOut(state)) group.out--
    if (group.head !== 0) return this.#judge(group)
    if (group.row !== undefined) this.#ready.remove(group)
    this.#groups.delete(group.number)
  }

  /** Reserves up to `max` messages, as many of one group as there are before the next. Returns how many. */
  take(max: number, reserve: (chunk: Chunk, index: number) => void): number {
    let taken = 0
    for (let group = this.#ready.first; group !== undefined && taken < max; group = this.#ready.first) {
      for (let sequence = group.head; sequence !== 0 && taken < max;) {
        const chunk = this.#chunks.of(sequence)
        const index = chunk?.seek(sequence) ?? 0
        if (chunk?.state(index) !== MessageState.visible) break
        sequence = chunk.behind(index)
        reserve(chunk, index)
        taken++
      }
    }
    return taken
  }

  #judge(group: OrderedGroup): void {
    const isReady = group.out === 0 && this.#stateOf(group.head) === MessageState.visible
    if (isReady === (group.row !== undefined)) return
    if (isReady) this.#ready.append(group)
    else this.#ready.remove(group)
  }

  #stateOf(sequence: number): MessageStateCode {
    const chunk = this.#chunks.of(sequence)
    return chunk?.state(chunk.seek(sequence)) ?? MessageState.gone
  }
}
