// The bytes of the queue index and of copied bodies, format 2, and nothing else: shared by the queues and by whoever verifies them.
// Format 1 had no groups and no memories. Little endian unless said; a checksum is the CRC-32 of the key and of what follows it in the
// value.
//
//   index    [0]                                              checksum u32 | format u32 | generation f64 | position f64
//            queue u32 BE | part u32 BE | generation u48 BE   checksum u32 | the part; only the checksum: the part is gone
//   bodies   [0]                                              checksum u32 | format u32 | released f64 | begun f64
//            queue u32 BE | sequence f64 BE                   checksum u32 | the message entry's bytes
//   part     of number TAIL_PART: tail f64; from MEMORY_PART on: a memory block; else a chunk:
//   chunk    count u32 | first slot u16 | flags u16 | zero u32 | hot position f64, then the columns (offsets count the checksum in)
//   block    count u32 | slice f64 | first order f64, then memories: order u32, from the first one on | value length u16 | until i32, in ms
//            from the slice on | key 16 bytes | value. Of two memories under one key that of the higher order is the newer
import { crc32 } from 'node:zlib'

export const QUEUES_FORMAT = 2
export const CHECKSUM_BYTES = 4
/** The one value of either environment that belongs to no queue. */
export const HEAD_KEY = Buffer.from([0])
export const PART_KEY_BYTES = 14
export const BODY_KEY_BYTES = 12
/** The part of a checkpoint that holds a queue's tail; chunks have lower numbers. */
export const TAIL_PART = 0xffff_ffff
/** Parts from here to TAIL_PART are memory blocks. */
export const MEMORY_PART = 0x8000_0000
export const MEMORY_PARTS = TAIL_PART - MEMORY_PART

/** A chunk holds sequences from number * CHUNK_SEQUENCES on. */
export const CHUNK_SEQUENCES = 8192
/** `reserved`: taken, and not yet hidden by what the taker commits; a checkpoint stores it as visible. */
export const MessageState = { gone: 0, visible: 1, delayed: 2, inFlight: 3, reserved: 4 } as const
export type MessageStateCode = (typeof MessageState)[keyof typeof MessageState]

export const ChunkAt = { count: 4, firstSlot: 8, flags: 10, hotPosition: 16, columns: 24 } as const
/** Columns that are there only with their flag. */
export const ChunkFlag = { visibleAt: 1, firstReceivedAt: 2, slots: 4, groups: 8 } as const
/** In their order: bytes of a value, and the flag that the column hangs on. */
const COLUMNS = {
  position: [8, 0],
  sentAt: [8, 0],
  visibleAt: [8, ChunkFlag.visibleAt],
  firstReceivedAt: [8, ChunkFlag.firstReceivedAt],
  group: [8, ChunkFlag.groups],
  length: [4, 0],
  route: [4, 0],
  receives: [2, 0],
  slots: [2, ChunkFlag.slots],
  state: [1, 0],
} as const
type ColumnName = keyof typeof COLUMNS
const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[]

/** One message that waits or is in flight, as a chunk holds it. */
export interface StoredMessage {
  readonly sequence: number
  readonly position: number
  readonly length: number
  readonly sentAt: number
  readonly route: number
  readonly receives: number
  /** 0 when it was never hidden. */
  readonly visibleAt: number
  /** 0 when it was never received. */
  readonly firstReceivedAt: number
  /** 0 when it is of none. */
  readonly group: number
  readonly state: MessageStateCode
}

export function partKey(queue: number, part: number, generation: number): Buffer {
  const key = Buffer.alloc(PART_KEY_BYTES)
  key.writeUInt32BE(queue, 0)
  key.writeUInt32BE(part, 4)
  key.writeUIntBE(generation, 8, 6)
  return key
}

export function readPartKey(key: Buffer): { readonly queue: number; readonly part: number; readonly generation: number } {
  return { queue: key.readUInt32BE(0), part: key.readUInt32BE(4), generation: key.readUIntBE(8, 6) }
}

export function bodyKey(queue: number, sequence: number): Buffer {
  const key = Buffer.alloc(BODY_KEY_BYTES)
  key.writeUInt32BE(queue, 0)
  // Doubles above zero are ordered as their bytes are, infinity last.
  key.writeDoubleBE(sequence, 4)
  return key
}

export function readBodyKey(key: Buffer): { readonly queue: number; readonly sequence: number } {
  return { queue: key.readUInt32BE(0), sequence: key.readDoubleBE(4) }
}

/** Fills in the checksum of a value, whose first four bytes are left for it. */
export function seal(key: Buffer, value: Buffer): Buffer {
  value.writeUInt32LE(crc32(value.subarray(CHECKSUM_BYTES), crc32(key)), 0)
  return value
}

export function isSound(key: Buffer, value: Buffer): boolean {
  return value.length >= CHECKSUM_BYTES && value.readUInt32LE(0) === crc32(value.subarray(CHECKSUM_BYTES), crc32(key))
}

