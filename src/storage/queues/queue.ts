// One standard queue: its chunks, and which message is taken next. Arrival order is the order of sequences, so a cursor finds what was
// never received, and a list holds what came back behind it. The list may name messages that are gone or hidden again: who takes looks at
// the state.
import { type Chunk, CHUNK_SEQUENCES, MessageState, type StateCounts } from './chunk.ts'

export class Queue {
  readonly number: number
  readonly chunks = new Map<number, Chunk>()
  readonly counts: StateCounts = [0, 0, 0, 0, 0]
  /** One above the highest sequence that was applied. */
  tail = 1
  /** The next sequence to give. */
  next = 1
  /** The checkpoint that holds `tail`, 0 when none does. */
  generation = 0
  /** No live message stands before it. */
  #first = 1
  /** Every visible message before it is in `#returned`. */
  #cursor = 1
  #returned: number[] = []
  #returnedHead = 0
  #isReturnedTurn = true

  constructor(number: number) {
    this.number = number
  }

  /** The chunk and index of a live message, or undefined. */
  find(sequence: number): { readonly chunk: Chunk; readonly index: number } | undefined {
    const chunk = this.chunks.get(chunkNumber(sequence))
    const index = chunk?.find(sequence) ?? -1
    return chunk === undefined || index < 0 ? undefined : { chunk, index }
  }

  /** Takes the next visible message off the line without changing its state, or undefined. */
  takeNext(): { readonly chunk: Chunk; readonly index: number } | undefined {
    const isReturnedTurn = this.#isReturnedTurn
    this.#isReturnedTurn = !isReturnedTurn
    const taken = isReturnedTurn ? (this.#takeReturned() ?? this.#takeArrived()) : (this.#takeArrived() ?? this.#takeReturned())
    // With nothing to take turns with, the next that comes back goes first.
    if (this.#returned.length === 0) this.#isReturnedTurn = true
    return taken
  }

  /** A message became visible again. */
  returned(sequence: number): void {
    if (sequence >= this.#cursor) return
    this.#returned.push(sequence)
    if (this.#returned.length - this.#returnedHead > 2 * this.counts[MessageState.visible] + RETURNED_SPARE) this.#trimReturned()
  }

  /** A taken message goes back to where it was taken from. */
  untaken(sequence: number): void {
    if (this.#returnedHead > 0) this.#returned[--this.#returnedHead] = sequence
    else this.#returned.unshift(sequence)
  }

  oldest(): { readonly chunk: Chunk; readonly index: number } | undefined {
    const oldest = this.#seek(this.#first, (chunk, index) => chunk.state(index) !== MessageState.gone)
    this.#first = oldest?.chunk.sequence(oldest.index) ?? this.tail
    return oldest
  }

  /** The lowest sequence of a live message that was sent at `time` or later, or the tail. */
  firstSentAt(time: number): number {
    this.oldest()
    const found = this.#seek(this.#first, (chunk, index) => chunk.state(index) !== MessageState.gone && chunk.sentAt(index) >= time)
    return found?.chunk.sequence(found.index) ?? this.tail
  }

  /** Everything before it was dropped. */
  advance(before: number): void {
    this.#cursor = Math.min(Math.max(this.#cursor, before), this.tail)
    this.#first = Math.min(Math.max(this.#first, before), this.tail)
  }

  #takeReturned(): { readonly chunk: Chunk; readonly index: number } | undefined {
    while (this.#returnedHead < this.#returned.length) {
      const found = this.find(this.#returned[this.#returnedHead++] ?? 0)
      if (this.#returnedHead > RETURNED_SPARE && this.#returnedHead * 2 > this.#returned.length) {
        this.#returned = this.#returned.slice(this.#returnedHead)
        this.#returnedHead = 0
      }
      if (found !== undefined && found.chunk.state(found.index) === MessageState.visible) return found
    }
    this.#returned = []
    this.#returnedHead = 0
    return undefined
  }

  #takeArrived(): { readonly chunk: Chunk; readonly index: number } | undefined {
    const found = this.#seek(this.#cursor, (chunk, index) => chunk.state(index) === MessageState.visible)
    this.#cursor = found === undefined ? this.tail : found.chunk.sequence(found.index) + 1
    return found
  }

  #seek(from: number, isWanted: (chunk: Chunk, index: number) => boolean): { readonly chunk: Chunk; readonly index: number } | undefined {
    if (this.chunks.size === 0) return undefined
    for (let number = chunkNumber(from); number <= chunkNumber(this.tail - 1); number++) {
      const chunk = this.chunks.get(number)
      if (chunk === undefined) continue
      for (let index = chunk.seek(from); index < chunk.count; index++) if (isWanted(chunk, index)) return { chunk, index }
    }
    return undefined
  }

  #trimReturned(): void {
    const sequences = new Set(this.#returned.slice(this.#returnedHead))
    this.#returnedHead = 0
    this.#returned = [...sequences].filter((sequence) => {
      const found = this.find(sequence)
      return found !== undefined && found.chunk.state(found.index) === MessageState.visible
    })
  }
}

const RETURNED_SPARE = 64

export function chunkNumber(sequence: number): number {
  return Math.floor(sequence / CHUNK_SEQUENCES)
}
