// The journal over segment files. Frames are encoded straight into a slab whose place in the file is known; one slab is being written
// while the next fills. A flush starts at the end of a turn of the event loop, or a few turns later while calls come in waves; everything
// that completes does so on a turn of its own.
import type { Clock, Timer } from '../../base/clock.ts'
import { assert } from '../../base/assert.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Files } from '../files.ts'
import { JournalFailed, JournalFull } from '../journal.ts'
import type { Frame, Journal, JournalSegment, Position, Settled } from '../journal.ts'
import { NO_STORE_KEYS, type StoreKeys } from '../store-keys.ts'
import { type Commit, inlineCommit, threadCommit } from './commit.ts'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_SEAL_BYTES, FrameKind, type FrameKindCode, frameOffset, frameSpan } from './format.ts'
import { SEGMENT_HEADER_BYTES, segmentFileName, segmentNumber } from './format.ts'
import { ReadFiles } from './read-files.ts'
import { endOf, type Extent, Reads, startOf } from './reads.ts'
import { recover, type Recovered } from './recover.ts'
import { Ring } from './ring.ts'
import { createSlab, resetSlab, type Slab, stagedFrames, stageFrame } from './slab.ts'

export interface JournalOptions {
  readonly files: Files
  readonly folder: string
  readonly random: Random
  readonly clock: Clock
  readonly log?: Log
  /** `thread` needs files that another thread can open; `inline` writes on this one. */
  readonly writer: 'thread' | 'inline'
  /** Known to be on stable storage, and the position or end of a frame: what lies before was verified earlier. */
  readonly checkedFrom?: Position
  /** With a current key, frames are sealed from now on. */
  readonly keys?: StoreKeys
  readonly segmentBytes?: number
  /** The largest group; a frame can have 128 bytes less. */
  readonly slabBytes?: number
  /** How much of the newest is kept in memory; allocated as it is needed. */
  readonly ringBytes?: number
  /** Zeros written in front of the frames, so that a flush need not grow the file. */
  readonly aheadBytes?: number
  /** How long the journal is idle before it seals its last group. */
  readonly sealAfterMs?: number
  /** Runs something on a later turn; a simulation hands in its own. */
  readonly schedule?: (run: () => void) => void
}

export interface SegmentedJournal extends Journal {
  /** Bytes of all files, prepared ones included. */
  bytes(): number
}

const MIB = 1024 * 1024
const ENTRIES_MAX = 0xffff
/** Turns of the event loop that a group waits until it has as many frames as the one before. */
const TURNS_MAX = 3

/** Throws JournalDamaged or JournalTooNew, naming the file, and then has changed nothing; or the system's error. */
export async function openJournal(options: JournalOptions): Promise<SegmentedJournal> {
  return new OpenJournal(options)
}

