// The bytes of the records in their lmdb environment, format 1, and nothing else: shared by the records and by whoever verifies them.
//
//   key    = table u8 | key UTF-8;   [255] holds the state: JSON of { format, checkpoint, counts }
//   value  = crc32 u32 LE over key and payload | payload
import { crc32 } from 'node:zlib'
import type { Position } from '../journal.ts'

export const RECORDS_FORMAT = 1
export const STATE_KEY = Buffer.from([255])
export const CHECKSUM_BYTES = 4

export interface State {
  readonly format: number
  /** All changes up to here are in. */
  readonly checkpoint: Position
  /** Keys by table number. */
  readonly counts: Readonly<Record<string, number>>
}

export function keyOf(table: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(key))
  bytes[0] = table
  bytes.write(key, 1, 'utf8')
  return bytes
}

export function readRecordKey(bytes: Buffer): { readonly table: number; readonly key: string } {
  return { table: bytes[0] ?? 0, key: bytes.toString('utf8', 1) }
}

export function encode(key: Buffer, value: Buffer): Buffer {
  const stored = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length)
  value.copy(stored, CHECKSUM_BYTES)
  stored.writeUInt32LE(crc32(value, crc32(key)))
  return stored
}

/** The payload, or undefined when its checksum does not hold. A view. */
export function decode(key: Buffer, stored: Buffer): Buffer | undefined {
  const value = stored.subarray(CHECKSUM_BYTES)
  return stored.length >= CHECKSUM_BYTES && stored.readUInt32LE() === crc32(value, crc32(key)) ? value : undefined
}
