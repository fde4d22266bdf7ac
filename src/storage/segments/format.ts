// The bytes of a segment file, version 1, and nothing else: shared by the journal, its readers, and whoever verifies from outside.
// Little endian; every frame starts at a multiple of 8.
//
//   file   = segment header (64 bytes), frames without gaps, then zeros or what an older use of the file left
//   header = magic 8 | version u32 | salt u32 | number f64 | start f64 | chain u32 | zeros | crc32 u32 (of the 60 bytes before it)
//   frame  = length u32 | crc32 u32 | position f64 | groupStart f64 | chain u32 | kind u8 | flags u8 | entries u16 | payload | zeros to 8
//
// `length` is header and payload. The CRC covers the frame from `position` to the end of its padding and starts from salt XOR length:
// the salt, so that nobody who can choose a payload can put a valid frame inside it; the length, since several pad to the same span.
// `position` tells a frame from what a recycled file held before; `chain`, the CRC of the frame before, tells it from what a torn group
// left behind; `groupStart` says that everything before it was on stable storage when the frame was written, which tells damage from
// a torn last group.
//
// flags, bit 0: the payload is sealed: AES-256-GCM of the same length, then its seal = key number u32 | nonce 12 | tag 16, which `length`
// counts too. The frame's position is bound in. In memory such a frame stands open, with room where its seal is.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CIPHER, NONCE_BYTES, TAG_BYTES } from '../../base/aead.ts'
import type { Position } from '../journal.ts'
import { type StoreKeys, storeKeyOf } from '../store-keys.ts'

export const FORMAT_VERSION = 1
export const SEGMENT_HEADER_BYTES = 64
export const FRAME_HEADER_BYTES = 32

/** A seal carries nothing: it stands behind the last group so that damage to that group can be told from a torn tail. */
export const FrameKind = { entries: 1, seal: 2 } as const
export type FrameKindCode = (typeof FrameKind)[keyof typeof FrameKind]

/** Of a frame's flags. */
export const FRAME_SEALED = 1
/** Bytes behind a sealed payload. */
export const FRAME_SEAL_BYTES = 4 + NONCE_BYTES + TAG_BYTES

/** Offsets in a frame's header. */
export const FrameAt = { length: 0, crc: 4, position: 8, groupStart: 16, chain: 24, kind: 28, flags: 29, entries: 30 } as const

const MAGIC = 'SEALJRNL'
const HeaderAt = { magic: 0, version: 8, salt: 12, number: 16, start: 24, chain: 32, crc: 60 } as const
const NAME = /^(\d{12})\.journal$/

export interface SegmentHeader {
  /** Counts from 1 through the life of the journal; the file's name says it too, and a recycled file is one whose header disagrees. */
  readonly number: number
  /** The position of the first frame. */
  readonly start: Position
  /** The CRC of the last frame of the segment before. */
  readonly chain: number
  readonly salt: number
}

export function segmentFileName(number: number): string {
  return `${String(number).padStart(12, '0')}.journal`
}

export function segmentNumber(fileName: string): number | undefined {
  const digits = NAME.exec(fileName)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Where the frame of `position` starts in the file; its payload stands FRAME_HEADER_BYTES further on. */
export function frameOffset(segmentStart: Position, position: Position): number {
  return SEGMENT_HEADER_BYTES + position - segmentStart
}

/** Bytes from the start of a frame to the start of the next. */
export function frameSpan(length: number): number {
  return (length + 7) & ~7
}

export function encodeSegmentHeader(header: SegmentHeader, into: Buffer, at: number): void {
  into.fill(0, at, at + SEGMENT_HEADER_BYTES)
  into.write(MAGIC, at, 'latin1')
  into.writeUInt32LE(FORMAT_VERSION, at + HeaderAt.version)
  into.writeUInt32LE(header.salt, at + HeaderAt.salt)
  into.writeDoubleLE(header.number, at + HeaderAt.number)
  into.writeDoubleLE(header.start, at + HeaderAt.start)
  into.writeUInt32LE(header.chain, at + HeaderAt.chain)
  into.writeUInt32LE(crc32(into.subarray(at, at + HeaderAt.crc)), at + HeaderAt.crc)
}

export type DecodedSegmentHeader =
  | { readonly kind: 'valid'; readonly header: SegmentHeader }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'invalid' }

export function decodeSegmentHeader(bytes: Buffer): DecodedSegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return { kind: 'invalid' }
  const version = bytes.readUInt32LE(HeaderAt.version)
  if (version > FORMAT_VERSION) return { kind: 'newer', version }
  if (crc32(bytes.subarray(0, HeaderAt.crc)) !== bytes.readUInt32LE(HeaderAt.crc)) return { kind: 'invalid' }
  return {
    kind: 'valid',
    header: {
      number: bytes.readDoubleLE(HeaderAt.number),
      start: bytes.readDoubleLE(HeaderAt.start),
      chain: bytes.readUInt32LE(HeaderAt.chain),
      salt: bytes.readUInt32LE(HeaderAt.salt),
    },
  }
}