class OpenJournal implements SegmentedJournal {
  readonly #files: Files
  readonly #folder: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #segmentBytes: number
  readonly #payloadBytesMax: number
  readonly #isSealed: boolean
  readonly #sealAfterMs: number
  readonly #schedule: (run: () => void) => void
  readonly #commit: Commit
  readonly #readFiles: ReadFiles
  readonly #ring: Ring
  readonly #extent: Extent
  readonly #reads: Reads
  readonly #durableListeners: ((frames: readonly Frame[]) => void)[] = []
  readonly #failureListeners: ((failure: Error) => void)[] = []
  #filling: Slab
  #spare: Slab
  #inFlight: Slab | undefined
  #flushScheduled = false
  /** Frames of the group before. */
  #groupFrames = 0
  #turnsWaited = 0
  /** What is left in the segment at the tail. */
  #room: number
  #endsSealed: boolean
  #idleSince = 0
  #sealTimer: Timer | undefined
  #failed: JournalFailed | undefined
  #closing: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(options: JournalOptions) {
    const { files, folder, log = silentLog, schedule = setImmediate, sealAfterMs = 50 } = options
    const { keys = NO_STORE_KEYS, segmentBytes = 64 * MIB, slabBytes = 4 * MIB, ringBytes = 64 * MIB } = options
    const { aheadBytes = options.writer === 'thread' ? 4 * MIB : 0 } = options
    assert(slabBytes % 8 === 0 && slabBytes <= FRAME_BYTES_MAX, 'slabs of a multiple of 8 bytes, below the largest frame')
    assert(segmentBytes >= slabBytes + SEGMENT_HEADER_BYTES && segmentBytes <= 1024 * MIB, 'segments that hold a slab, of at most 1 GiB')
    this.#files = files
    this.#folder = folder
    this.#clock = options.clock
    this.#log = log
    this.#segmentBytes = segmentBytes
    this.#isSealed = keys.current !== undefined
    this.#payloadBytesMax = slabBytes - SEGMENT_HEADER_BYTES - FRAME_HEADER_BYTES - FRAME_SEAL_BYTES
    this.#sealAfterMs = sealAfterMs
    this.#schedule = (run) => void schedule(run)
    // The thread starts while we recover.
    this.#commit = (options.writer === 'thread' ? threadCommit : inlineCommit)({
      files,
      slabBytes,
      schedule: this.#schedule,
      done: (failure) => this.#complete(failure),
      warn: (failure) => log.warn('journal: preparing or recycling a segment failed; commits go on', { reason: failure.message }),
    })
    const recovered = this.#recover(options)
    const last = recovered.segments.at(-1)
    assert(last !== undefined, 'a segment to write on')
    const [first, second] = this.#commit.slabs
    assert(first !== undefined && second !== undefined, 'two slabs')
    this.#filling = createSlab(0, first)
    this.#spare = createSlab(1, second)
    this.#extent = { segments: [...recovered.segments], durable: recovered.durable, tail: recovered.tail }
    this.#endsSealed = recovered.endsSealed
    this.#room = segmentBytes - frameOffset(last.start, recovered.tail)
    this.#readFiles = new ReadFiles(files, folder)
    this.#ring = new Ring(Math.max(ringBytes, slabBytes), recovered.tail)
    this.#reads = new Reads({
      extent: this.#extent,
      ring: this.#ring,
      files: this.#readFiles,
      decoding: { salt: recovered.salt, keys },
      schedule: this.#schedule,
    })
    const { salt, tail, chain, spares } = recovered
    const writing = { folder, segmentBytes, aheadBytes, salt, number: last.number, start: last.start, tail, chain, spares }
    this.#commit.start({ ...writing, ...(keys.current !== undefined && { sealing: keys.current }) })
    this.#armSeal()
  }

  get start(): Position {
    return startOf(this.#extent)
  }

  get durable(): Position {
    return this.#extent.durable
  }

  get tail(): Position {
    return this.#extent.tail
  }

  append(payload: Uint8Array, entries: number, settled: Settled): Position {
    if (this.#failed !== undefined) throw this.#failed
    if (this.#closing !== undefined) throw new JournalFailed('the journal is closed')
    if (payload.length > this.#payloadBytesMax) {
      throw new RangeError(`a frame of ${payload.length} bytes: at most ${this.#payloadBytesMax} fit`)
    }
    if (entries > ENTRIES_MAX) throw new RangeError(`a frame of ${entries} entries: at most ${ENTRIES_MAX} are allowed`)
    return this.#stage(FrameKind.entries, payload, entries, settled)
  }

  read(from: Position, bytesMax: number): Promise<readonly Frame[]> {
    return this.#reads.read(from, bytesMax)
  }

  release(frames: readonly Frame[]): void {
    this.#reads.release(frames)
  }

  readBytes(position: Position, length: number): Buffer | Promise<Buffer> {
    return this.#reads.readBytes(position, length)
  }

  onDurable(listener: (frames: readonly Frame[]) => void): void {
    this.#durableListeners.push(listener)
  }

  onFailure(listener: (failure: Error) => void): void {
    this.#failureListeners.push(listener)
  }

  trim(before: Position): void {
    const numbers: number[] = []
    for (;;) {
      const [oldest, next] = this.#extent.segments
      // The next one must have something on stable storage, or a crash would find no segment at all.
      if (oldest === undefined || next === undefined || next.start > before || next.start >= this.#extent.durable) break
      this.#extent.segments.shift()
      this.#readFiles.drop(oldest.number)
      numbers.push(oldest.number)
    }
    if (numbers.length > 0 && this.#failed === undefined) this.#commit.recycle(numbers)
  }

  segments(): readonly JournalSegment[] {
    return this.#extent.segments.map(({ number, start }) => {
      const end = endOf(this.#extent, { number, start })
      const bytesUpTo = (position: Position): number => frameOffset(start, Math.min(end, position))
      return { start, end, bytes: this.#readFiles.size(number), file: segmentFileName(number), bytesUpTo }
    })
  }

  bytes(): number {
    const numbers = this.#files.list(this.#folder).flatMap((name) => segmentNumber(name) ?? [])
    return numbers.reduce((sum, number) => sum + this.#readFiles.size(number), 0)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#sealTimer?.cancel()
    await this.#idle()
    if (!this.#endsSealed && this.#failed === undefined) {
      this.#stage(FrameKind.seal, EMPTY, 0, undefined)
      await this.#idle()
    }
    await this.#commit.close()
    this.#readFiles.close()
  }

  #recover({ files, folder, random, checkedFrom }: JournalOptions): Recovered {
    try {
      const recovered = recover(files, folder, random, checkedFrom)
      const { torn, tail } = recovered
      if (torn) this.#log.warn('journal: cut the unfinished last group, which nobody was told of', { folder, position: tail })
      return recovered
    } catch (error) {
      void this.#commit.close()
      throw error
    }
  }

  #stage(kind: FrameKindCode, payload: Uint8Array, entries: number, settled: Settled | undefined): Position {
    const slab = this.#filling
    const isSealed = this.#isSealed && kind !== FrameKind.seal
    const span = frameSpan(FRAME_HEADER_BYTES + payload.length + (isSealed ? FRAME_SEAL_BYTES : 0))
    const rolls = span > this.#room
    const at = slab.used
    if (at + span + (rolls ? SEGMENT_HEADER_BYTES : 0) > slab.bytes.length) {
      throw new JournalFull('the journal is not written as fast as it is filled; try again')
    }
    const position = this.#extent.tail
    if (rolls) {
      slab.rollAt = at
      slab.used += SEGMENT_HEADER_BYTES
      this.#extent.segments.push({ number: (this.#extent.segments.at(-1)?.number ?? 0) + 1, start: position })
      this.#room = this.#segmentBytes - SEGMENT_HEADER_BYTES
    }
    stageFrame(slab, position, kind, payload, entries, settled, isSealed)
    this.#room -= span
    this.#extent.tail = position + span
    this.#endsSealed = kind === FrameKind.seal
    this.#scheduleFlush()
    return position
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#inFlight !== undefined) return
    this.#flushScheduled = true
    this.#schedule(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false
    if (this.#failed !== undefined || this.#inFlight !== undefined) return
    const slab = this.#filling
    // Whoever was answered comes again within a turn or two: fewer and larger groups cost each publish less.
    if (slab.frames < this.#groupFrames && this.#turnsWaited < TURNS_MAX && this.#closing === undefined) {
      this.#turnsWaited++
      return this.#scheduleFlush()
    }
    this.#turnsWaited = 0
    this.#groupFrames = slab.frames
    this.#filling = this.#spare
    this.#spare = slab
    this.#inFlight = slab
    const first = slab.rollAt < 0 ? slab.used : slab.rollAt
    this.#commit.write(slab.index, first, slab.used - first)
  }

  #complete(failure: Error | undefined): void {
    if (failure !== undefined) return this.#fail(failure)
    const slab = this.#inFlight
    if (slab === undefined) return
    const first = slab.rollAt < 0 ? slab.used : slab.rollAt
    this.#ring.write(slab.bytes, 0, first)
    if (slab.rollAt >= 0) this.#ring.write(slab.bytes, first + SEGMENT_HEADER_BYTES, slab.used)
    if (slab.entriesEnd >= 0) {
      this.#extent.durable = slab.entriesEnd
      this.#tell(slab)
    }
    for (let index = 0; index < slab.frames; index++) {
      const settled = slab.settled[index]
      // A call that nobody waits for any more is not kept until a group is as large again.
      slab.settled[index] = undefined
      settled?.()
    }
    resetSlab(slab)
    this.#inFlight = undefined
    if (this.#filling.frames > 0) return this.#scheduleFlush()
    this.#idleSince = this.#clock.monotonic()
    this.#armSeal()
    this.#onIdle?.()
  }

  #tell(slab: Slab): void {
    if (this.#durableListeners.length === 0) return
    const frames = stagedFrames(slab, this.#ring)
    for (const listener of this.#durableListeners) listener(frames)
  }

  #fail(failure: Error): void {
    if (this.#failed !== undefined) return
    const what = 'the journal could not be written, and is read-only until a restart'
    const failed = new JournalFailed(`${what}: ${failure.message}`, { cause: failure })
    this.#failed = failed
    this.#sealTimer?.cancel()
    this.#log.error('journal: a write failed; nothing is accepted until a restart', { folder: this.#folder, reason: failure.message })
    for (const listener of this.#failureListeners) listener(failed)
    for (const slab of [this.#inFlight, this.#filling]) {
      if (slab === undefined) continue
      for (let index = 0; index < slab.frames; index++) slab.settled[index]?.(failed)
    }
    this.#onIdle?.()
  }

  #idle(): Promise<void> {
    if (this.#failed !== undefined || (this.#inFlight === undefined && this.#filling.frames === 0)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** One timer for any number of groups: it looks at the clock when it fires. */
  #armSeal(): void {
    if (this.#sealTimer !== undefined || this.#endsSealed || this.#closing !== undefined) return
    const idleMs = this.#clock.monotonic() - this.#idleSince
    this.#sealTimer = this.#clock.after(Math.max(0, this.#sealAfterMs - idleMs), this.#sealWhenIdle)
  }

  readonly #sealWhenIdle = (): void => {
    this.#sealTimer = undefined
    if (this.#failed !== undefined || this.#closing !== undefined || this.#inFlight !== undefined || this.#filling.frames > 0) return
    if (this.#clock.monotonic() - this.#idleSince < this.#sealAfterMs) return this.#armSeal()
    if (!this.#endsSealed) this.#stage(FrameKind.seal, EMPTY, 0, undefined)
  }
}

const EMPTY = Buffer.alloc(0)