/** Both heads have the same form: two positions, or a generation and a position. */
export function encodeHead(first: number, second: number): Buffer {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(QUEUES_FORMAT, 4)
  head.writeDoubleLE(first, 8)
  head.writeDoubleLE(second, 16)
  return head
}

export function readHead(head: Buffer): { readonly format: number; readonly first: number; readonly second: number } {
  return { format: head.readUInt32LE(4), first: head.readDoubleLE(8), second: head.readDoubleLE(16) }
}

export function encodeTail(tail: number): Buffer {
  const encoded = Buffer.alloc(12)
  encoded.writeDoubleLE(tail, 4)
  return encoded
}

export function decodeTail(encoded: Buffer): number {
  return encoded.readDoubleLE(4)
}

/** The messages of a chunk that are not gone, in order. Throws RangeError on bytes that are none. */
export function readChunk(part: number, encoded: Buffer): StoredMessage[] {
  const count = encoded.readUInt32LE(ChunkAt.count)
  const firstSlot = encoded.readUInt16LE(ChunkAt.firstSlot)
  const { starts, end } = layout(count, encoded.readUInt16LE(ChunkAt.flags))
  if (encoded.length !== end) throw new RangeError(`a chunk of ${count} messages has ${end} bytes, not ${encoded.length}`)
  const value = (name: ColumnName, index: number): number => readValue(encoded, starts[name], COLUMNS[name][0], index)
  const messages: StoredMessage[] = []
  for (let index = 0; index < count; index++) {
    const state = value('state', index) as MessageStateCode
    if (state === MessageState.gone) continue
    const slot = starts.slots === undefined ? firstSlot + index : value('slots', index)
    messages.push({
      sequence: part * CHUNK_SEQUENCES + slot,
      position: value('position', index),
      length: value('length', index),
      sentAt: value('sentAt', index),
      route: value('route', index),
      receives: value('receives', index),
      visibleAt: value('visibleAt', index),
      firstReceivedAt: value('firstReceivedAt', index),
      group: value('group', index),
      state,
    })
  }
  return messages
}

/** A chunk of these messages, with every column. The first four bytes are left for its checksum. */
export function encodeChunk(part: number, messages: readonly StoredMessage[]): Buffer {
  const flags = ChunkFlag.visibleAt | ChunkFlag.firstReceivedAt | ChunkFlag.slots | ChunkFlag.groups
  const { starts, end } = layout(messages.length, flags)
  const encoded = Buffer.alloc(end)
  encoded.writeUInt32LE(messages.length, ChunkAt.count)
  encoded.writeUInt16LE(flags, ChunkAt.flags)
  encoded.writeDoubleLE(Math.min(Infinity, ...messages.map(({ position }) => position)), ChunkAt.hotPosition)
  for (const [index, message] of messages.entries()) {
    const values = { ...message, slots: message.sequence - part * CHUNK_SEQUENCES }
    for (const name of COLUMN_NAMES) writeValue(encoded, starts[name] ?? 0, COLUMNS[name][0], index, values[name])
  }
  return encoded
}

/** Where the fields of a block and of each memory in it stand; `untilMs` counts from the start of the block's slice on. */
export const BlockAt = { count: 4, slice: 8, firstOrder: 16, memories: 24 } as const
export const MemoryAt = { order: 0, valueLength: 4, untilMs: 6, key: 10, value: 26 } as const
/** Memories whose time ends within the same span go together. */
export const SLICE_MS = 60_000

/** Where the memories of a block stand, in the order they were told. Throws RangeError on bytes that are none. */
export function memoryPlaces(encoded: Buffer): number[] {
  const places: number[] = []
  let at: number = BlockAt.memories
  for (let count = encoded.readUInt32LE(BlockAt.count); count > 0; count--) {
    const end = at + MemoryAt.value + encoded.readUInt16LE(at + MemoryAt.valueLength)
    if (end > encoded.length) throw new RangeError(`a memory ends at ${end}, its block at ${encoded.length}`)
    places.push(at)
    at = end
  }
  if (at !== encoded.length) throw new RangeError(`a block of memories ends at ${at}, not at ${encoded.length}`)
  return places
}

function layout(count: number, flags: number): { readonly starts: Readonly<Partial<Record<ColumnName, number>>>; readonly end: number } {
  const starts: Partial<Record<ColumnName, number>> = {}
  let at: number = ChunkAt.columns
  for (const name of COLUMN_NAMES) {
    const [bytes, flag] = COLUMNS[name]
    if (flag !== 0 && (flags & flag) === 0) continue
    starts[name] = at
    at += bytes * count
  }
  return { starts, end: at }
}

function readValue(encoded: Buffer, start: number | undefined, bytes: 1 | 2 | 4 | 8, index: number): number {
  if (start === undefined) return 0
  const at = start + index * bytes
  return bytes === 8 ? encoded.readDoubleLE(at) : encoded.readUIntLE(at, bytes)
}

function writeValue(encoded: Buffer, start: number, bytes: 1 | 2 | 4 | 8, index: number, value: number): void {
  const at = start + index * bytes
  if (bytes === 8) encoded.writeDoubleLE(value, at)
  else encoded.writeUIntLE(value, at, bytes)
}
