// One queue: its chunks, and which message is taken next. Without groups arrival order is the order of sequences, so a cursor finds what
// was never received, and a list holds what came back behind it. The list may name messages that are gone or hidden again: who takes looks
// at the state. Messages from the first one with a group on are the matter of groups.ts.
import { type Chunk, chunkNumber, type Found, MessageState, type StateCounts } from './chunk.ts'
import { Groups } from './groups.ts'
import type { Memories } from './memories.ts'

export class Queue {
  readonly number: number
  /** By number, in order. */
  readonly chunks = new Map<number, Chunk>()
  readonly counts: StateCounts = [0, 0, 0, 0, 0]
  /** Undefined while no message with a group came. */
  groups: Groups | undefined
  /** Chunks that were dropped with messages in lines: while there are any the groups give nothing. */
  sunk: Map<number, Chunk> | undefined
  /** What it remembers; undefined while it never did. */
  memories: Memories | undefined
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
  #isGroupsTurn = false
  /** Of the first sunk chunk. */
  #sweptUpTo = 0

  constructor(number: number) {
    this.number = number
  }

  /** The chunk and index of a live message, or undefined. */
  find(sequence: number): Found | undefined {
    const chunk = this.chunks.get(chunkNumber(sequence))
    const index = chunk?.find(sequence) ?? -1
    return chunk === undefined || index < 0 ? undefined : { chunk, index }
  }

  /** So many visible messages, or groups of them, can be taken. */
  get available(): number {
    const visible = this.counts[MessageState.visible]
    if (this.sunk !== undefined) return 0
    return this.groups === undefined ? visible : this.groups.available(visible)
  }

  /** Of a message that stands in a group's line; undefined: nothing of that kind. */
  groupsOf(sequence: number): Groups | undefined {
    return this.groups !== undefined && sequence >= this.groups.from ? this.groups : undefined
  }

  /** Of a message that is new, or loaded: from the first one with a group on all stand in lines. */
  line(chunk: Chunk, index: number): void {
    const group = chunk.group(index)
    if (this.groups === undefined) {
      if (group === 0) return
      const of = (sequence: number): Chunk | undefined => {
        const number = chunkNumber(sequence)
        const sunk = this.sunk?.get(number)
        return sunk !== undefined && sequence <= sunk.sequence(sunk.count - 1) ? sunk : this.chunks.get(number)
      }
      this.groups = new Groups({ of }, chunk.sequence(index))
    } else if (group === 0 && this.groups.isEmpty) {
      // The cursor stands before them, and goes on from there.
      this.groups = undefined
      return
    }
    this.groups.add(chunk, index)
  }

  /** Chunks come in their order. */
  load(chunk: Chunk): void {
    this.chunks.set(chunk.number, chunk)
    if (!chunk.hasGroups && this.groups === undefined) return
    for (let index = 0; index < chunk.count; index++) if (chunk.state(index) !== MessageState.gone) this.line(chunk, index)
  }

  /** All chunks and the tail are there. */
  loaded(): void {
    const [first] = this.chunks.values()
    this.advance(first?.sequence(0) ?? Infinity)
  }

