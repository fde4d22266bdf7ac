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
  segmentFileName,
} from '../segments/format.ts'
import { readWhole, writeNew } from './check.ts'
import type { Salvage } from './repair.ts'
import type { Survey } from './survey.ts'

interface Place {
  readonly number: number
  readonly start: Position
  readonly end: Position
}

export function repairJournal(salvage: Salvage, survey: Survey): void {
  const { journal, places } = survey
  const reached = reachedBy(survey)
  const salt = journal.segments.length === 0 ? salvage.random.bytes(4).readUInt32LE(0) : journal.salt
  const segments = placesOf(survey)
  for (const { from, to } of journal.holes) salvage.lost(`the journal from position ${from} to ${to}`)
  if (reached > journal.durable) salvage.lost(`the journal from position ${journal.tail} to ${reached}`)
  salvage.files.makeFolder(salvage.fresh('journal'))
  let chain = salt
  for (const segment of segments) {
    const { number, start, end } = segment
    const isExtended = segment === segments.at(-1) && reached > journal.durable && journal.segments.length > 0
    const holes = isExtended ? [...journal.holes, { from: journal.tail, to: end - FRAME_HEADER_BYTES }] : journal.holes
    const bytes = Buffer.alloc(frameOffset(start, end))
    readWhole(salvage, salvage.path(`journal/${segmentFileName(number)}`))?.copy(bytes, 0, 0, bytes.length)
    for (const { from, to } of holes) fill(bytes, start, Math.max(from, start), Math.min(to, end), places)
    // Behind a frame of entries, though it has none, the journal is durable.
    if (isExtended) writeFrame(bytes, start, end - FRAME_HEADER_BYTES, FRAME_HEADER_BYTES, FrameKind.entries)
    encodeSegmentHeader({ number, start, salt, chain }, bytes, 0)
    chain = finishFrames(bytes, SEGMENT_HEADER_BYTES, bytes.length, chain, salt)
    writeNew(salvage, salvage.fresh(`journal/${segmentFileName(number)}`), [bytes])
  }
  salvage.files.syncFolder(salvage.fresh('journal'))
  salvage.replace('journal')
}

/** How far anyone has read or applied the journal: no position below it may be given again. */
export function reachedBy({ places, queues, journal }: Survey): Position {
  let reached = Math.max(journal.durable, ...places)
  for (const waiting of queues.waiting.values())
    for (const { position, length } of waiting.values()) reached = Math.max(reached, position + length)
  return Math.ceil(reached / 8) * 8
}

/** Where the repaired journal will start. */
export function repairedStart(survey: Survey): Position {
  return survey.journal.segments.length === 0 ? reachedBy(survey) : survey.journal.start
}

/** Where the segments will start and end, without gaps between them. */
function placesOf(survey: Survey): Place[] {
  const { journal } = survey
  const reached = reachedBy(survey)
  if (journal.segments.length === 0) return [{ number: 1, start: reached, end: reached }]
  const extendedTo = Math.max(reached, journal.tail + FRAME_HEADER_BYTES) + FRAME_HEADER_BYTES
  const end = reached > journal.durable ? extendedTo : journal.tail
  return journal.segments.map(({ number, start }, index) => ({ number, start, end: journal.segments[index + 1]?.start ?? end }))
}

/** Seals from `from` to `to`, so that a frame begins at each of `places` on the way. */
function fill(bytes: Buffer, start: Position, from: Position, to: Position, places: readonly Position[]): void {
  for (let position = from; position < to;) {
    const stops = places.filter((place) => place % 8 === 0 && place - position >= FRAME_HEADER_BYTES && to - place >= FRAME_HEADER_BYTES)
    const next = Math.min(to, ...stops)
    const isLong = next - position > FRAME_BYTES_MAX
    // What is left must hold a frame.
    const length = isLong ? Math.min(FRAME_BYTES_MAX, next - position - FRAME_HEADER_BYTES) : next - position
    writeFrame(bytes, start, position, length, FrameKind.seal)
    position += length
  }
}

function writeFrame(bytes: Buffer, start: Position, position: Position, length: number, kind: number): void {
  const at = frameOffset(start, position)
  bytes.fill(0, at, at + length)
  bytes.writeUInt32LE(length, at + FrameAt.length)
  bytes.writeDoubleLE(position, at + FrameAt.position)
  bytes.writeDoubleLE(position, at + FrameAt.groupStart)
  bytes.writeUInt8(kind, at + FrameAt.kind)
}
