// The messages of one queue with neighbouring sequences, as columns of numbers: 27 bytes a message that waits, 43 once one of the chunk was
// received, 24 more in a chunk with groups. Starts small and grows; drops the dead when it is full of them. Looks up in O(1) while
// sequences are contiguous, else by binary search. Knows nothing of other chunks, of time, or of the disk.
import type { Waiting } from '../queues.ts'
import { allocate, COLUMN_NAMES, type Columns, decodeColumns, encodeColumns, NO_COLUMNS } from './columns.ts'
import { CHUNK_SEQUENCES, MessageState, type MessageStateCode } from './format.ts'

export { CHUNK_SEQUENCES, MessageState, type MessageStateCode } from './format.ts'

/** The number of the chunk that holds a sequence. */
export function chunkNumber(sequence: number): number {
  return Math.floor(sequence / CHUNK_SEQUENCES)
}

/** Taken, and not yet back or removed. */
export function isOut(state: MessageStateCode): boolean {
  return state === MessageState.inFlight || state === MessageState.reserved
}

/** Until a time. */
export function isHidden(state: MessageStateCode): boolean {
  return state === MessageState.delayed || state === MessageState.inFlight
}

/** A message by its place; it holds until the chunk's next append or remove. */
export interface Found {
  readonly chunk: Chunk
  readonly index: number
}

const CAPACITY_MIN = 8
export type StateCounts = [gone: number, visible: number, delayed: number, inFlight: number, reserved: number]

export interface NewMessage {
  readonly position: number
  readonly length: number
  readonly sentAt: number
  readonly route: number
  readonly group: number
}

export class Chunk {
  readonly queue: number
  readonly number: number
  readonly counts: StateCounts = [0, 0, 0, 0, 0]
  /** No body that may still be read from the journal stands before it. */
  hotPosition = Infinity
  /** No message of it was sent later. */
  latestSentAt = 0
  /** The checkpoint that holds it, 0 when none does. */
  generation = 0
  /** A checkpoint that is being written needs it as it is now. */
  isAwaited = false
  /** As the checkpoint needs it, once it was changed since; `gone`: nothing lived in it. */
  snapshot: Buffer | 'gone' | undefined
  #columns: Columns = NO_COLUMNS
  #capacity = 0
  #count = 0
  #firstSlot = 0

  constructor(queue: number, number: number) {
    this.queue = queue
    this.number = number
  }

  /** Slots in use, those of the dead included: indexes are below it. An index holds until the next append or remove. */
  get count(): number {
    return this.#count
  }

  get live(): number {
    return this.#count - this.counts[MessageState.gone]
  }

  get bytes(): number {
    const { visibleAt, firstReceivedAt, group, behind, slots } = this.#columns
    const optional = (visibleAt ? 8 : 0) + (firstReceivedAt ? 8 : 0) + (group ? 8 : 0) + (behind ? 16 : 0) + (slots ? 2 : 0)
    return this.#capacity * (27 + optional)
  }

  get isSmall(): boolean {
    return this.#capacity <= 8 * CAPACITY_MIN
  }

  /** The index of a live message, or -1. */
  find(sequence: number): number {
    const index = this.seek(sequence)
    return index < this.#count && this.sequence(index) === sequence && this.state(index) !== MessageState.gone ? index : -1
  }

