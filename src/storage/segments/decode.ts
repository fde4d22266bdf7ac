// Frames out of bytes that were read from segment files.
import type { Frame, Position } from '../journal.ts'
import { checkFrame, decodeFrameHeader, FRAME_HEADER_BYTES, FrameAt, FrameKind, frameSpan } from './format.ts'

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

/** The frames in `bytes`, the first of which stands at `position`; no seals. With `salt` each is checked, the first against `chain`. */
export function decodeFrames(bytes: Buffer, position: Position, salt?: number, chain?: number): Decoded {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < FRAME_HEADER_BYTES) return { frames, end: position, chain, stopped: 'short', needs: FRAME_HEADER_BYTES }
    const header = decodeFrameHeader(bytes, at)
    const span = frameSpan(header.length)
    if (salt === undefined) {
      if (bytes.readDoubleLE(at + FrameAt.position) !== position) return { frames, end: position, chain, stopped: 'bad', needs: 0 }
      if (at + span > bytes.length) return { frames, end: position, chain, stopped: 'short', needs: span }
    } else {
      const check = checkFrame(bytes, at, bytes.length, position, salt)
      if (check === 'short') return { frames, end: position, chain, stopped: 'short', needs: span }
      const follows = chain === undefined || header.chain === chain
      if (check === 'bad' || !follows) return { frames, end: position, chain, stopped: 'bad', needs: 0 }
    }
    chain = header.crc
    if (header.kind !== FrameKind.seal) {
      const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + header.length)
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
export function findCovering(bytes: Buffer, base: Position, address: Position, salt: number): Covering | undefined {
  const places = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
  for (let at = (address - FRAME_HEADER_BYTES - base) & ~7; at >= 0; at -= 8) {
    if (places[(at >> 3) + 1] !== base + at || checkFrame(bytes, at, bytes.length, base + at, salt) !== 'good') continue
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + decodeFrameHeader(bytes, at).length)
    return { payloadPosition: base + at + FRAME_HEADER_BYTES, payload }
  }
  return undefined
}
