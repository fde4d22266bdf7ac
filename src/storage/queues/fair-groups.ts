// The fair groups of one standard queue: tenants that share it. Whoever has little in flight goes first, so that one who floods the queue
// delays itself and hardly the others. Groups stand in rows by how much they have in flight, each row twice as much as the one before, and
// take turns within their row; each eighth message comes from the rows in turn, so that nobody starves. Messages without a group count as
// each their own: one stream that never has anything in flight. All in bounded work per message.
import { type Chunk, isOut, MessageState, type MessageStateCode } from './chunk.ts'
import { type ChunkPlaces, type InRow, type MessageLine, MessageLinks, Row } from './lines.ts'

interface FairGroup extends InRow<FairGroup> {
  readonly number: number
  /** Visible messages that never were received, and those that came back; they take turns. */
  readonly arrived: MessageLine
  readonly returned: MessageLine
  isReturnedTurn: boolean
  /** Messages in flight or reserved. */
  out: number
}

/** Rows for up to 2^20 in flight: far beyond what a queue allows. */
const ROWS = 20
const EACH_ROW_EVERY = 8

export class FairGroups {
  readonly #chunks: ChunkPlaces
  readonly #links: MessageLinks
  readonly #groups = new Map<number, FairGroup>()
  readonly #rows = Array.from({ length: ROWS }, () => new Row<FairGroup>())
  /** Bit n: row n has a group. */
  #filled = 0
  #picks = 0
  #rowInTurn = 0

  constructor(chunks: ChunkPlaces) {
    this.#chunks = chunks
    this.#links = new MessageLinks(chunks)
  }

  get size(): number {
    return this.#groups.size
  }

  add(chunk: Chunk, index: number): void {
    const state = chunk.state(index)
    if (state === MessageState.delayed) return
    const group = this.#groupOf(chunk.group(index))
    if (state === MessageState.visible) this.#links.append(lineOf(group, chunk, index), chunk, index)
    else group.out++
    this.#judge(group)
  }

  /** The message's state has become another. */
  moved(chunk: Chunk, index: number, from: MessageStateCode, to: MessageStateCode): void {
    if (from === to) return
    const group = this.#groupOf(chunk.group(index))
    if (from === MessageState.visible) this.#links.remove([group.arrived, group.returned], chunk, index)
    group.out += Number(isOut(to)) - Number(isOut(from))
    if (to === MessageState.visible) {
      const line = lineOf(group, chunk, index)
      // What was only reserved was never away.
      if (from === MessageState.reserved) this.#links.prepend(line, chunk, index)
      else this.#links.append(line, chunk, index)
    }
    this.#judge(group)
  }

  /** MUST run before the chunk forgets the message. */
  removed(chunk: Chunk, index: number): void {
    const group = this.#groups.get(chunk.group(index))
    if (group === undefined) return
    const state = chunk.state(index)
    if (state === MessageState.visible) this.#links.remove([group.arrived, group.returned], chunk, index)
    if (isOut(state)) group.out--
    this.#judge(group)
  }

  /** Reserves up to `max` messages. Returns how many. */
  take(max: number, reserve: (chunk: Chunk, index: number) => void): number {
    let taken = 0
    for (; taken < max; taken++) {
      const group = this.#pick()
      if (group === undefined) break
      const [first, second] = group.isReturnedTurn ? [group.returned, group.arrived] : [group.arrived, group.returned]
      group.isReturnedTurn = !group.isReturnedTurn
      const sequence = first.head || second.head
      const chunk = this.#chunks.of(sequence)
      if (chunk === undefined) break
      reserve(chunk, chunk.seek(sequence))
    }
    return taken
  }

  #pick(): FairGroup | undefined {
    if (this.#filled === 0) return undefined
    const isForAll = ++this.#picks % EACH_ROW_EVERY === 0
    const row = isForAll ? this.#nextInTurn() : lowestBit(this.#filled)
    const group = this.#rows[row]?.first
    if (group === undefined) return undefined
    // Its turn is over, whether it stays in this row or not.
    this.#leaveRow(group)
    this.#enterRow(group, row)
    return group
  }

  /** The next row that has a group, behind the one whose turn was the last. */
  #nextInTurn(): number {
    const above = this.#filled & ~((2 << this.#rowInTurn) - 1)
    this.#rowInTurn = lowestBit(above === 0 ? this.#filled : above)
    return this.#rowInTurn
  }

  #judge(group: FairGroup): void {
    const isWaiting = group.arrived.head !== 0 || group.returned.head !== 0
    const row = isWaiting ? rowOf(group) : -1
    if (group.row !== (row < 0 ? undefined : this.#rows[row])) {
      if (group.row !== undefined) this.#leaveRow(group)
      if (row >= 0) this.#enterRow(group, row)
    }
    if (!isWaiting && group.out === 0) this.#groups.delete(group.number)
  }

  #enterRow(group: FairGroup, row: number): void {
    this.#rows[row]?.append(group)
    this.#filled |= 1 << row
  }

  #leaveRow(group: FairGroup): void {
    const row = group.row
    row?.remove(group)
    if (row?.size === 0) this.#filled &= ~(1 << this.#rows.indexOf(row))
  }

  #groupOf(number: number): FairGroup {
    const present = this.#groups.get(number)
    if (present !== undefined) return present
    const made: FairGroup = {
      number,
      arrived: { head: 0, tail: 0 },
      returned: { head: 0, tail: 0 },
      isReturnedTurn: true,
      out: 0,
      row: undefined,
      previous: undefined,
      next: undefined,
    }
    this.#groups.set(number, made)
    return made
  }
}

function lineOf(group: FairGroup, chunk: Chunk, index: number): MessageLine {
  return chunk.receives(index) > 0 ? group.returned : group.arrived
}

/** By powers of two of what is in flight: 0, 1 to 2, 3 to 6, ... */
function rowOf(group: FairGroup): number {
  return group.number === 0 ? 0 : Math.min(31 - Math.clz32(group.out + 1), ROWS - 1)
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
