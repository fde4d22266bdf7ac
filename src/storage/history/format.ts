// The bytes of the event history, format 1, and nothing else: shared by the history and by whoever verifies it. Events lie in groups, which
// never change once they are written; a group is named by the number of its first event. Big endian unless said.
//
//   head     [0]                               JSON of { format, checkpoint, next, salt }
//   group    [1] first u48                     JSON of { count, oldest, newest }
//   chunk    [2] first u48 | chunk u16         blocks u32 LE | end u32 LE each | the blocks
//   block    = zstd of: events u32 LE | (time f64 LE | end u32 LE) each | their records
//   terms    [3] first u48                     the hashes under which the group's events are found, 8 bytes each
//   postings [4] hash 8 bytes | first u48      ordinals of the group's events, ascending, as differences in base 128
//   value    = crc32 u32 LE over key and payload | payload
//   hash     = the first 8 bytes of SHA-256 over salt, scope, a line feed and the term (empty: all of the scope)
import { hash as digest } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const HISTORY_FORMAT = 1
/** A group with so many events is full. What comes in one batch stays together: 16,383 at most, for their ordinals. */
export const GROUP_EVENTS = 1024
export const BLOCK_EVENTS = 16
/** Many blocks to a value: lmdb keeps what is larger than half a page in whole pages. */
export const CHUNK_BLOCKS = 16
export const CHUNK_EVENTS = CHUNK_BLOCKS * BLOCK_EVENTS
export const HASH_BYTES = 8
export const SALT_BYTES = 16
/** No block unfolds to more: 16 records of CloudTrail's largest size, and the table in front of them. */
export const BLOCK_BYTES_MAX = BLOCK_EVENTS * (1024 * 1024 + 12) + 4
const CHECKSUM_BYTES = 4
const FIRST_BYTES = 6
const HEADER_BYTES = 12

export const Part = { head: 0, group: 1, chunk: 2, terms: 3, postings: 4 } as const

export interface Head {
  readonly format: number
  readonly checkpoint: number
  /** The number of the next event. */
  readonly next: number
  /** Hex. */
  readonly salt: string
}

export interface GroupHead {
  readonly count: number
  /** Times of its events, in ms since 1970. */
  readonly oldest: number
  readonly newest: number
}

export const HEAD_KEY = Buffer.from([Part.head])

export function groupKey(part: typeof Part.group | typeof Part.terms, first: number): Buffer {
  const key = Buffer.allocUnsafe(1 + FIRST_BYTES)
  key[0] = part
  key.writeUIntBE(first, 1, FIRST_BYTES)
  return key
}

export function chunkKey(first: number, chunk: number): Buffer {
  const key = Buffer.allocUnsafe(1 + FIRST_BYTES + 2)
  key[0] = Part.chunk
  key.writeUIntBE(first, 1, FIRST_BYTES)
  key.writeUInt16BE(chunk, 1 + FIRST_BYTES)
  return key
}

export function postingsKey(hash: Buffer, first: number): Buffer {
  const key = Buffer.allocUnsafe(1 + HASH_BYTES + FIRST_BYTES)
  key[0] = Part.postings
  hash.copy(key, 1, 0, HASH_BYTES)
  key.writeUIntBE(first, 1 + HASH_BYTES, FIRST_BYTES)
  return key
}

/** The group that a key of any part but the head belongs to. */
export function firstOf(key: Buffer): number {
  return key.readUIntBE(key[0] === Part.postings ? 1 + HASH_BYTES : 1, FIRST_BYTES)
}

export function hashOf(salt: Buffer, text: string): Buffer {
  return digest('sha256', Buffer.concat([salt, Buffer.from(text)]), 'buffer').subarray(0, HASH_BYTES)
}

export function encodeValue(key: Buffer, payload: Buffer): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + payload.length)
  payload.copy(value, CHECKSUM_BYTES)
  value.writeUInt32LE(crc32(payload, crc32(key)))
  return value
}

/** The payload, or undefined when its checksum does not hold. A view. */
export function decodeValue(key: Buffer, value: Buffer): Buffer | undefined {
  const payload = value.subarray(CHECKSUM_BYTES)
  return value.length >= CHECKSUM_BYTES && value.readUInt32LE() === crc32(payload, crc32(key)) ? payload : undefined
}

/** Ordinals MUST ascend. */
export function encodePostings(ordinals: readonly number[]): Buffer {
  const bytes: number[] = []
  let before = -1
  for (const ordinal of ordinals) {
    const step = ordinal - before - 1
    if (step >= 0x80) bytes.push((step & 0x7f) | 0x80, step >> 7)
    else bytes.push(step)
    before = ordinal
  }
  return Buffer.from(bytes)
}

export function decodePostings(bytes: Buffer): number[] {
  const ordinals: number[] = []
  let before = -1
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    before += 1 + (byte < 0x80 ? byte : (byte & 0x7f) | ((bytes[++at] ?? 0) << 7))
    ordinals.push(before)
  }
  return ordinals
}

export function encodeChunk(blocks: readonly Buffer[]): Buffer {
  const head = Buffer.allocUnsafe(4 + blocks.length * 4)
  head.writeUInt32LE(blocks.length)
  let end = head.length
  for (const [at, block] of blocks.entries()) head.writeUInt32LE((end += block.length), 4 + at * 4)
  return Buffer.concat([head, ...blocks])
}

/** One block, a view. Throws RangeError on what is no chunk. */
export function readChunkBlock(bytes: Buffer, at: number): Buffer {
  const count = bytes.readUInt32LE()
  const start = at === 0 ? 4 + count * 4 : bytes.readUInt32LE(at * 4)
  const end = bytes.readUInt32LE(4 + at * 4)
  if (at >= count || end > bytes.length || start > end) throw new RangeError(`a chunk without block ${at}`)
  return bytes.subarray(start, end)
}

export interface BlockEvent {
  readonly time: number
  readonly json: Buffer
}

export function encodeBlock(events: readonly BlockEvent[]): Buffer {
  const head = Buffer.allocUnsafe(4 + events.length * HEADER_BYTES)
  head.writeUInt32LE(events.length)
  let end = head.length
  for (const [at, { time, json }] of events.entries()) {
    end += json.length
    head.writeDoubleLE(time, 4 + at * HEADER_BYTES)
    head.writeUInt32LE(end, 12 + at * HEADER_BYTES)
  }
  return Buffer.concat([head, ...events.map(({ json }) => json)])
}

/** One event of a block, a view; undefined where there is none. Throws RangeError on what is no block. */
export function readBlockEvent(bytes: Buffer, at: number): BlockEvent | undefined {
  const count = bytes.readUInt32LE()
  if (at >= count) return undefined
  const start = at === 0 ? 4 + count * HEADER_BYTES : bytes.readUInt32LE(at * HEADER_BYTES)
  const end = bytes.readUInt32LE(12 + at * HEADER_BYTES)
  if (end > bytes.length || start > end) throw new RangeError('a block ends within its events')
  return { time: bytes.readDoubleLE(4 + at * HEADER_BYTES), json: bytes.subarray(start, end) }
}
