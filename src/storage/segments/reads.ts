// What was written, read again: from memory where it is there still, else from the segment files, and then each frame is checked.
import { assert } from '../../base/assert.ts'
import { type Frame, JournalDamaged, JournalTrimmed, type Position } from '../journal.ts'
import { type Covering, decodeFrames, type FileDecoding, findCovering } from './decode.ts'
import { FRAME_HEADER_BYTES, frameOffset, FrameUnopened } from './format.ts'
import type { ReadFiles } from './read-files.ts'
import type { Ring, SharedBytes } from './ring.ts'

export interface Segment {
  readonly number: number
  readonly start: Position
}

/** How far the journal reaches, as it is now. */
export interface Extent {
  readonly segments: Segment[]
  durable: Position
  tail: Position
}

export function startOf({ segments }: Extent): Position {
  return segments[0]?.start ?? 0
}

export function endOf({ segments, tail }: Extent, { number }: Segment): Position {
  return segments[number - (segments[0]?.number ?? 0) + 1]?.start ?? tail
}

const COVERING_BYTES = 8 * 1024

export class Reads {
  readonly #extent: Extent
  readonly #ring: Ring
  readonly #files: ReadFiles
  readonly #decoding: FileDecoding
  readonly #schedule: (run: () => void) => void
  /** What frames that were read are views on. */
  readonly #lent = new WeakMap<readonly Frame[], Buffer>()

  constructor(parts: {
    readonly extent: Extent
    readonly ring: Ring
    readonly files: ReadFiles
    readonly decoding: FileDecoding
    readonly schedule: (run: () => void) => void
  }) {
    this.#extent = parts.extent
    this.#ring = parts.ring
    this.#files = parts.files
    this.#decoding = parts.decoding
    this.#schedule = parts.schedule
  }

  async read(from: Position, bytesMax: number): Promise<readonly Frame[]> {
    for (let wanted = bytesMax, least = FRAME_HEADER_BYTES; ;) {
      if (from < startOf(this.#extent)) throw this.#trimmedAt(from)
      if (from >= this.#extent.durable) return []
      const inMemory = from >= this.#ring.start
      const segment = this.#segmentOf(from)
      const available = (inMemory ? this.#extent.durable : Math.min(this.#extent.durable, endOf(this.#extent, segment))) - from
      const length = Math.min(Math.max(wanted, FRAME_HEADER_BYTES), available)
      // Even from memory on a later turn, or a reader that is behind would keep everyone else waiting.
      const shared = inMemory
        ? await this.#shareLater(from, length, least)
        : { bytes: await this.#readSegment(segment, from, length), chunk: undefined }
      if (shared === undefined) continue
      const { frames, end, stopped, needs } = this.#opened(segment, from, () =>
        decodeFrames(shared.bytes, from, inMemory ? undefined : this.#decoding),
      )
      if (shared.chunk !== undefined) {
        if (frames.length > 0) this.#lent.set(frames, shared.chunk)
        else this.#ring.release(shared.chunk)
      }
      if (frames.length > 0) return frames
      if (stopped === 'bad' || (stopped === 'short' && end - from + needs > available)) throw this.#unreadable(segment, end)
      from = end
      wanted = Math.max(bytesMax, needs)
      least = needs
    }
  }

  release(frames: readonly Frame[]): void {
    const chunk = this.#lent.get(frames)
    if (chunk === undefined) return
    this.#lent.delete(frames)
    this.#ring.release(chunk)
  }

  readBytes(position: Position, length: number): Buffer | Promise<Buffer> {
    assert(length >= 0 && position + length <= this.#extent.durable, 'bytes of a durable frame')
    if (position >= this.#ring.start) return this.#ring.copy(position, length)
    if (position < startOf(this.#extent)) return Promise.reject(this.#trimmedAt(position))
    return this.#readCovering(position, length)
  }

  #shareLater(from: Position, length: number, least: number): Promise<SharedBytes | undefined> {
    return new Promise((resolve) =>
      this.#schedule(() => resolve(from < this.#ring.start ? undefined : this.#ring.share(from, length, least))),
    )
  }

  async #readSegment(segment: Segment, from: Position, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length)
    const read = await this.#files.read(segment.number, bytes, frameOffset(segment.start, from))
    if (from < startOf(this.#extent)) throw this.#trimmedAt(from)
    return read === length ? bytes : bytes.subarray(0, read)
  }

  /** Reads around the bytes, further each time, until the whole frame is there to be checked. */
  async #readCovering(position: Position, length: number): Promise<Buffer> {
    const segment = this.#segmentOf(position)
    const end = Math.min(this.#extent.durable, endOf(this.#extent, segment))
    for (let around = COVERING_BYTES; ; around *= 4) {
      const from = Math.max(segment.start, position - around) & -8
      const until = Math.min(end, position + length + around)
      const covering = await this.#covering(segment, from, until, position)
      if (covering !== undefined) {
        const at = position - covering.payloadPosition
        if (at + length > covering.payload.length) throw this.#unreadable(segment, position)
        return covering.payload.subarray(at, at + length)
      }
      if (from <= segment.start && until === end) throw this.#unreadable(segment, position)
    }
  }

  async #covering(segment: Segment, from: Position, until: Position, position: Position): Promise<Covering | undefined> {
    const bytes = await this.#readSegment(segment, from, until - from)
    return this.#opened(segment, position, () => findCovering(bytes, from, position, this.#decoding))
  }

  #opened<T>(segment: Segment, position: Position, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof FrameUnopened)) throw error
      throw new JournalDamaged(`${this.#files.path(segment.number)} cannot be read from position ${position} on: ${error.message}`)
    }
  }

  #segmentOf(position: Position): Segment {
    const segment = this.#extent.segments.findLast(({ start }) => start <= position)
    assert(segment !== undefined, 'a position within the journal')
    return segment
  }

  #trimmedAt(position: Position): JournalTrimmed {
    return new JournalTrimmed(`position ${position} was trimmed: the journal starts at ${startOf(this.#extent)}`)
  }

  #unreadable(segment: Segment, position: Position): JournalDamaged {
    return new JournalDamaged(`${this.#files.path(segment.number)} is damaged: no good frame at position ${position}`)
  }
}
