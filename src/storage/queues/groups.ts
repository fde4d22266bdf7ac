// The groups of one queue, from its first message with a group on: each message from there on stands in a line, those without a group too.
// What came before is taken as in a queue without groups. Told of every change of a message, live and at recovery alike; lines and rows are
// made from the messages' states and never stored.
import type { Chunk, MessageStateCode } from './chunk.ts'
import { FairGroups } from './fair-groups.ts'
import type { ChunkPlaces } from './lines.ts'
import { OrderedGroups } from './ordered-groups.ts'

export class Groups {
  /** Messages below it are none of ours. */
  readonly from: number
  readonly #chunks: ChunkPlaces
  #ordered: OrderedGroups | undefined
  #fair: FairGroups | undefined
  #isFairTurn = false

  constructor(chunks: ChunkPlaces, from: number) {
    this.#chunks = chunks
    this.from = from
  }

  /** Nothing is known of any group; messages that are delayed may still wait, and have no need of us. */
  get isEmpty(): boolean {
    return (this.#ordered?.size ?? 0) + (this.#fair?.size ?? 0) === 0
  }

  /** Of so many visible messages of the queue, how many takers find something: one that is locked counts for none, a group for one. */
  available(visible: number): number {
    return this.#ordered === undefined ? visible : Math.max(visible - this.#ordered.visible, 0) + this.#ordered.ready
  }

  /** A message that is new here. */
  add(chunk: Chunk, index: number): void {
    if (chunk.group(index) > 0) (this.#ordered ??= new OrderedGroups(this.#chunks)).add(chunk, index)
    else (this.#fair ??= new FairGroups(this.#chunks)).add(chunk, index)
  }

  /** MUST run when the state of a message has changed. */
  moved(chunk: Chunk, index: number, from: MessageStateCode): void {
    if (chunk.group(index) > 0) this.#ordered?.moved(chunk, index, from, chunk.state(index))
    else this.#fair?.moved(chunk, index, from, chunk.state(index))
  }

  untaken(chunk: Chunk, index: number): void {
    if (chunk.group(index) > 0) this.#ordered?.untaken(chunk, index)
  }

  /** MUST run before the chunk forgets the message. */
  removed(chunk: Chunk, index: number): void {
    if (chunk.group(index) > 0) this.#ordered?.removed(chunk, index)
    else this.#fair?.removed(chunk, index)
  }

  /** Reserves up to `max` messages. Returns how many. */
  take(max: number, reserve: (chunk: Chunk, index: number) => void): number {
    // Only a queue that has both needs turns.
    const [first, second] = this.#isFairTurn ? [this.#fair, this.#ordered] : [this.#ordered, this.#fair]
    this.#isFairTurn = !this.#isFairTurn
    const taken = first?.take(max, reserve) ?? 0
    return taken < max ? taken + (second?.take(max - taken, reserve) ?? 0) : taken
  }
}
