// Walks all segments of the journal frame by frame. What is unreadable becomes a hole between two positions; a last group that nobody was
// told of is no damage.
import { join } from 'node:path'
import { type Entry, readEntries } from '../../model/entry.ts'
import type { Position } from '../journal.ts'
import {
  checkFrame,
  decodeFrameHeader,
  decodeSegmentHeader,
  FORMAT_VERSION,
  FRAME_HEADER_BYTES,
  FrameAt,
  FrameKind,
  frameOffset,
  frameSpan,
  openFrame,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentFileName,
  segmentNumber,
} from '../segments/format.ts'
import { FsckRefused } from '../fsck.ts'
import { type Check, damage, listOf, readWhole } from './check.ts'

export interface Hole {
  readonly from: Position
  readonly to: Position
}

export interface SegmentPicture {
  readonly number: number
  readonly start: Position
  /** Behind its last good frame, or the start of the next segment. */
  readonly end: Position
  /** Its file is there and its header is good. */
  readonly isSound: boolean
}

export interface JournalPicture {
  readonly segments: readonly SegmentPicture[]
  readonly spares: readonly string[]
  readonly holes: readonly Hole[]
  readonly salt: number
  readonly start: Position
  /** Behind the last frame that is not a seal. */
  readonly durable: Position
  readonly tail: Position
  readonly frames: number
}

export interface FrameFound {
  readonly position: Position
  readonly payloadPosition: Position
  readonly entries: readonly { readonly offset: number; readonly length: number; readonly entry: Entry }[]
}

interface Candidate {
  readonly number: number
  /** Undefined: the file is missing or its header is bad. */
  readonly header: SegmentHeader | undefined
}

export async function checkJournal(check: Check, onFrame: (frame: FrameFound) => void): Promise<JournalPicture> {
  const folder = check.path('journal')
  const names = listOf(check, folder).filter((name) => segmentNumber(name) !== undefined)
  const headers = names.map((name) => ({ number: segmentNumber(name) ?? 0, header: readHeader(check, name) }))
  const lastSound = headers.findLastIndex(({ header }) => header !== undefined)
  const salt = headers[lastSound]?.header?.salt ?? guessSalt(check, names)
  const candidates = withMissing(headers.slice(0, lastSound + 1))
  const walk = new Walk(check, salt, onFrame)
  for (const [index, candidate] of candidates.entries()) {
    walk.segment(candidate, candidates[index + 1]?.header)
    await check.step('journal', (index + 1) / candidates.length)
  }
  const spares = walk.lostSegments(headers.slice(lastSound + 1).map(({ number }) => number))
  return walk.picture(spares.map(segmentFileName))
}

