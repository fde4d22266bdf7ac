// Frames out of bytes that were read from segment files.
import type { Frame, Position } from '../journal.ts'
import type { StoreKeys } from '../store-keys.ts'
import { checkFrame, decodeFrameHeader, FRAME_HEADER_BYTES, FRAME_SEAL_BYTES, FrameAt, FrameKind, frameSpan, openFrame } from './format.ts'

export interface Decoded {
  readonly frames: Frame[]
  /** Behind the last frame, seals counted, that was decoded. */
  readonly end: Position
  /** CRC of that frame, or the chain given. */
  readonly chain: number | undefined
  /** Why decoding stopped: at the end of the bytes, within a frame, or at a bad one. */
  readonly stopped: 'end' | 'short' | 'bad'
  /** When short: what the frame needs. */
  readonly needs: number
}

/** How bytes of a file are read; bytes of the ring need none of it: they were checked, and stand open. */
export interface FileDecoding {
  readonly salt: number
  readonly keys: StoreKeys
}

/**
 * The frames in `bytes`, the first of which stands at `position`; no seals. Out of a file each is checked, the first against `chain`, and
 * opened. Throws FrameUnopened.
 */
export function decodeFrames(bytes: Buffer, position: Position, file?: FileDecoding, chain?: number): Decoded {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < FRAME_HEADER_BYTES) return { frames, end: position, chain, stopped: 'short', needs: FRAME_HEADER_BYTES }
    const header = decodeFrameHeader(bytes, at)
    const span = frameSpan(header.length)
    if (file === undefined) {
      if (bytes.readDoubleLE(at + FrameAt.position) !== position) return { frames, end: position, chain, stopped: 'bad', needs: 0 }
      if (at + span > bytes.length) return { frames, end: position, chain, stopped: 'short', needs: span }
    } else {
      const check = checkFrame(bytes, at, bytes.length, position, file.salt)
      if (check === 'short') return { frames, end: position, chain, stopped: 'short', needs: span }
      const follows = chain === undefined || header.chain === chain
      if (check === 'bad' || !follows) return { frames, end: position, chain, stopped: 'bad', needs: 0 }
    }
    chain = header.crc
    if (header.kind !== FrameKind.seal) {
      const payload =
        file === undefined
          ? bytes.subarray(at + FRAME_HEADER_BYTES, at + header.length - (header.isSealed ? FRAME_SEAL_BYTES : 0))
          : openFrame(bytes, at, header, file.keys)
      frames.push({ position, end: position + span, entries: header.entries, payloadPosition: position + FRAME_HEADER_BYTES, payload })
    }
    at += span
    position += span
  }
  return { frames, end: position, chain, stopped: 'end', needs: 0 }
}

export type Covering = Pick<Frame, 'payloadPosition' | 'payload'>

/**
 * The good frame in whose payload `address` lies, out of bytes that stand from `base` on; undefined when no such frame is there entirely.
 * A frame is found backwards: nothing else carries its own place and a salted CRC.
 */
export function findCovering(bytes: Buffer, base: Position, address: Position, { salt, keys }: FileDecoding): Covering | undefined {
  const places = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
  for (let at = (address - FRAME_HEADER_BYTES - base) & ~7; at >= 0; at -= 8) {
    if (places[(at >> 3) + 1] !== base + at || checkFrame(bytes, at, bytes.length, base + at, salt) !== 'good') continue
    const header = decodeFrameHeader(bytes, at)
    // One that ends before the address: the frame behind it has it, and goes beyond these bytes.
    if (address > base + at + frameSpan(header.length)) return undefined
    return { payloadPosition: base + at + FRAME_HEADER_BYTES, payload: openFrame(bytes, at, header, keys) }
  }
  return undefined
}
