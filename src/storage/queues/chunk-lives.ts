// When chunks of a queue begin and end. A drop takes whole chunks, and the front of one, out of the counts at once; what of it stands in
// lines of groups leaves them turn by turn, so that nobody waits for the end of a million messages.
import type { Changes } from './changes.ts'
import { Chunk, chunkNumber, MessageState } from './chunk.ts'
import type { Queue } from './queue.ts'
import type { Tally } from './tally.ts'
import type { Wakes } from './wakes.ts'

const REMOVED_AT_ONCE = 1024
const SWEPT_PER_TURN = 512

export class ChunkLives {
  readonly #changes: Changes
  readonly #tally: Tally
  readonly #wakes: Wakes

  constructor(changes: Changes, tally: Tally, wakes: Wakes) {
    this.#changes = changes
    this.#tally = tally
    this.#wakes = wakes
  }

  /** The chunk of that number, the last there is, made where it is missing. */
  open(queue: Queue, number: number): Chunk {
    const present = queue.chunks.get(number)
    if (present !== undefined) return present
    const last = queue.chunks.get(number - 1)
    if (last?.live === 0) this.#detach(queue, last)
    const chunk = new Chunk(queue.number, number)
    chunk.generation = this.#changes.reclaim(queue.number, number)
    queue.chunks.set(number, chunk)
    return chunk
  }

  /** The last chunk of a busy little queue stays, so that a message in and out does not make and free one each time. */
  freeIfEmpty(queue: Queue, chunk: Chunk): void {
    if (chunk.live === 0 && !(chunk.isSmall && chunk.number === chunkNumber(queue.tail))) this.#detach(queue, chunk)
  }

  /** All messages of the queue with a sequence below `before` go. */
  drop(queue: Queue, before: number): void {
    if (before >= queue.tail) queue.leaveGroups()
    const tailChunk = chunkNumber(queue.tail)
    const wasSinking = queue.sunk !== undefined
    const few: Chunk[] = []
    let left = 0
    for (const chunk of queue.chunks.values()) {
      if (chunk.sequence(0) >= before) break
      const isWhole = chunk.sequence(chunk.count - 1) < before && (queue.groups === undefined || chunk.number < tailChunk)
      if (queue.sunk?.has(chunk.number) === true || (!isWhole && chunk.seek(before) <= REMOVED_AT_ONCE)) {
        few.push(chunk)
        continue
      }
      if (isWhole) this.#detach(queue, chunk)
      else this.#split(queue, chunk, before)
      left += chunk.live
      if (queue.groups !== undefined) queue.sink(chunk)
    }
    for (const chunk of few) this.#removeBefore(queue, chunk, before)
    if (queue.sunk !== undefined && !wasSinking) this.#sweepSunk(queue, left)
  }

  /** What is before goes with its chunk; the rest goes on in a new one. */
  #split(queue: Queue, chunk: Chunk, before: number): void {
    this.#changes.chunk(chunk)
    const rest = chunk.split(before)
    queue.chunks.set(chunk.number, rest)
    this.#changes.split(chunk, rest)
    this.#tally.chunk(queue, chunk, -1)
    this.freeIfEmpty(queue, rest)
  }

  /** Dropped messages leave their lines: a few at once, many turn by turn. */
  #sweepSunk(queue: Queue, messages: number): void {
    const sweep = (): void => {
      if (queue.sweepSunk(SWEPT_PER_TURN)) this.#wakes.due(queue.number)
      else setImmediate(sweep)
    }
    if (messages > REMOVED_AT_ONCE) setImmediate(sweep)
    else queue.sweepSunk(Infinity)
  }

  #removeBefore(queue: Queue, chunk: Chunk, before: number): void {
    this.#changes.chunk(chunk)
    for (let index = 0, end = chunk.seek(before); index < end; index++)
      if (chunk.state(index) !== MessageState.gone) this.#tally.removed(queue, chunk, index)
    chunk.removeBefore(before, chunk.number === chunkNumber(queue.tail))
    this.freeIfEmpty(queue, chunk)
  }

  /** Takes a whole chunk away, unchanged, since a checkpoint that is being written may still need it. */
  #detach(queue: Queue, chunk: Chunk): void {
    this.#tally.chunk(queue, chunk, -1)
    queue.chunks.delete(chunk.number)
    this.#changes.chunkGone(chunk)
  }
}
