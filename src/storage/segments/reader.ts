// Reads the journal's frames from its files alone: for a thread that follows it and for commands beside it. It opens everything for
// reading only and checks every frame. How far it may read it must be told: what lies behind `durable` may never have been promised.
import { join } from 'node:path'
import type { File, Files } from '../files.ts'
import { type Frame, JournalDamaged, JournalTooNew, JournalTrimmed, type Position } from '../journal.ts'
import { NO_STORE_KEYS, type StoreKeys } from '../store-keys.ts'
import { decodeFrames } from './decode.ts'
import { decodeSegmentHeader, FORMAT_VERSION, FRAME_HEADER_BYTES, frameOffset } from './format.ts'
import { SEGMENT_HEADER_BYTES, segmentFileName, segmentNumber } from './format.ts'

export interface SegmentReader {
  /**
   * As Journal.read: whole frames from `from` (a position or end of a frame) on, at least one when `from` is below `durable` (as the
   * journal last said it), at most about `bytesMax`. Throws JournalTrimmed, JournalDamaged or JournalTooNew.
   */
  read(from: Position, bytesMax: number, durable: Position): readonly Frame[]
  close(): void
}

/** `keys`: of a sealed journal. */
export function openSegmentReader(files: Files, folder: string, keys: StoreKeys = NO_STORE_KEYS): SegmentReader {
  return new OpenReader(files, folder, keys)
}

interface OpenSegment {
  readonly path: string
  readonly file: File
  readonly start: Position
  readonly salt: number
  readonly chain: number
  /** Where the next segment starts; Infinity while none is known. */
  readonly end: Position
}

class OpenReader implements SegmentReader {
  readonly #files: Files
  readonly #folder: string
  readonly #keys: StoreKeys
  #segment: OpenSegment | undefined
  /** Where the last read ended, and with which CRC: what follows must continue it. */
  #at: Position = -1
  #chain: number | undefined

  constructor(files: Files, folder: string, keys: StoreKeys) {
    this.#keys = keys
    this.#files = files
    this.#folder = folder
  }

  read(from: Position, bytesMax: number, durable: Position): readonly Frame[] {
    let position = from
    let wanted = bytesMax
    while (position < durable) {
      // Only the files tell where a segment ends, and behind its end may stand what a crash left: so look, or go by the chain.
      const continues = position === this.#at && this.#chain !== undefined
      const known = this.#segment
      const segment = continues && known !== undefined && position < known.end ? known : this.#find(position)
      const chain = position === segment.start ? segment.chain : continues ? this.#chain : undefined
      const available = Math.min(segment.end, durable) - position
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, FRAME_HEADER_BYTES), available))
      const read = segment.file.read(bytes, 0, bytes.length, frameOffset(segment.start, position))
      const decoded = decodeFrames(bytes.subarray(0, read), position, { salt: segment.salt, keys: this.#keys }, chain)
      if (decoded.end > position) {
        position = decoded.end
        this.#at = position
        this.#chain = decoded.chain
        if (decoded.frames.length > 0) return decoded.frames
      } else if (decoded.stopped === 'short' && read === bytes.length && decoded.needs > bytes.length && decoded.needs <= available) {
        wanted = decoded.needs
      } else {
        // The segment may have ended here, or been recycled, since we looked.
        const again = this.#find(position)
        if (again.start === segment.start && again.end === segment.end) {
          throw new JournalDamaged(`${segment.path} is damaged: no good frame at position ${position}`)
        }
      }
    }
    return []
  }

  close(): void {
    this.#segment?.file.close()
    this.#segment = undefined
    this.#at = -1
  }

  #find(position: Position): OpenSegment {
    this.#segment?.file.close()
    this.#segment = undefined
    let end = Infinity
    const numbers = this.#files.list(this.#folder).flatMap((name) => segmentNumber(name) ?? [])
    for (const number of numbers.reverse()) {
      const opened = this.#open(number, end)
      if (opened === undefined) continue
      if (opened.start <= position) return (this.#segment = opened)
      opened.file.close()
      end = opened.start
    }
    throw new JournalTrimmed(`position ${position} was trimmed: the journal starts at ${end}`)
  }

  /** The segment, unless the file is one prepared for later, or just went. */
  #open(number: number, end: Position): OpenSegment | undefined {
    const path = join(this.#folder, segmentFileName(number))
    if (!this.#files.exists(path)) return undefined
    const file = this.#files.open(path, 'read')
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES)
    file.read(bytes, 0, bytes.length, 0)
    const decoded = decodeSegmentHeader(bytes)
    if (decoded.kind === 'valid' && decoded.header.number === number) return { path, file, ...decoded.header, end }
    file.close()
    if (decoded.kind !== 'newer') return undefined
    throw new JournalTooNew(`${path} is of journal format ${decoded.version}; this release knows up to ${FORMAT_VERSION}`)
  }
}