function readHeader(check: Check, name: string): SegmentHeader | undefined {
  const path = join(check.path('journal'), name)
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES)
  const file = check.files.open(path, 'read')
  try {
    file.read(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const decoded = decodeSegmentHeader(bytes)
  if (decoded.kind === 'newer') {
    throw new FsckRefused(
      `${path} is of journal format ${decoded.version}; this release knows up to ${FORMAT_VERSION}. Use the release that wrote it.`,
    )
  }
  return decoded.kind === 'valid' && decoded.header.number === segmentNumber(name) ? decoded.header : undefined
}

/** The very first frame of a journal is chained to the salt. */
function guessSalt(check: Check, names: readonly string[]): number {
  const bytes = names[0] === undefined ? undefined : readWhole(check, join(check.path('journal'), names[0]))
  if (bytes === undefined || bytes.length < SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES) return 0
  return decodeFrameHeader(bytes, SEGMENT_HEADER_BYTES).chain
}

function withMissing(found: readonly Candidate[]): Candidate[] {
  const first = found[0]?.number ?? 1
  const last = found.at(-1)?.number ?? 0
  return Array.from({ length: last - first + 1 }, (_, index) => {
    return found.find(({ number }) => number === first + index) ?? { number: first + index, header: undefined }
  })
}

class Walk {
  readonly #check: Check
  readonly #salt: number
  readonly #onFrame: (frame: FrameFound) => void
  readonly #segments: SegmentPicture[] = []
  readonly #holes: Hole[] = []
  #position: Position | undefined
  #durable: Position = 0
  #frames = 0
  /** CRC of the frame before; undefined behind a hole. */
  #chain: number | undefined

  constructor(check: Check, salt: number, onFrame: (frame: FrameFound) => void) {
    this.#check = check
    this.#salt = salt
    this.#onFrame = onFrame
  }

  /** `next`: the header of the segment behind it, which was written when all of this one was on stable storage. */
  segment({ number, header }: Candidate, next: SegmentHeader | undefined, isLast = next === undefined): void {
    const name = `journal/${segmentFileName(number)}`
    const bytes = readWhole(this.#check, this.#check.path(name))
    if (bytes === undefined) damage(this.#check, name, 'it is missing, though later segments exist')
    else if (header === undefined) damage(this.#check, name, 'its header is damaged')
    else if (this.#position !== undefined && header.start !== this.#position)
      damage(this.#check, name, `it starts at position ${header.start}, the segment before ends at ${this.#position}`)
    const start = header?.start ?? (bytes === undefined ? undefined : this.#startOf(bytes)) ?? this.#position ?? next?.start ?? 0
    const hasGap = this.#position !== undefined && start > this.#position
    if (hasGap) this.#hole(this.#position ?? start, start)
    if (header !== undefined && this.#chain !== undefined && !hasGap && header.chain !== this.#chain)
      damage(this.#check, name, 'it does not continue the segment before it')
    if (header !== undefined && this.#segments.length === 0) this.#chain = header.chain
    if (this.#segments.length === 0) this.#durable = start
    this.#position = start
    if (bytes !== undefined) this.#frames += this.#walk(name, bytes, start, next?.start ?? Infinity, isLast)
    const limit = next?.start ?? this.#position
    if (this.#position < limit) this.#hole(this.#position, limit)
    this.#position = limit
    this.#segments.push({ number, start, end: limit, isSound: bytes !== undefined && header !== undefined })
  }

  /** Files behind the last good header that hold frames which follow on ours; the others are spares, and returned. */
  lostSegments(numbers: readonly number[]): number[] {
    for (const [index, number] of numbers.entries()) {
      const start = this.#position
      const bytes = readWhole(this.#check, this.#check.path(`journal/${segmentFileName(number)}`))
      const place = bytes && findFrame(bytes, start ?? this.#startOf(bytes) ?? 0, start ?? 0, Infinity, this.#salt)
      if (place === undefined) return numbers.slice(index)
      this.segment({ number, header: undefined }, undefined)
    }
    return []
  }

  picture(spares: readonly string[]): JournalPicture {
    const start = this.#segments[0]?.start ?? 0
    return {
      segments: this.#segments,
      spares,
      holes: this.#holes,
      salt: this.#salt,
      start,
      durable: Math.max(start, this.#durable),
      tail: this.#position ?? 0,
      frames: this.#frames,
    }
  }

  #walk(name: string, bytes: Buffer, start: Position, limit: Position, isLast: boolean): number {
    let frames = 0
    let position = start
    while (position < limit) {
      const at = frameOffset(start, position)
      const header = this.#goodFrame(bytes, at, position)
      if (header !== undefined) {
        this.#frame(name, bytes, at, position, header)
        frames++
        position += frameSpan(header.length)
        continue
      }
      const next = isLast ? findProven(bytes, start, position, this.#salt) : findFrame(bytes, start, position + 8, limit, this.#salt)
      if (next === undefined) {
        if (isLast) this.#tellTail(name, bytes, at, position)
        break
      }
      damage(this.#check, name, `what was acknowledged from position ${position} to ${next} is unreadable`)
      this.#hole(position, next)
      this.#chain = undefined
      position = next
    }
    if (!isLast && position < limit) {
      damage(this.#check, name, `what was acknowledged from position ${position} to ${limit} is unreadable`)
      this.#chain = undefined
    }
    this.#position = position
    return frames
  }

  #goodFrame(bytes: Buffer, at: number, position: Position): ReturnType<typeof decodeFrameHeader> | undefined {
    if (checkFrame(bytes, at, bytes.length, position, this.#salt) !== 'good') return undefined
    const header = decodeFrameHeader(bytes, at)
    return this.#chain === undefined || header.chain === this.#chain ? header : undefined
  }

  #frame(name: string, bytes: Buffer, at: number, position: Position, header: ReturnType<typeof decodeFrameHeader>): void {
    this.#chain = header.crc
    const end = position + frameSpan(header.length)
    if (header.kind === FrameKind.seal) return
    this.#durable = end
    const payloadPosition = position + FRAME_HEADER_BYTES
    try {
      const payload = openFrame(bytes, at, header, this.#check.storeKeys('journal'))
      const placed = readEntries(payload)
      if (placed.length !== header.entries) throw new RangeError(`${placed.length} entries instead of ${header.entries}`)
      const entries = placed.map(({ offset, entry }, index) => ({
        offset,
        entry,
        length: (placed[index + 1]?.offset ?? payload.length) - offset,
      }))
      this.#onFrame({ position, payloadPosition, entries })
    } catch (error) {
      damage(this.#check, name, `the frame at position ${position} is whole, but does not hold what it should: ${String(error)}`)
      this.#hole(position, end)
    }
  }

  #tellTail(name: string, bytes: Buffer, at: number, position: Position): void {
    const isTorn =
      at + FRAME_HEADER_BYTES <= bytes.length && bytes.readDoubleLE(at + FrameAt.position) === position && bytes.readUInt32LE(at) > 0
    if (!isTorn) return
    const what = `an unfinished last group at position ${position}, which nobody was told of`
    this.#check.report({ severity: 'info', file: name, what, remedy: 'the next start cuts it' })
  }

  #hole(from: Position, to: Position): void {
    this.#holes.push({ from, to })
  }

  /** The first frame tells where a segment starts whose header does not. */
  #startOf(bytes: Buffer): Position | undefined {
    if (bytes.length < SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES) return undefined
    const position = bytes.readDoubleLE(SEGMENT_HEADER_BYTES + FrameAt.position)
    return checkFrame(bytes, SEGMENT_HEADER_BYTES, bytes.length, position, this.#salt) === 'good' ? position : undefined
  }
}

/** The first good frame from `from` on and before `limit`. Nothing else carries its own place and a salted CRC. */
function findFrame(bytes: Buffer, start: Position, from: Position, limit: Position, salt: number): Position | undefined {
  const end = Math.min(bytes.length - FRAME_HEADER_BYTES, frameOffset(start, limit) - 1)
  for (let at = frameOffset(start, from); at <= end; at += 8) {
    const position = start + at - SEGMENT_HEADER_BYTES
    if (bytes.readDoubleLE(at + FrameAt.position) === position && checkFrame(bytes, at, bytes.length, position, salt) === 'good')
      return position
  }
  return undefined
}

/** The first good frame behind `bad`, if a frame proves that what is bad was on stable storage before it was written. */
function findProven(bytes: Buffer, start: Position, bad: Position, salt: number): Position | undefined {
  const first = findFrame(bytes, start, bad + 8, Infinity, salt)
  for (let at = first; at !== undefined; at = findFrame(bytes, start, at + 8, Infinity, salt)) {
    const { groupStart } = decodeFrameHeader(bytes, frameOffset(start, at))
    if (groupStart > bad && groupStart <= at) return first
  }
  return undefined
}
