// What all queues remember: tells checkpoints of what changed, and lets go of what is over. Time passes without a commit: a minute that is
// over is forgotten by whoever looks at queues next, some queues a call.
import type { RememberEntry } from '../../model/entry.ts'
import type { Changes } from './changes.ts'
import { SLICE_MS } from './format.ts'
import { Memories, type MemoryBlock } from './memories.ts'
import type { Queue } from './queue.ts'

const QUEUES_PER_CALL = 256

export class Remembering {
  readonly #changes: Changes
  /** By slice: who remembers something until then. */
  readonly #slices = new Map<number, Set<Queue>>()
  #nextEnd = Infinity

  constructor(changes: Changes) {
    this.#changes = changes
  }

  remember(queue: Queue, entry: RememberEntry): void {
    const block = this.#memoriesOf(queue).remember(entry)
    if (block.count === 1) block.generation = this.#changes.reclaim(queue.number, block.part)
    this.#changes.block(block)
  }

  /** Throws RangeError on bytes that are no memories. */
  load(queue: Queue, part: number, encoded: Buffer, generation: number): void {
    this.#memoriesOf(queue).load(part, encoded).generation = generation
  }

  expire(now: number): void {
    if (now >= this.#nextEnd) this.#forget(now)
  }

  /** The queue goes. */
  forgetAll(queue: Queue): void {
    this.#gone(queue.memories?.forgetAll())
  }

  #forget(now: number): void {
    let left = QUEUES_PER_CALL
    let next = Infinity
    for (const [slice, queues] of this.#slices) {
      const end = (slice + 1) * SLICE_MS
      if (end > now) {
        next = Math.min(next, end)
        continue
      }
      for (const queue of queues) {
        if (left-- <= 0) return
        queues.delete(queue)
        this.#gone(queue.memories?.forget(slice))
      }
      this.#slices.delete(slice)
    }
    this.#nextEnd = next
  }

  #gone(blocks: readonly MemoryBlock[] = []): void {
    for (const block of blocks) this.#changes.blockGone(block)
  }

  #memoriesOf(queue: Queue): Memories {
    queue.memories ??= new Memories(queue.number, (slice) => {
      const remembering = this.#slices.get(slice)
      if (remembering === undefined) this.#slices.set(slice, new Set([queue]))
      else remembering.add(queue)
      this.#nextEnd = Math.min(this.#nextEnd, (slice + 1) * SLICE_MS)
    })
    return queue.memories
  }
}
