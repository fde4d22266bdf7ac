// How many messages there are in which state, by queue and hidden ones in all. All changes of a message's state go through here, and groups
// hear of each.
import { type Chunk, isHidden, MessageState, type MessageStateCode } from './chunk.ts'
import type { Queue } from './queue.ts'

const LIVING = [MessageState.visible, MessageState.delayed, MessageState.inFlight, MessageState.reserved] as const

export class Tally {
  #hidden = 0

  /** Messages of all queues that are hidden or delayed. */
  get hidden(): number {
    return this.#hidden
  }

  /** The state as the index holds it; a checkpoint needs no word of reservations, nor of what time alone makes visible. */
  move(queue: Queue, chunk: Chunk, index: number, to: MessageStateCode): void {
    const from = chunk.state(index)
    chunk.setState(index, to)
    queue.counts[from]--
    queue.counts[to]++
    this.#hidden += Number(isHidden(to)) - Number(isHidden(from))
    if (queue.groups !== undefined) queue.groupsOf(chunk.sequence(index))?.moved(chunk, index, from)
  }

  /** MUST run before the chunk forgets the message. */
  removed(queue: Queue, chunk: Chunk, index: number): void {
    const state = chunk.state(index)
    queue.counts[state]--
    if (isHidden(state)) this.#hidden--
    if (queue.groups !== undefined) queue.groupsOf(chunk.sequence(index))?.removed(chunk, index)
  }

  /** A whole chunk comes (1) or goes (-1); of groups it says nothing. */
  chunk(queue: Queue, chunk: Chunk, by: 1 | -1): void {
    for (const state of LIVING) {
      queue.counts[state] += by * chunk.counts[state]
      if (isHidden(state)) this.#hidden += by * chunk.counts[state]
    }
  }
}