/** What stands in the header of a frame whose bytes were already found good. */
export interface FrameHeader {
  readonly length: number
  readonly crc: number
  readonly groupStart: Position
  readonly chain: number
  readonly kind: number
  readonly isSealed: boolean
  readonly entries: number
}

export function decodeFrameHeader(bytes: Buffer, at: number): FrameHeader {
  return {
    length: bytes.readUInt32LE(at + FrameAt.length),
    crc: bytes.readUInt32LE(at + FrameAt.crc),
    groupStart: bytes.readDoubleLE(at + FrameAt.groupStart),
    chain: bytes.readUInt32LE(at + FrameAt.chain),
    kind: bytes.readUInt8(at + FrameAt.kind),
    isSealed: (bytes.readUInt8(at + FrameAt.flags) & FRAME_SEALED) !== 0,
    entries: bytes.readUInt16LE(at + FrameAt.entries),
  }
}

export type FrameCheck = 'good' | 'bad' | 'short'

/** Whether a good frame of `position` starts at `at`. `short`: it goes beyond `end`, where the bytes at hand stop. */
export function checkFrame(bytes: Buffer, at: number, end: number, position: Position, salt: number): FrameCheck {
  if (at + FRAME_HEADER_BYTES > end) return 'short'
  if (bytes.readDoubleLE(at + FrameAt.position) !== position) return 'bad'
  const length = bytes.readUInt32LE(at + FrameAt.length)
  if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX) return 'bad'
  if (at + frameSpan(length) > end) return 'short'
  return frameCrc(bytes, at, length, salt) === bytes.readUInt32LE(at + FrameAt.crc) ? 'good' : 'bad'
}

/** No frame is larger, whatever the slab: what a damaged length may claim is bounded by it. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024

export function frameCrc(bytes: Buffer, at: number, length: number, salt: number): number {
  return crc32(bytes.subarray(at + FrameAt.position, at + frameSpan(length)), (salt ^ length) >>> 0)
}

/** Fills in the chain and CRCs of staged frames from `at` to `end`; returns the last frame's CRC, for the next. */
export function finishFrames(bytes: Buffer, at: number, end: number, chain: number, salt: number): number {
  while (at < end) {
    const length = bytes.readUInt32LE(at + FrameAt.length)
    bytes.writeUInt32LE(chain, at + FrameAt.chain)
    chain = frameCrc(bytes, at, length, salt)
    bytes.writeUInt32LE(chain, at + FrameAt.crc)
    at += frameSpan(length)
  }
  return chain
}

/** Seals the payload of a frame that stands open, in its place; its CRC is to be made after. */
export function sealFrame(bytes: Buffer, at: number, key: { readonly number: number; readonly key: Uint8Array }, nonce: Buffer): void {
  const sealAt = at + bytes.readUInt32LE(at + FrameAt.length) - FRAME_SEAL_BYTES
  const cipher = createCipheriv(CIPHER, key.key, nonce).setAAD(bytes.subarray(at + FrameAt.position, at + FrameAt.groupStart))
  cipher.update(bytes.subarray(at + FRAME_HEADER_BYTES, sealAt)).copy(bytes, at + FRAME_HEADER_BYTES)
  cipher.final()
  bytes.writeUInt32LE(key.number, sealAt)
  nonce.copy(bytes, sealAt + 4)
  cipher.getAuthTag().copy(bytes, sealAt + 4 + NONCE_BYTES)
}

/** The payload of a good frame as it stands in a file: a view, or where it is sealed a copy. Throws FrameUnopened. */
export function openFrame(bytes: Buffer, at: number, { length, isSealed }: FrameHeader, keys: StoreKeys): Buffer {
  if (!isSealed) return bytes.subarray(at + FRAME_HEADER_BYTES, at + length)
  const sealAt = at + length - FRAME_SEAL_BYTES
  const number = bytes.readUInt32LE(sealAt)
  const key = storeKeyOf(keys, number)
  if (key === undefined) throw new FrameUnopened(`it is sealed with key ${number} of the journal, which is not at hand`)
  const nonce = bytes.subarray(sealAt + 4, sealAt + 4 + NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce).setAAD(bytes.subarray(at + FrameAt.position, at + FrameAt.groupStart))
  decipher.setAuthTag(bytes.subarray(sealAt + 4 + NONCE_BYTES, sealAt + FRAME_SEAL_BYTES))
  const payload = decipher.update(bytes.subarray(at + FRAME_HEADER_BYTES, sealAt))
  try {
    decipher.final()
  } catch {
    throw new FrameUnopened(`its seal, of key ${number} of the journal, does not hold`)
  }
  return payload
}

/** A frame that is whole as it was written, and does not open. */
export class FrameUnopened extends Error {
  override name = 'FrameUnopened'
}
