// A moving window over a segment file, for walking its frames without holding it all in memory.
import type { File } from '../files.ts'
import type { Position } from '../journal.ts'
import { checkFrame, decodeFrameHeader, type FrameHeader, frameOffset, frameSpan } from './format.ts'
import { FRAME_HEADER_BYTES, FrameAt, FrameKind } from './format.ts'

const WINDOW_BYTES = 1024 * 1024
const CHAIN_BYTES = 64 * 1024

export class Window {
  readonly file: File
  readonly fileBytes: number
  bytes: Buffer
  /** Where in `bytes` what was read ends. */
  end = 0
  #from = 0

  constructor(file: File) {
    this.file = file
    this.fileBytes = file.size()
    this.bytes = Buffer.allocUnsafeSlow((Math.min(WINDOW_BYTES, this.fileBytes) + 7) & ~7)
  }

  /** Where in `bytes` the `length` bytes at `offset` (a multiple of 8) stand, until the next call; or -1 when the file ends before. */
  at(offset: number, length: number): number {
    if (offset >= this.#from && offset + length <= this.#from + this.end) return offset - this.#from
    if (offset + length > this.fileBytes) return -1
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow((length + 7) & ~7)
    this.#from = offset
    this.end = this.file.read(this.bytes, 0, this.bytes.length, offset)
    return length <= this.end ? 0 : -1
  }
}

export interface Walk {
  /** Behind the last good frame. */
  readonly end: Position
  /** Behind the last good frame that is not a seal; the walk's beginning when there is none. */
  readonly entriesEnd: Position
  /** CRC of the last good frame, or the chain given. */
  readonly chain: number
  readonly endsSealed: boolean
  /** A frame of this very place stands at `end`, though a bad one. */
  readonly torn: boolean
}

/** Walks good frames from `from` on, each chained to the one before, until one is not. `chain`: the CRC of the frame before `from`. */
export function walkFrames(window: Window, segmentStart: Position, salt: number, from: Position, chain: number): Walk {
  let position = from
  let entriesEnd = from
  let endsSealed = false
  for (;;) {
    const offset = frameOffset(segmentStart, position)
    const header = goodFrame(window, offset, position, salt)
    if (header === undefined || header.chain !== chain) break
    chain = header.crc
    position += frameSpan(header.length)
    endsSealed = header.kind === FrameKind.seal
    if (!endsSealed) entriesEnd = position
  }
  const offset = frameOffset(segmentStart, position)
  const at = window.at(offset, FRAME_HEADER_BYTES)
  const torn = at >= 0 && window.bytes.readDoubleLE(at + FrameAt.position) === position && window.bytes.readUInt32LE(at) > 0
  return { end: position, entriesEnd, chain, endsSealed, torn }
}

/** The CRC of the frame that ends at `position`, up to which frames stand without a gap; undefined when there is none. */
export function findChain(window: Window, segmentStart: Position, salt: number, position: Position): number | undefined {
  for (let bytes = CHAIN_BYTES; ; bytes *= 4) {
    const from = Math.max(segmentStart, position - bytes)
    const start = window.at(frameOffset(segmentStart, from), position - from)
    if (start < 0) return undefined
    for (let at = start + position - from - FRAME_HEADER_BYTES; at >= start; at -= 8) {
      const place = from + at - start
      if (checkFrame(window.bytes, at, start + position - from, place, salt) !== 'good') continue
      const { length, crc } = decodeFrameHeader(window.bytes, at)
      return place + frameSpan(length) === position ? crc : undefined
    }
    if (from === segmentStart) return undefined
  }
}

/**
 * A good frame behind `bad` that was written when everything up to a place behind `bad` was already on stable storage: the proof that what
 * is bad was acknowledged. Frames that a torn group left behind prove nothing: their group starts at or before `bad`. Looks through
 * `bytesMax` bytes.
 */
export function findProof(window: Window, start: Position, salt: number, bad: Position, bytesMax: number): Position | undefined {
  const first = frameOffset(start, bad) + 8
  const end = Math.min(window.fileBytes, first + bytesMax)
  // A frame's position stands 8 bytes behind its start, and says where it stands: one comparison a place.
  for (let offset = first + 8; offset + 8 <= end;) {
    const length = Math.max(8, Math.min(window.bytes.length, end - offset) & ~7)
    const at = window.at(offset, length)
    if (at < 0) return undefined
    const base = start + offset - 8 - frameOffset(0, 0)
    const places = new Float64Array(window.bytes.buffer, window.bytes.byteOffset + at, length / 8)
    const found: Position[] = []
    for (let index = 0; index < places.length; index++) if (places[index] === base + index * 8) found.push(base + index * 8)
    for (const position of found) {
      const header = goodFrame(window, frameOffset(start, position), position, salt)
      if (header !== undefined && header.groupStart > bad && header.groupStart <= position) return position
    }
    offset += length
  }
  return undefined
}

function goodFrame(window: Window, offset: number, position: Position, salt: number): FrameHeader | undefined {
  let at = window.at(offset, FRAME_HEADER_BYTES)
  if (at < 0) return undefined
  let check = checkFrame(window.bytes, at, window.end, position, salt)
  if (check === 'short') {
    at = window.at(offset, frameSpan(window.bytes.readUInt32LE(at + FrameAt.length)))
    if (at < 0) return undefined
    check = checkFrame(window.bytes, at, window.end, position, salt)
  }
  return check === 'good' ? decodeFrameHeader(window.bytes, at) : undefined
}
