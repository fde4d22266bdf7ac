// What the next checkpoint has to write: chunks, tails and memories that changed since the last, and parts that are no more. A checkpoint
// that is being written takes a chunk as it was when the checkpoint began: who changes it first makes the copy.
import type { ChangedPart } from './checkpoint.ts'
import type { Chunk } from './chunk.ts'
import { encodeTail, MEMORY_PART, TAIL_PART } from './format.ts'
import type { MemoryBlock } from './memories.ts'
import type { Queue } from './queue.ts'

interface GonePart {
  readonly queue: number
  readonly part: number
  readonly generation: number
}

interface Taken {
  readonly chunks: Iterable<Chunk>
  readonly tails: Iterable<Queue>
  readonly blocks: Iterable<MemoryBlock>
  readonly gone: Iterable<GonePart>
}

export class Changes {
  readonly #queues: ReadonlyMap<number, Queue>
  #chunks = new Set<Chunk>()
  #tails = new Set<Queue>()
  #blocks = new Set<MemoryBlock>()
  /** By name, with the generation that holds them. */
  #gone = new Map<string, GonePart>()

  constructor(queues: ReadonlyMap<number, Queue>) {
    this.#queues = queues
  }

  /** MUST run before a change of a chunk. */
  chunk(chunk: Chunk): void {
    if (chunk.isAwaited) {
      chunk.snapshot = encodePart(chunk)
      chunk.isAwaited = false
    }
    this.#chunks.add(chunk)
  }

  tail(queue: Queue): void {
    this.#tails.add(queue)
  }

  block(block: MemoryBlock): void {
    this.#blocks.add(block)
  }

  blockGone(block: MemoryBlock): void {
    this.#blocks.delete(block)
    this.#partGone({ queue: block.queue, part: block.part, generation: block.generation })
  }

  /** `rest` is what stays of a chunk, told of by `chunk` before it was split. */
  split(chunk: Chunk, rest: Chunk): void {
    this.#chunks.delete(chunk)
    this.#chunks.add(rest)
  }

  chunkGone(chunk: Chunk): void {
    this.#chunks.delete(chunk)
    this.#partGone({ queue: chunk.queue, part: chunk.number, generation: chunk.generation })
  }

  queueGone(queue: Queue): void {
    this.#tails.delete(queue)
    this.#partGone({ queue: queue.number, part: TAIL_PART, generation: queue.generation })
  }

  /** A part is there again: the generation that holds its former self, or 0. */
  reclaim(queue: number, part: number): number {
    if (this.#gone.size === 0) return 0
    const generation = this.#gone.get(nameOf(queue, part))?.generation ?? 0
    this.#gone.delete(nameOf(queue, part))
    return generation
  }

  /** Hands over all that changed, to be written as `generation`; `restore` takes it back when that fails. */
  take(generation: number): { readonly parts: readonly ChangedPart[]; readonly restore: () => void } {
    const [chunks, tails, blocks, gone] = [this.#chunks, this.#tails, this.#blocks, this.#gone]
    this.#chunks = new Set()
    this.#tails = new Set()
    this.#blocks = new Set()
    this.#gone = new Map()
    const parts: ChangedPart[] = []
    for (const { queue, part, generation: previous } of gone.values()) parts.push({ queue, part, previous, encode: () => undefined })
    for (const queue of tails) {
      const { number, tail, generation: previous } = queue
      parts.push({ queue: number, part: TAIL_PART, previous, encode: () => encodeTail(tail) })
      queue.generation = generation
    }
    for (const block of blocks) {
      parts.push({ queue: block.queue, part: block.part, previous: block.generation, encode: block.snapshot() })
      block.generation = generation
    }
    for (const chunk of chunks) {
      parts.push({ queue: chunk.queue, part: chunk.number, previous: chunk.generation, encode: () => takeSnapshot(chunk) })
      chunk.isAwaited = true
      chunk.generation = generation
    }
    return { parts, restore: () => this.#restore({ chunks, tails, blocks, gone: gone.values() }, generation) }
  }

  #restore({ chunks, tails, blocks, gone }: Taken, generation: number): void {
    for (const chunk of chunks) {
      chunk.isAwaited = false
      chunk.snapshot = undefined
      if (this.#queues.get(chunk.queue)?.chunks.get(chunk.number) === chunk) this.chunk(chunk)
    }
    for (const queue of tails) if (this.#queues.get(queue.number) === queue) this.tail(queue)
    for (const block of blocks) if (!block.isGone) this.block(block)
    for (const { queue: number, part } of gone) {
      const queue = this.#queues.get(number)
      const back = part === TAIL_PART ? queue : part >= MEMORY_PART ? queue?.memories?.block(part) : queue?.chunks.get(part)
      if (back !== undefined) back.generation = Math.max(back.generation, generation)
      else this.#partGone({ queue: number, part, generation })
    }
  }

  #partGone(part: GonePart): void {
    if (part.generation > 0) this.#gone.set(nameOf(part.queue, part.part), part)
  }
}

/** A chunk in which nothing lives is not stored. */
function encodePart(chunk: Chunk): Buffer | 'gone' {
  return chunk.live === 0 ? 'gone' : chunk.encode()
}

function takeSnapshot(chunk: Chunk): Buffer | undefined {
  const snapshot = chunk.snapshot ?? encodePart(chunk)
  chunk.isAwaited = false
  chunk.snapshot = undefined
  return snapshot === 'gone' ? undefined : snapshot
}

function nameOf(queue: number, part: number): string {
  return `${queue}/${part}`
}