  /** The first index whose sequence is `sequence` or higher. */
  seek(sequence: number): number {
    const slot = sequence - this.number * CHUNK_SEQUENCES
    const { slots } = this.#columns
    if (slots === undefined) return Math.min(Math.max(slot - this.#firstSlot, 0), this.#count)
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((slots[middle] ?? 0) >= slot) high = middle
      else low = middle + 1
    }
    return low
  }

  sequence(index: number): number {
    const { slots } = this.#columns
    return this.number * CHUNK_SEQUENCES + (slots === undefined ? this.#firstSlot + index : (slots[index] ?? 0))
  }

  state(index: number): MessageStateCode {
    return (this.#columns.state[index] ?? MessageState.gone) as MessageStateCode
  }

  position(index: number): number {
    return this.#columns.position[index] ?? 0
  }

  length(index: number): number {
    return this.#columns.length[index] ?? 0
  }

  sentAt(index: number): number {
    return this.#columns.sentAt[index] ?? 0
  }

  route(index: number): number {
    return this.#columns.route[index] ?? 0
  }

  receives(index: number): number {
    return this.#columns.receives[index] ?? 0
  }

  /** 0 when it was never received. */
  firstReceivedAt(index: number): number {
    return this.#columns.firstReceivedAt?.[index] ?? 0
  }

  /** 0 when it was never hidden. */
  visibleAt(index: number): number {
    return this.#columns.visibleAt?.[index] ?? 0
  }

  /** 0 when it is of none. */
  group(index: number): number {
    return this.#columns.group?.[index] ?? 0
  }

  get hasGroups(): boolean {
    return this.#columns.group !== undefined
  }

  /** The sequences of a message's neighbours in its group's line, 0 for none. */
  before(index: number): number {
    return this.#columns.before?.[index] ?? 0
  }

  behind(index: number): number {
    return this.#columns.behind?.[index] ?? 0
  }

  setBefore(index: number, sequence: number): void {
    const before = (this.#columns.before ??= new Float64Array(this.#capacity))
    before[index] = sequence
  }

  setBehind(index: number, sequence: number): void {
    const behind = (this.#columns.behind ??= new Float64Array(this.#capacity))
    behind[index] = sequence
  }

  describe(index: number): Waiting {
    return {
      sequence: this.sequence(index),
      sentAt: this.sentAt(index),
      route: this.route(index),
      receives: this.receives(index),
      firstReceivedAt: this.firstReceivedAt(index),
    }
  }

  setState(index: number, state: MessageStateCode): void {
    this.counts[this.state(index)]--
    this.counts[state]++
    this.#columns.state[index] = state
  }

  setHidden(index: number, visibleAt: number, receives: number, firstReceivedAt: number): void {
    const columns = this.#columns
    if (visibleAt !== 0) columns.visibleAt ??= new Float64Array(this.#capacity)
    if (firstReceivedAt !== 0) columns.firstReceivedAt ??= new Float64Array(this.#capacity)
    if (columns.visibleAt !== undefined) columns.visibleAt[index] = visibleAt
    if (columns.firstReceivedAt !== undefined) columns.firstReceivedAt[index] = firstReceivedAt
    columns.receives[index] = Math.min(receives, 0xffff)
  }

  /** Adds a visible message; its sequence MUST be above all others. Returns its index. */
  append(sequence: number, message: NewMessage): number {
    if (this.#count === this.#capacity) this.#makeRoom()
    const slot = sequence - this.number * CHUNK_SEQUENCES
    const index = this.#count
    if (index === 0 && this.#columns.slots === undefined) this.#firstSlot = slot
    if (message.group !== 0) this.#columns.group ??= new Float64Array(this.#capacity)
    if (this.#columns.slots === undefined && slot !== this.#firstSlot + index) this.#columns.slots = this.#listSlots()
    const columns = this.#columns
    columns.position[index] = message.position
    columns.length[index] = message.length
    columns.sentAt[index] = message.sentAt
    columns.route[index] = message.route
    columns.receives[index] = 0
    columns.state[index] = MessageState.visible
    if (columns.visibleAt !== undefined) columns.visibleAt[index] = 0
    if (columns.firstReceivedAt !== undefined) columns.firstReceivedAt[index] = 0
    if (columns.group !== undefined) columns.group[index] = message.group
    if (columns.before !== undefined) columns.before[index] = 0
    if (columns.behind !== undefined) columns.behind[index] = 0
    if (columns.slots !== undefined) columns.slots[index] = slot
    this.#count++
    this.counts[MessageState.visible]++
    this.hotPosition = Math.min(this.hotPosition, message.position)
    this.latestSentAt = Math.max(this.latestSentAt, message.sentAt)
    return index
  }

  /** Marks a message as gone. `isOpen`: more will be appended. */
  remove(index: number, isOpen: boolean): void {
    this.setState(index, MessageState.gone)
    this.#shrink(isOpen)
  }

  /** Marks all messages below `sequence` as gone. */
  removeBefore(sequence: number, isOpen: boolean): void {
    const end = this.seek(sequence)
    for (let index = 0; index < end; index++) this.setState(index, MessageState.gone)
    this.#shrink(isOpen)
  }

  /** Keeps what is below `sequence`; the rest goes to a chunk of the same number, which is returned. */
  split(sequence: number): Chunk {
    const from = this.seek(sequence)
    const rest = new Chunk(this.queue, this.number)
    rest.hotPosition = this.hotPosition
    rest.latestSentAt = this.latestSentAt
    rest.generation = this.generation
    rest.#count = this.#count - from
    rest.#capacity = Math.max(rest.#count, CAPACITY_MIN)
    rest.#firstSlot = this.#firstSlot + from
    rest.#columns = allocate(rest.#capacity, this.#columns)
    for (const name of COLUMN_NAMES) rest.#columns[name]?.set(this.#columns[name]?.subarray(from, this.#count) ?? [])
    for (let index = 0; index < rest.#count; index++) {
      const state = rest.state(index)
      rest.counts[state]++
      this.counts[state]--
    }
    this.#count = from
    return rest
  }

  #shrink(isOpen: boolean): void {
    if (this.live === 0) this.#clear()
    else if (this.live * 16 <= this.#count && this.#count > 4 * CAPACITY_MIN) this.#compact(isOpen ? this.live * 2 : this.live)
  }

  /** The lowest position at or behind `from` of a live message, or Infinity. */
  lowestPosition(from: number): number {
    let lowest = Infinity
    for (let index = 0; index < this.#count; index++) {
      const position = this.position(index)
      if (position >= from && position < lowest && this.state(index) !== MessageState.gone) lowest = position
    }
    return lowest
  }

  /** What a checkpoint stores; the first four bytes are left for its checksum. */
  encode(): Buffer {
    const bytes = encodeColumns(this.#columns, this.#count, { firstSlot: this.#firstSlot, hotPosition: this.hotPosition })
    if (this.counts[MessageState.reserved] > 0) {
      // States are the last column.
      for (let at = bytes.length - this.#count; at < bytes.length; at++)
        if (bytes[at] === MessageState.reserved) bytes[at] = MessageState.visible
    }
    return bytes
  }

  /** Throws RangeError on bytes that `encode` did not make. */
  static decode(queue: number, number: number, encoded: Buffer): Chunk {
    const chunk = new Chunk(queue, number)
    const { columns, count, firstSlot, hotPosition } = decodeColumns(encoded)
    chunk.hotPosition = hotPosition
    chunk.#columns = columns
    chunk.#firstSlot = firstSlot
    chunk.#count = chunk.#capacity = count
    for (let index = 0; index < count; index++) {
      chunk.counts[chunk.state(index)]++
      chunk.latestSentAt = Math.max(chunk.latestSentAt, chunk.sentAt(index))
    }
    return chunk
  }

  #clear(): void {
    this.#count = 0
    this.counts[MessageState.gone] = 0
    this.#columns.slots = undefined
    this.hotPosition = Infinity
    this.latestSentAt = 0
  }

  #makeRoom(): void {
    if (this.#count > 0 && this.counts[MessageState.gone] * 2 >= this.#count) this.#compact(this.live * 2)
    else this.#resize(Math.min(Math.max(this.#capacity * 2, CAPACITY_MIN), CHUNK_SEQUENCES))
  }

  #resize(capacity: number): void {
    const from = this.#columns
    const to = allocate(capacity, from)
    for (const name of COLUMN_NAMES) to[name]?.set(from[name]?.subarray(0, this.#count) ?? [])
    this.#columns = to
    this.#capacity = capacity
  }

  #compact(capacity: number): void {
    const from = this.#columns
    from.slots ??= this.#listSlots()
    const room = Math.min(Math.max(capacity, this.live, CAPACITY_MIN), CHUNK_SEQUENCES)
    const to = allocate(room, from)
    let at = 0
    for (let index = 0; index < this.#count; index++) {
      if (from.state[index] === MessageState.gone) continue
      for (const name of COLUMN_NAMES) {
        const column = to[name]
        if (column !== undefined) column[at] = from[name]?.[index] ?? 0
      }
      at++
    }
    this.#columns = to
    this.#capacity = room
    this.#count = at
    this.counts[MessageState.gone] = 0
    const first = to.slots?.[0] ?? 0
    if (at > 0 && (to.slots?.[at - 1] ?? 0) - first !== at - 1) return
    to.slots = undefined
    this.#firstSlot = first
  }

  #listSlots(): Uint16Array {
    const slots = new Uint16Array(this.#capacity)
    for (let index = 0; index < this.#count; index++) slots[index] = this.#firstSlot + index
    return slots
  }
}
