// What the journal does to its files, in one place: writes groups, prepares the next segments, recycles trimmed ones. It runs in the
// writer thread, or inline. Only `write` is on the commit path; `step` is for the time between groups, a little at each call.
import { join } from 'node:path'
import type { File, Files } from '../files.ts'
import type { Position } from '../journal.ts'
import { NONCE_BYTES } from '../../base/aead.ts'
import { type Random, systemRandom } from '../../base/random.ts'
import {
  encodeSegmentHeader,
  finishFrames,
  FRAME_SEALED,
  FrameAt,
  frameSpan,
  SEGMENT_HEADER_BYTES,
  sealFrame,
  segmentFileName,
} from './format.ts'

export interface WriterState {
  readonly folder: string
  readonly segmentBytes: number
  /** Zeros kept in front of the frames, so that a write does not have to grow the file. 0: none. */
  readonly aheadBytes: number
  readonly salt: number
  readonly number: number
  readonly start: Position
  readonly tail: Position
  readonly chain: number
  readonly spares: readonly number[]
  /** Seals the frames that say so. */
  readonly sealing?: { readonly number: number; readonly key: Uint8Array }
}

interface Segment {
  readonly number: number
  readonly file: File
  /** Bytes of the file; what lies behind `end` are zeros or an older use's. */
  allocated: number
  end: number
}

const SPARES_MAX = 3
const ZERO_BYTES_MIN = 256 * 1024
const ZERO_BYTES_MAX = 1024 * 1024
const LARGE_GROUP_BYTES = 512 * 1024

export class GroupWriter {
  readonly #files: Files
  readonly #folder: string
  readonly #segmentBytes: number
  readonly #aheadBytes: number
  readonly #salt: number
  readonly #zeros: Buffer
  readonly #sealing: WriterState['sealing']
  readonly #random: Random = systemRandom()
  /** Where a group is sealed: in memory its frames stay open, for those who read it there. */
  #sealed: Buffer | undefined
  #groupBytes = 0
  #chain: number
  #start: Position
  #active: Segment
  #spares: Segment[] = []
  #trimmed: number[] = []
  #unwanted: number[] = []
  #prepares = true
  #recycles = true

