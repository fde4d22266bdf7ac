// The columns of a chunk: one typed array for each thing that is known of its messages, those that few need only where they are needed; and
// their stored form, column by column.
import { ChunkAt, ChunkFlag } from './format.ts'

export interface Columns {
  position: Float64Array
  sentAt: Float64Array
  length: Uint32Array
  route: Uint32Array
  receives: Uint16Array
  state: Uint8Array
  visibleAt: Float64Array | undefined
  firstReceivedAt: Float64Array | undefined
  /** Of a chunk in which something has a group: it, and the sequences of its neighbours in the group's line, 0 for none; not stored. */
  group: Float64Array | undefined
  before: Float64Array | undefined
  behind: Float64Array | undefined
  /** Sequences within the chunk; undefined while they are contiguous. */
  slots: Uint16Array | undefined
}

export interface StoredColumns {
  readonly columns: Columns
  readonly count: number
  readonly firstSlot: number
  readonly hotPosition: number
}

/** The first four bytes are left for a checksum. */
export function encodeColumns(
  columns: Columns,
  count: number,
  { firstSlot, hotPosition }: Omit<StoredColumns, 'columns' | 'count'>,
): Buffer {
  const { position, sentAt, visibleAt, firstReceivedAt, group, length: lengths, route, receives, slots, state } = columns
  const flags =
    (visibleAt ? ChunkFlag.visibleAt : 0) |
    (firstReceivedAt ? ChunkFlag.firstReceivedAt : 0) |
    (slots ? ChunkFlag.slots : 0) |
    (group ? ChunkFlag.groups : 0)
  const parts = [position, sentAt, visibleAt, firstReceivedAt, group, lengths, route, receives, slots, state]
  const columnBytes = parts.reduce((sum, part) => sum + (part ? part.BYTES_PER_ELEMENT * count : 0), 0)
  const bytes = Buffer.allocUnsafeSlow(ChunkAt.columns + columnBytes)
  bytes.fill(0, 0, ChunkAt.columns)
  bytes.writeUInt32LE(count, ChunkAt.count)
  bytes.writeUInt16LE(firstSlot, ChunkAt.firstSlot)
  bytes.writeUInt16LE(flags, ChunkAt.flags)
  bytes.writeDoubleLE(hotPosition, ChunkAt.hotPosition)
  let at: number = ChunkAt.columns
  for (const part of parts) {
    if (part === undefined) continue
    const length = part.BYTES_PER_ELEMENT * count
    if (count <= SMALL) writeColumn(bytes, at, part, count)
    else bytes.set(new Uint8Array(part.buffer, part.byteOffset, length), at)
    at += length
  }
  return bytes
}

/** Throws RangeError on bytes that `encodeColumns` did not make. */
export function decodeColumns(encoded: Buffer): StoredColumns {
  const count = encoded.readUInt32LE(ChunkAt.count)
  const flags = encoded.readUInt16LE(ChunkAt.flags)
  // A fresh buffer, because columns of eight bytes have to be aligned.
  const buffer = new ArrayBuffer(encoded.length)
  new Uint8Array(buffer).set(encoded)
  let at: number = ChunkAt.columns
  const next = (bytes: number): number => (at += bytes * count) - bytes * count
  const has = (flag: number): boolean => (flags & flag) !== 0
  const columns: Columns = {
    position: new Float64Array(buffer, next(8), count),
    sentAt: new Float64Array(buffer, next(8), count),
    visibleAt: has(ChunkFlag.visibleAt) ? new Float64Array(buffer, next(8), count) : undefined,
    firstReceivedAt: has(ChunkFlag.firstReceivedAt) ? new Float64Array(buffer, next(8), count) : undefined,
    group: has(ChunkFlag.groups) ? new Float64Array(buffer, next(8), count) : undefined,
    before: undefined,
    behind: undefined,
    length: new Uint32Array(buffer, next(4), count),
    route: new Uint32Array(buffer, next(4), count),
    receives: new Uint16Array(buffer, next(2), count),
    slots: has(ChunkFlag.slots) ? new Uint16Array(buffer, next(2), count) : undefined,
    state: new Uint8Array(buffer, next(1), count),
  }
  return { columns, count, firstSlot: encoded.readUInt16LE(ChunkAt.firstSlot), hotPosition: encoded.readDoubleLE(ChunkAt.hotPosition) }
}

/** A view costs more than to write so few values. */
const SMALL = 16

function writeColumn(bytes: Buffer, at: number, column: Float64Array | Uint32Array | Uint16Array | Uint8Array, count: number): void {
  const size = column.BYTES_PER_ELEMENT
  for (let index = 0, place = at; index < count; index++, place += size) {
    const value = column[index] ?? 0
    if (size === 8) bytes.writeDoubleLE(value, place)
    else if (size === 4) bytes.writeUInt32LE(value, place)
    else if (size === 2) bytes.writeUInt16LE(value, place)
    else bytes[place] = value
  }
}

export const COLUMN_NAMES = [
  'position',
  'sentAt',
  'length',
  'route',
  'receives',
  'state',
  'visibleAt',
  'firstReceivedAt',
  'group',
  'before',
  'behind',
  'slots',
] as const

/** Columns for `capacity` messages, with those of the optional ones that `like` has. */
export function allocate(capacity: number, like?: Columns): Columns {
  return {
    position: new Float64Array(capacity),
    sentAt: new Float64Array(capacity),
    length: new Uint32Array(capacity),
    route: new Uint32Array(capacity),
    receives: new Uint16Array(capacity),
    state: new Uint8Array(capacity),
    visibleAt: like?.visibleAt ? new Float64Array(capacity) : undefined,
    firstReceivedAt: like?.firstReceivedAt ? new Float64Array(capacity) : undefined,
    group: like?.group ? new Float64Array(capacity) : undefined,
    before: like?.before ? new Float64Array(capacity) : undefined,
    behind: like?.behind ? new Float64Array(capacity) : undefined,
    slots: like?.slots ? new Uint16Array(capacity) : undefined,
  }
}

/** Of a chunk that was just made: they are replaced before the first write. */
export const NO_COLUMNS: Columns = allocate(0)