  /** Reserves up to `max` messages: those from before the groups and those from the groups, which goes first in turns. */
  take(max: number, reserve: (chunk: Chunk, index: number) => void): void {
    const groups = this.sunk === undefined ? this.groups : undefined
    this.#isGroupsTurn = !this.#isGroupsTurn
    let left = max
    if (groups !== undefined && this.#isGroupsTurn) left -= groups.take(left, reserve)
    for (; left > 0; left--) {
      const next = this.#takeNext()
      if (next === undefined) break
      reserve(next.chunk, next.index)
    }
    if (groups !== undefined && left > 0) groups.take(left, reserve)
  }

  /** A message became visible again. */
  returned(sequence: number): void {
    if (sequence >= this.#cursor) return
    this.#returned.push(sequence)
    if (this.#returned.length - this.#returnedHead > 2 * this.counts[MessageState.visible] + RETURNED_SPARE) this.#trimReturned()
  }

  /** A taken message goes back to where it was taken from. */
  untaken(sequence: number): void {
    if (sequence === this.#cursor - 1) this.#cursor = sequence
    else if (this.#returnedHead > 0) this.#returned[--this.#returnedHead] = sequence
    else this.#returned.unshift(sequence)
  }

  oldest(): Found | undefined {
    const oldest = this.#seek(this.#first, (chunk, index) => chunk.state(index) !== MessageState.gone)
    this.#first = oldest?.chunk.sequence(oldest.index) ?? this.tail
    return oldest
  }

  /** The lowest sequence of a live message that was sent at `time` or later, or the tail. */
  firstSentAt(time: number): number {
    this.oldest()
    const found = this.#seek(
      this.#first,
      (chunk, index) => chunk.state(index) !== MessageState.gone && chunk.sentAt(index) >= time,
      (chunk) => chunk.latestSentAt >= time,
    )
    return found?.chunk.sequence(found.index) ?? this.tail
  }

  /** A chunk goes with messages in lines, out of which `sweepSunk` takes them. None of its number may be sunk already. */
  sink(chunk: Chunk): void {
    this.sunk ??= new Map()
    this.sunk.set(chunk.number, chunk)
  }

  /** Takes messages of sunk chunks out of their lines, up to `max` a call; false when there are more. */
  sweepSunk(max: number): boolean {
    let left = max
    for (const [number, chunk] of this.sunk ?? []) {
      for (; this.#sweptUpTo < chunk.count; this.#sweptUpTo++) {
        const index = this.#sweptUpTo
        if (chunk.state(index) === MessageState.gone) continue
        if (left-- <= 0) return false
        this.groupsOf(chunk.sequence(index))?.removed(chunk, index)
      }
      this.#sweptUpTo = 0
      this.sunk?.delete(number)
    }
    this.sunk = undefined
    return true
  }

  /** All messages go, and all that is known of groups with them. */
  leaveGroups(): void {
    this.groups = undefined
    this.sunk = undefined
    this.#sweptUpTo = 0
  }

  /** Everything before it was dropped. */
  advance(before: number): void {
    this.#cursor = Math.min(Math.max(this.#cursor, before), this.tail)
    this.#first = Math.min(Math.max(this.#first, before), this.tail)
  }

  /** Takes the next visible message off the line without changing its state, or undefined. */
  #takeNext(): Found | undefined {
    const isReturnedTurn = this.#isReturnedTurn
    this.#isReturnedTurn = !isReturnedTurn
    const taken = isReturnedTurn ? (this.#takeReturned() ?? this.#takeArrived()) : (this.#takeArrived() ?? this.#takeReturned())
    // With nothing to take turns with, the next that comes back goes first.
    if (this.#returned.length === 0) this.#isReturnedTurn = true
    return taken
  }

  #takeReturned(): Found | undefined {
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

  #takeArrived(): Found | undefined {
    const end = this.groups?.from ?? this.tail
    if (this.#cursor >= end) return undefined
    const found = this.#seek(this.#cursor, (chunk, index) => chunk.state(index) === MessageState.visible)
    const sequence = found?.chunk.sequence(found.index) ?? end
    this.#cursor = Math.min(sequence + 1, end)
    return sequence < end ? found : undefined
  }

  #seek(
    from: number,
    isWanted: (chunk: Chunk, index: number) => boolean,
    isLookedAt: (chunk: Chunk) => boolean = () => true,
  ): Found | undefined {
    for (let number = this.#chunkFrom(chunkNumber(from)); number !== undefined; number = this.#chunkFrom(number + 1)) {
      const chunk = this.chunks.get(number)
      if (chunk === undefined || !isLookedAt(chunk)) continue
      for (let index = chunk.seek(from); index < chunk.count; index++) if (isWanted(chunk, index)) return { chunk, index }
    }
    return undefined
  }

  /** The first chunk from this number on. A few that are far apart are walked through, so that nobody counts through the gaps. */
  #chunkFrom(number: number): number | undefined {
    const last = chunkNumber(this.tail - 1)
    if (last - number <= this.chunks.size) {
      for (let at = number; at <= last; at++) if (this.chunks.has(at)) return at
      return undefined
    }
    for (const at of this.chunks.keys()) if (at >= number) return at
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
