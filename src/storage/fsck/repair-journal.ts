// Makes the journal whole again around what is unreadable: a seal, which holds nothing, stands where a hole was, and the frames behind it
// are chained anew in their old places. So all that is readable stays where queues, lake and followers know it to be.
import type { Position } from '../journal.ts'
import {
  encodeSegmentHeader,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameAt,
  FrameKind,
  frameOffset,
  finishFrames,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentFileName,
} from '../segments/format.ts'
import { readWhole, writeNew } from './check.ts'
import type { Salvage } from './salvage.ts'
import type { Survey } from './survey.ts'

interface Segment {
  readonly header: Omit<SegmentHeader, 'chain'>
  /** Its frames, as far as they are good; zeros where they are not. */
  readonly bytes: Buffer
}

export function repairJournal(salvage: Salvage, survey: Survey): void {
  const { journal } = survey
  const salt = journal.segments.length === 0 ? salvage.random.bytes(4).readUInt32LE(0) : journal.salt
  const reached = roundUp(reachedBy(survey))
  const isEmpty = journal.segments.length === 0
  const parts: Segment[] = journal.segments.map(({ number, start, end }) => {
    return { header: { number, start, salt }, bytes: framesOf(salvage, number, start, end) }
  })
  if (isEmpty) parts.push({ header: { number: 1, start: reached, salt }, bytes: Buffer.alloc(0) })
  for (const { segment, from, to } of journal.holes) {
    const part = parts.find(({ header }) => header.number === segment)
    if (part !== undefined) fill(part, from, to)
    salvage.lost(`the journal from position ${from} to ${to}`)
  }
  if (!isEmpty && reached > journal.durable) extend(parts, journal.tail, reached, salvage)
  let chain = salt
  for (const { header, bytes } of parts) {
    const name = segmentFileName(header.number)
    const whole = Buffer.concat([Buffer.alloc(SEGMENT_HEADER_BYTES), bytes])
    encodeSegmentHeader({ ...header, chain }, whole, 0)
    chain = finishFrames(whole, SEGMENT_HEADER_BYTES, whole.length, chain, salt)
    salvage.files.makeFolder(salvage.fresh('journal'))
    writeNew(salvage, salvage.fresh(`journal/${name}`), [whole])
  }
  salvage.files.syncFolder(salvage.fresh('journal'))
  salvage.replace('journal')
}

/** How far anyone has read or applied the journal: no position below it may be given again. */
function reachedBy({ records, queues, references, lake, journal }: Survey): Position {
  const waiting = [...queues.waiting.values()].flatMap((messages) => [...messages.values()].map(({ position, length }) => position + length))
  const furthestMessage = waiting.reduce((furthest, end) => Math.max(furthest, end), 0)
  const positions = [records.state?.checkpoint, queues.position, queues.released, references.reached(), lake.checkpoint, journal.durable]
  return positions.reduce<number>((furthest, position) => Math.max(furthest, position ?? 0), furthestMessage)
}

function framesOf(salvage: Salvage, number: number, start: Position, end: Position): Buffer {
  const bytes = readWhole(salvage, salvage.path(`journal/${segmentFileName(number)}`)) ?? Buffer.alloc(0)
  const frames = Buffer.alloc(end - start)
  bytes.copy(frames, 0, SEGMENT_HEADER_BYTES, Math.min(bytes.length, frameOffset(start, end)))
  return frames
}

function fill({ header, bytes }: Segment, from: Position, to: Position): void {
  for (let position = Math.max(from, header.start); position < to; ) {
    const length = Math.min(to - position, FRAME_BYTES_MAX)
    // What is left must hold a frame.
    const span = to - position - length > 0 && to - position - length < FRAME_HEADER_BYTES ? length - FRAME_HEADER_BYTES : length
    writeFrame(bytes, position - header.start, position, span, FrameKind.seal)
    position += span
  }
}

/** Fills up to `reached`, and ends with a frame of no entries, behind which the journal is durable. */
function extend(parts: Segment[], tail: Position, reached: Position, salvage: Salvage): void {
  const last = parts.pop()
  if (last === undefined) return
  const end = Math.max(reached, tail + FRAME_HEADER_BYTES)
  const emptyAt = end - tail >= 2 * FRAME_HEADER_BYTES ? end - FRAME_HEADER_BYTES : end
  const extended = { ...last, bytes: Buffer.concat([last.bytes, Buffer.alloc(emptyAt + FRAME_HEADER_BYTES - tail)]) }
  fill(extended, tail, emptyAt)
  writeFrame(extended.bytes, emptyAt - last.header.start, emptyAt, FRAME_HEADER_BYTES, FrameKind.entries)
  parts.push(extended)
  salvage.lost(`the journal from position ${tail} to ${reached}`)
}

function writeFrame(bytes: Buffer, at: number, position: Position, length: number, kind: number): void {
  bytes.fill(0, at, at + length)
  bytes.writeUInt32LE(length, at + FrameAt.length)
  bytes.writeDoubleLE(position, at + FrameAt.position)
  bytes.writeDoubleLE(position, at + FrameAt.groupStart)
  bytes.writeUInt8(kind, at + FrameAt.kind)
}

function roundUp(position: Position): Position {
  return Math.ceil(position / 8) * 8
}
