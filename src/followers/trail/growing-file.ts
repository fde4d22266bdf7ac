// A log file that grows while its round is open: its records are compressed as they are read, so that the journal is read once and the
// work is spread over the interval. What has grown lies in memory alone; a plan without it is made from the journal (log-file-content.ts),
// with the same uncompressed bytes.
import { createHash, type Hash } from 'node:crypto'
import type { RecordTemplate } from '../../model/record-templates.ts'
import { RecordDeflater } from './record-deflater.ts'

export interface GrownFile {
  readonly chunks: readonly Buffer[]
  /** Hex SHA-256 of the uncompressed file, where it was asked for. */
  readonly hash: string | undefined
}

/** Each holds what waits to be compressed, and the text before it. */
const FILES_MAX = 32
const BYTES_MAX = 32 * 1024 * 1024
const PIECE_BYTES = 128 * 1024

/** RFC 1952: deflate, no name, no time, made quickly, on Unix. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3])
/** A last block with nothing in it; CRC and length come behind it. */
const LAST_BLOCK = [3, 0] as const

/** What may grow at a time, in all. */
export class GrowthBounds {
  files = 0
  bytes = 0

  get isReached(): boolean {
    return this.files >= FILES_MAX || this.isPassed
  }

  /** Files that grow have to be let go. */
  get isPassed(): boolean {
    return this.bytes >= BYTES_MAX
  }
}

export class GrowingFile {
  readonly #bounds: GrowthBounds
  readonly #hash: Hash | undefined
  readonly #text: RecordDeflater
  /** In the order of the file; a later one may be there first. */
  readonly #chunks: Buffer[] = [GZIP_HEADER]
  #compressed: Promise<unknown> = Promise.resolve()
  #bytes = 0
  #isBroken = false
  #isLetGo = false

  constructor(bounds: GrowthBounds, isHashed: boolean) {
    this.#bounds = bounds
    this.#hash = isHashed ? createHash('sha256') : undefined
    this.#text = new RecordDeflater(this.#hash)
    bounds.files++
  }

  /** Takes a copy of the record that stands in `source` from `start` to `end`; `template`: its form, where that is known. */
  add(source: Buffer, start?: number, end?: number, template?: RecordTemplate): void {
    this.#text.add(source, start, end, template)
  }

  /** Compresses what was added, if it is much; resolves when that is done. */
  async flush(): Promise<void> {
    if (this.#text.waitingBytes >= PIECE_BYTES) this.#compress(this.#text.take())
    await this.#compressed
  }

  /** The finished file; undefined when it could not be compressed. */
  async end(): Promise<GrownFile | undefined> {
    this.#compress(this.#text.end())
    const trailer = Buffer.from([...LAST_BLOCK, 0, 0, 0, 0, 0, 0, 0, 0])
    trailer.writeUInt32LE(this.#text.crc, LAST_BLOCK.length)
    trailer.writeUInt32LE(this.#text.textBytes % 2 ** 32, LAST_BLOCK.length + 4)
    this.#keep(this.#chunks.length, trailer)
    await this.#compressed
    this.#bounds.files--
    return this.#isBroken ? undefined : { chunks: this.#chunks, hash: this.#hash?.digest('hex') }
  }

  /** Lets go of a file whose records go elsewhere. */
  drop(): void {
    this.#bounds.files--
    this.free()
  }

  /** The finished file is needed no more. */
  free(): void {
    this.#isLetGo = true
    this.#bounds.bytes -= this.#bytes
    this.#bytes = 0
  }

  #compress(piece: Buffer | Promise<Buffer>): void {
    const at = this.#chunks.length
    if (Buffer.isBuffer(piece)) return this.#keep(at, piece)
    this.#chunks.push(NOTHING)
    const kept = piece.then(
      (chunk) => this.#keep(at, chunk),
      // A file that cannot grow is made from the journal.
      () => void (this.#isBroken = true),
    )
    this.#compressed = Promise.all([this.#compressed, kept])
  }

  #keep(at: number, chunk: Buffer): void {
    if (this.#isLetGo) return
    this.#chunks[at] = chunk
    this.#bytes += chunk.length
    this.#bounds.bytes += chunk.length
  }
}

const NOTHING = Buffer.alloc(0)
