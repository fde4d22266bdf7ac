// What was written, read again: from memory where it is there still, else from the segment files, and then each frame is checked.
import { assert } from '../../base/assert.ts'
import { type Frame, JournalDamaged, JournalTrimmed, type Position } from '../journal.ts'
import { type Covering, decodeFrames, type FileDecoding, findCovering } from './decode.ts'
import { FRAME_HEADER_BYTES, frameOffset, FrameUnopened } from './format.ts'
import type { ReadFiles } from './read-files.ts'
import type { Ring, SharedBytes } from './ring.ts'
import { type Run, Runs } from './runs.ts'

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

/** Around what is asked for by itself, and behind it where more is asked for in turn. A read costs more than these bytes do. */
const COVERING_BYTES = 32 * 1024
const AHEAD_BYTES = 128 * 1024

export class Reads {
  readonly #extent: Extent
  readonly #ring: Ring
  readonly #files: ReadFiles
  readonly #decoding: FileDecoding
  readonly #schedule: (run: () => void) => void
  readonly #runs: Runs
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
    this.#runs = new Runs({
      read: (from, until) => this.#readSegment(this.#segmentOf(from), from, until - from),
      find: (bytes, from, address) => this.#opened(address, () => findCovering(bytes, from, address, this.#decoding)),
    })
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
      const { frames, end, stopped, needs } = this.#opened(from, () =>
        decodeFrames(shared.bytes, from, inMemory ? undefined : this.#decoding),
      )
      if (shared.chunk !== undefined) {
        if (frames.length > 0) this.#lent.set(frames, shared.chunk)
        else this.#ring.release(shared.chunk)
      }
      if (frames.length > 0) return frames
      if (stopped === 'bad' || (stopped === 'short' && end - from + needs > available)) throw this.#unreadable(end)
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
    const run = this.#runs.find(position, position + length)
    try {
      const covering = run?.isRead === true ? run.covering(position) : undefined
      if (covering !== undefined) return this.#bytesIn(covering, position, length)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    return this.#readCovering(position, length, run)
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
  async #readCovering(position: Position, length: number, known: Run | undefined): Promise<Buffer> {
    const segment = this.#segmentOf(position)
    const end = Math.min(this.#extent.durable, endOf(this.#extent, segment))
    const tried: Run[] = []
    for (let around = COVERING_BYTES; ;) {
      // Others that wait for neighbours may have read further by now.
      let run = tried.length === 0 ? known : this.#runs.find(position, position + length, tried)
      if (run === undefined) {
        const ahead = this.#runs.isBehind(position) ? Math.max(around, AHEAD_BYTES) : around
        run = this.#runs.read(Math.max(segment.start, alignedDown(position - around)), Math.min(end, position + length + ahead))
        around *= 4
      }
      tried.push(run)
      await run.read
      const covering = run.covering(position)
      if (covering !== undefined) return this.#bytesIn(covering, position, length)
      if (run.from <= segment.start && run.until >= end) throw this.#unreadable(position)
    }
  }

  #bytesIn({ payloadPosition, payload }: Covering, position: Position, length: number): Buffer {
    const at = position - payloadPosition
    if (at + length > payload.length) throw this.#unreadable(position)
    // A copy: a view would keep all that was read with it.
    return Buffer.from(payload.subarray(at, at + length))
  }

  #opened<T>(position: Position, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof FrameUnopened)) throw error
      const path = this.#files.path(this.#segmentOf(position).number)
      throw new JournalDamaged(`${path} cannot be read from position ${position} on: ${error.message}`)
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

  #unreadable(position: Position): JournalDamaged {
    return new JournalDamaged(`${this.#files.path(this.#segmentOf(position).number)} is damaged: no good frame at position ${position}`)
  }
}

/** Frames stand at multiples of 8. */
function alignedDown(position: Position): Position {
  return position - (position % 8)
}
