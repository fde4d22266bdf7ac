// A log file that grows while its round is open: its records are compressed as they are read, so that the journal is read once and the
// work is spread over the interval. What has grown lies in memory alone; a plan without it is made from the journal (log-file-content.ts),
// with the same uncompressed bytes.
import { createHash, type Hash } from 'node:crypto'
import { createGzip, type Gzip } from 'node:zlib'
import { GZIP, LogFileText } from './log-file-text.ts'

export interface GrownFile {
  readonly chunks: readonly Buffer[]
  /** Hex SHA-256 of the uncompressed file, where it was asked for. */
  readonly hash: string | undefined
}

/** Compressors hold a quarter of a MiB each. */
const FILES_MAX = 32
const BYTES_MAX = 32 * 1024 * 1024

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
  readonly #gzip: Gzip
  readonly #hash: Hash | undefined
  readonly #text = new LogFileText()
  readonly #chunks: Buffer[] = []
  readonly #compressed: Promise<boolean>
  #written: Promise<void> = Promise.resolve()
  #bytes = 0

  constructor(bounds: GrowthBounds, isHashed: boolean) {
    this.#bounds = bounds
    this.#hash = isHashed ? createHash('sha256') : undefined
    this.#gzip = createGzip(GZIP)
    bounds.files++
    this.#gzip.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      bounds.bytes += chunk.length
    })
    this.#compressed = new Promise((resolve) => {
      this.#gzip.once('end', () => resolve(true))
      this.#gzip.once('close', () => resolve(false))
      // A file that cannot grow is made from the journal.
      this.#gzip.once('error', () => resolve(false))
    })
  }

  /** Takes a copy of the record that stands in `source` from `start` to `end`. */
  add(source: Buffer, start?: number, end?: number): void {
    this.#text.add(source, start, end)
  }

  /** Takes in what was added; resolves when it is compressed. */
  flush(): Promise<void> {
    const bytes = this.#text.take()
    if (bytes.length > 0) this.#write(bytes)
    return this.#written
  }

  /** The finished file; undefined when it could not be compressed. */
  async end(): Promise<GrownFile | undefined> {
    this.#write(this.#text.end())
    this.#gzip.end()
    const isWhole = await this.#compressed
    this.#bounds.files--
    return isWhole ? { chunks: this.#chunks, hash: this.#hash?.digest('hex') } : undefined
  }

  /** Lets go of a file whose records go elsewhere. */
  drop(): void {
    this.#bounds.files--
    this.free()
    this.#gzip.destroy()
  }

  /** The finished file is needed no more. */
  free(): void {
    this.#bounds.bytes -= this.#bytes
    this.#bytes = 0
  }

  #write(bytes: Buffer): void {
    this.#hash?.update(bytes)
    this.#written = new Promise((resolve) => this.#gzip.write(bytes, () => resolve()))
  }
}
