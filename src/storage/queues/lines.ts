// Two kinds of lines: messages linked by their sequences, in columns of their chunks, so that a million of them cost no object; and groups
// that wait for their turn. Whoever stands anywhere in a line leaves it in O(1).
import type { Chunk } from './chunk.ts'

/** Where the messages in lines are. */
export interface ChunkPlaces {
  /** The chunk that holds the message. */
  of(sequence: number): Chunk | undefined
}

/** The sequences of its first and last message, 0 for none. */
export interface MessageLine {
  head: number
  tail: number
}

export class MessageLinks {
  readonly #chunks: ChunkPlaces

  constructor(chunks: ChunkPlaces) {
    this.#chunks = chunks
  }

  append(line: MessageLine, chunk: Chunk, index: number): void {
    const sequence = chunk.sequence(index)
    if (line.tail === 0) line.head = sequence
    else {
      chunk.setBefore(index, line.tail)
      this.#setBehind(line.tail, sequence)
    }
    line.tail = sequence
  }

  prepend(line: MessageLine, chunk: Chunk, index: number): void {
    const sequence = chunk.sequence(index)
    if (line.head === 0) line.tail = sequence
    else {
      chunk.setBehind(index, line.head)
      this.#setBefore(line.head, sequence)
    }
    line.head = sequence
  }

  /** Takes a message out of the one of two lines in which it stands. */
  remove(lines: readonly [MessageLine, MessageLine?], chunk: Chunk, index: number): void {
    const [first, second] = lines
    const sequence = chunk.sequence(index)
    const [before, behind] = [chunk.before(index), chunk.behind(index)]
    if (before !== 0) {
      this.#setBehind(before, behind)
      chunk.setBefore(index, 0)
    } else if (second?.head === sequence) second.head = behind
    else first.head = behind
    if (behind !== 0) {
      this.#setBefore(behind, before)
      chunk.setBehind(index, 0)
    } else if (second?.tail === sequence) second.tail = before
    else first.tail = before
  }

  #setBefore(sequence: number, before: number): void {
    const chunk = this.#chunks.of(sequence)
    chunk?.setBefore(chunk.seek(sequence), before)
  }

  #setBehind(sequence: number, behind: number): void {
    const chunk = this.#chunks.of(sequence)
    chunk?.setBehind(chunk.seek(sequence), behind)
  }
}

/** One that may stand in a row of its like. */
export interface InRow<T extends InRow<T>> {
  row: Row<T> | undefined
  previous: T | undefined
  next: T | undefined
}

export class Row<T extends InRow<T>> {
  first: T | undefined
  #last: T | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** It MUST stand in no row. */
  append(one: T): void {
    one.row = this
    one.previous = this.#last
    if (this.#last === undefined) this.first = one
    else this.#last.next = one
    this.#last = one
    this.#size++
  }

  prepend(one: T): void {
    one.row = this
    one.next = this.first
    if (this.first === undefined) this.#last = one
    else this.first.previous = one
    this.first = one
    this.#size++
  }

  /** It MUST stand in this row. */
  remove(one: T): void {
    if (one.previous === undefined) this.first = one.next
    else one.previous.next = one.next
    if (one.next === undefined) this.#last = one.previous
    else one.next.previous = one.previous
    one.row = one.previous = one.next = undefined
    this.#size--
  }
}
