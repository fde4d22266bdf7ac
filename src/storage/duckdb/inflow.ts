// Rows on their way in: lines in memory until there are enough for a chunk, which is compressed off the main thread and then written. Rows
// that cannot be written wait and are tried again; nothing is visible in two places at once.
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Position } from '../journal.ts'
import type { LakeBatch } from '../lake.ts'
import type { Chunks } from './chunks.ts'
import { LineBuffer } from './lines.ts'

export interface InflowOptions {
  readonly chunks: Chunks
  /** Where the rows that are kept end. */
  readonly from: Position
  readonly chunkBytes: number
  readonly clock: Clock
  readonly log: Log
  /** A chunk of so many bytes of lines is written. */
  readonly onChunk: (plainBytes: number) => void
}

/** Rows between two positions: compressed lines in a file or in memory, or plain lines. */
export interface HeldRows {
  readonly upTo: Position
  readonly held: string | Buffer
  readonly compressed: boolean
}

interface Span {
  readonly from: Position
  readonly upTo: Position
  readonly newest: number
  readonly lines: LineBuffer
}

const FIRST_BYTES = 64 * 1024
/** Unwritten chunks' worth of lines that may wait in memory while writing fails. */
const CHUNKS_WAITING_MAX = 4

export class Inflow {
  readonly #options: InflowOptions
  #checkpoint: Position
  #appended: Position
  #pending = new LineBuffer(FIRST_BYTES)
  /** What the last chunk was made of: memory that is touched already. */
  #spare: LineBuffer | undefined
  #pendingFrom: Position
  #newest = 0
  #sealing: Span | undefined
  #sealed: Promise<void> = Promise.resolve()

  constructor(options: InflowOptions) {
    this.#options = options
    this.#checkpoint = options.from
    this.#appended = options.from
    this.#pendingFrom = options.from
  }

  get checkpoint(): Position {
    return this.#checkpoint
  }

  get appended(): Position {
    return this.#appended
  }

  /** Bytes of lines that are in no chunk yet. */
  get waitingBytes(): number {
    return this.#pending.length + (this.#sealing?.lines.length ?? 0)
  }

  async append({ rows, upTo }: LakeBatch): Promise<void> {
    const { chunkBytes } = this.#options
    if (this.waitingBytes >= chunkBytes * CHUNKS_WAITING_MAX) await this.flush()
    // From here to the next await nothing else runs, so that rows are taken once however many append them.
    if (upTo <= this.#appended) return
    for (const row of rows) {
      if (row.position < this.#appended) continue
      this.#pending.add(row)
      if (row.kind === 'event' && row.committedAt > this.#newest) this.#newest = row.committedAt
    }
    this.#appended = upTo
    while (this.#pending.length >= chunkBytes && this.#sealing !== undefined) await this.#sealed
    if (this.#pending.length >= chunkBytes) this.#seal().catch(() => undefined)
  }

  async flush(): Promise<void> {
    while (this.#appended > this.#checkpoint) await (this.#sealing === undefined ? this.#seal() : this.#sealed)
  }

  /** The next rows behind `after`, wherever they are; undefined when there are none. */
  next(after: Position): HeldRows | undefined {
    const chunk = this.#options.chunks.list().find(({ upTo }) => upTo > after)
    if (chunk !== undefined) return { upTo: chunk.upTo, held: chunk.held, compressed: true }
    const sealing = this.#sealing
    // Copies: the buffers are filled again while a reader is still at them.
    if (sealing !== undefined && sealing.upTo > after)
      return { upTo: sealing.upTo, held: Buffer.from(sealing.lines.bytes), compressed: false }
    return this.#appended > after ? { upTo: this.#appended, held: Buffer.from(this.#pending.bytes), compressed: false } : undefined
  }

  /** Makes a chunk of the lines that wait. One at a time. */
  #seal(): Promise<void> {
    assert(this.#sealing === undefined, 'one chunk of the lake at a time')
    const { chunks, clock, log, onChunk } = this.#options
    const newest = this.#newest === 0 ? clock.now() : this.#newest
    const span = { from: this.#pendingFrom, upTo: this.#appended, newest, lines: this.#pending }
    this.#sealing = span
    this.#pending = this.#spare ?? new LineBuffer(FIRST_BYTES)
    this.#spare = undefined
    this.#pendingFrom = span.upTo
    const adding = chunks.add(span.lines.bytes, span).then(
      () => {
        this.#sealing = undefined
        this.#checkpoint = span.upTo
        onChunk(span.lines.length)
        span.lines.clear()
        this.#spare = span.lines
      },
      (error: unknown) => {
        this.#putBack(span)
        throw error
      },
    )
    this.#sealed = adding.catch((error: unknown) => {
      log.error('the lake could not write a chunk; its rows stay in memory and are tried again', { error: String(error) })
    })
    return adding
  }

  /** Lines that could not be written stand before those that came since. */
  #putBack(span: Span): void {
    this.#pending = LineBuffer.of(span.lines.bytes, this.#pending.bytes)
    this.#pendingFrom = span.from
    this.#sealing = undefined
  }
}
