// One group of frames in memory: staged as it will stand in the file, then written as it is. CRCs and chain are the writer's to fill in.
import type { Frame, Position, Settled } from '../journal.ts'
import {
  FRAME_HEADER_BYTES,
  FRAME_SEAL_BYTES,
  FRAME_SEALED,
  FrameAt,
  FrameKind,
  type FrameKindCode,
  frameSpan,
  SEGMENT_HEADER_BYTES,
} from './format.ts'
import type { Ring } from './ring.ts'

export interface Slab {
  readonly index: number
  readonly bytes: Buffer
  readonly view: DataView
  /** The position of the first frame. */
  start: Position
  used: number
  /** Where the room for the next segment's header is, or -1. A slab is smaller than a segment, so there is one at most. */
  rollAt: number
  frames: number
  /** Behind the last frame that is not a seal, or -1. */
  entriesEnd: Position
  readonly settled: (Settled | undefined)[]
}

export function createSlab(index: number, bytes: Buffer): Slab {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { index, bytes, view, start: 0, used: 0, rollAt: -1, frames: 0, entriesEnd: -1, settled: [] }
}

/** Appends a frame, for which there is room. `isSealed`: the writer seals it. */
export function stageFrame(
  slab: Slab,
  position: Position,
  kind: FrameKindCode,
  payload: Uint8Array,
  entries: number,
  settled: Settled | undefined,
  isSealed: boolean,
): void {
  const { view, bytes, used: at } = slab
  const length = FRAME_HEADER_BYTES + payload.length + (isSealed ? FRAME_SEAL_BYTES : 0)
  const span = frameSpan(length)
  if (slab.frames === 0) slab.start = position
  view.setUint32(at + FrameAt.length, length, true)
  view.setFloat64(at + FrameAt.position, position, true)
  view.setFloat64(at + FrameAt.groupStart, slab.start, true)
  view.setUint8(at + FrameAt.kind, kind)
  view.setUint8(at + FrameAt.flags, isSealed ? FRAME_SEALED : 0)
  view.setUint16(at + FrameAt.entries, entries, true)
  bytes.set(payload, at + FRAME_HEADER_BYTES)
  bytes.fill(0, at + FRAME_HEADER_BYTES + payload.length, at + span)
  slab.settled[slab.frames++] = settled
  slab.used = at + span
  if (kind !== FrameKind.seal) slab.entriesEnd = position + span
}

/** The frames of a written group, without seals; their payloads are views on the ring, which has them already. */
export function stagedFrames({ start, used, rollAt, view }: Slab, ring: Ring): Frame[] {
  const frames: Frame[] = []
  let position = start
  for (let at = 0; at < used;) {
    if (at === rollAt) at += SEGMENT_HEADER_BYTES
    const length = view.getUint32(at + FrameAt.length, true)
    const end = position + frameSpan(length)
    if (view.getUint8(at + FrameAt.kind) !== FrameKind.seal) {
      const payloadPosition = position + FRAME_HEADER_BYTES
      const sealBytes = (view.getUint8(at + FrameAt.flags) & FRAME_SEALED) === 0 ? 0 : FRAME_SEAL_BYTES
      const payload = ring.view(payloadPosition, length - FRAME_HEADER_BYTES - sealBytes)
      frames.push({ position, end, entries: view.getUint16(at + FrameAt.entries, true), payloadPosition, payload })
    }
    at += end - position
    position = end
  }
  return frames
}

export function resetSlab(slab: Slab): void {
  slab.used = 0
  slab.rollAt = -1
  slab.entriesEnd = -1
  // Lets go of what the callbacks hold.
  slab.settled.fill(undefined, 0, slab.frames)
  slab.frames = 0
}