  constructor(files: Files, state: WriterState) {
    this.#files = files
    this.#folder = state.folder
    this.#segmentBytes = state.segmentBytes
    this.#aheadBytes = Math.min(state.aheadBytes, state.segmentBytes)
    this.#salt = state.salt
    this.#sealing = state.sealing
    this.#chain = state.chain
    this.#start = state.start
    this.#zeros = Buffer.alloc(Math.min(ZERO_BYTES_MAX, this.#aheadBytes / 2))
    this.#active = this.#open(state.number, SEGMENT_HEADER_BYTES + state.tail - state.start)
    for (const number of state.spares) {
      if (number === state.number + 1 + this.#spares.length && this.#spares.length < SPARES_MAX) this.#spares.push(this.#open(number, 0))
      else this.#unwanted.push(number)
    }
  }

  /**
   * Writes a group durably: `first` bytes of frames to the segment at hand and, when `second` is not 0, that many more (room for a segment
   * header, then frames) to the next one. Fills in what only the writer knows. Throws the system's error; nothing may be written after.
   */
  write(open: Buffer, first: number, second: number): void {
    this.#groupBytes = first + second
    const group = this.#seal(open, first, second)
    if (first > 0) {
      this.#chain = finishFrames(group, 0, first, this.#chain, this.#salt)
      this.#writeAll(this.#active, group, 0, first)
    }
    if (second === 0) return
    const { number, end } = this.#active
    const prepared = this.#spares.shift()
    const next = prepared ?? this.#create(number + 1)
    // Before a byte is written: were a recycled file's new name lost, its old one must still hold what it held.
    if (prepared === undefined) this.#files.syncFolder(this.#folder)
    this.#start += end - SEGMENT_HEADER_BYTES
    encodeSegmentHeader({ number: next.number, start: this.#start, chain: this.#chain, salt: this.#salt }, group, first)
    this.#chain = finishFrames(group, first + SEGMENT_HEADER_BYTES, first + second, this.#chain, this.#salt)
    this.#active.file.close()
    this.#active = next
    this.#writeAll(next, group, first, second)
  }

  #seal(open: Buffer, first: number, second: number): Buffer {
    const sealing = this.#sealing
    if (sealing === undefined) return open
    const group = (this.#sealed ??= Buffer.allocUnsafeSlow(open.length))
    open.copy(group, 0, 0, first + second)
    for (const [from, end] of [
      [0, first],
      [first + SEGMENT_HEADER_BYTES, first + second],
    ] as const)
      for (let at = from; at < end; at += frameSpan(group.readUInt32LE(at + FrameAt.length)))
        if ((group.readUInt8(at + FrameAt.flags) & FRAME_SEALED) !== 0) sealFrame(group, at, sealing, this.#random.bytes(NONCE_BYTES))
    return group
  }

  /** These segments, oldest first, are not needed any more. */
  recycle(numbers: readonly number[]): void {
    this.#trimmed.push(...numbers)
  }

  /** One small piece of housekeeping; false when there is nothing left to do. What fails is thrown, and not tried again in a hurry. */
  step(): boolean {
    return this.#discard() || this.#reuse() || this.#prepare()
  }

  close(): void {
    this.#active.file.close()
    for (const { file } of this.#spares) file.close()
  }

  #discard(): boolean {
    const number = this.#unwanted.pop()
    if (number === undefined) return false
    this.#files.remove(this.#path(number))
    return true
  }

  /** In order and one by one, and no further after a failure, so that there is never a gap between the segments. */
  #reuse(): boolean {
    const number = this.#trimmed[0]
    if (number === undefined || !this.#recycles) return false
    this.#recycles = false
    const next = this.#active.number + 1 + this.#spares.length
    const wanted = this.#spares.length < SPARES_MAX
    if (wanted) this.#files.rename(this.#path(number), this.#path(next))
    else this.#files.remove(this.#path(number))
    this.#files.syncFolder(this.#folder)
    if (wanted) this.#spares.push(this.#open(next, 0))
    this.#trimmed.shift()
    this.#recycles = true
    this.#prepares = true
    return true
  }

  #prepare(): boolean {
    if (!this.#prepares || this.#aheadBytes === 0) return false
    this.#prepares = false
    const prepared = this.#zero(this.#active, Math.min(this.#segmentBytes, this.#active.end + this.#aheadBytes)) || this.#prepareSpare()
    this.#prepares = true
    return prepared
  }

  #prepareSpare(): boolean {
    const [spare] = this.#spares
    if (spare !== undefined) return this.#zero(spare, this.#aheadBytes)
    if (this.#active.end < this.#segmentBytes / 4) return false
    const created = this.#create(this.#active.number + 1)
    this.#files.syncFolder(this.#folder)
    this.#spares.push(created)
    return true
  }

  #zero(segment: Segment, until: number): boolean {
    // A large group extends the file at little more than its own cost; zeros before it would have the disk write all of it twice.
    if (segment.allocated >= until || this.#groupBytes >= LARGE_GROUP_BYTES) return false
    // Faster than the frames come, or they would have to grow the file themselves, at more than twice the cost.
    const piece = Math.min(this.#zeros.length, Math.max(ZERO_BYTES_MIN, this.#groupBytes * 2))
    const length = Math.min(piece, until - segment.allocated)
    // Growing a file by little costs as much as a commit does: whole pieces, but for a file's last.
    if (length < piece && segment.end > 0 && until < this.#segmentBytes) return false
    segment.allocated += segment.file.write(this.#zeros, 0, length, segment.allocated)
    return true
  }

  /** What failed housekeeping left under the name is as good as a new file. */
  #create(number: number): Segment {
    if (this.#files.exists(this.#path(number))) return this.#open(number, 0)
    return { number, file: this.#files.open(this.#path(number), 'create', { durable: true }), allocated: 0, end: 0 }
  }

  #open(number: number, end: number): Segment {
    const file = this.#files.open(this.#path(number), 'write', { durable: true })
    return { number, file, allocated: file.size(), end }
  }

  #writeAll(segment: Segment, from: Buffer, offset: number, length: number): void {
    for (let done = 0; done < length;) {
      const bytes = segment.file.write(from, offset + done, length - done, segment.end)
      if (bytes === 0) throw new Error(`${this.#path(segment.number)} took none of ${length - done} bytes`)
      done += bytes
      segment.end += bytes
    }
    segment.allocated = Math.max(segment.allocated, segment.end)
  }

  #path(number: number): string {
    return join(this.#folder, segmentFileName(number))
  }
}
