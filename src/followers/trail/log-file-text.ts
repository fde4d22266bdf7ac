// The text of a log file around its records, and how it is compressed.
import type { ZlibOptions } from 'node:zlib'
import { LOG_FILE_CLOSING, LOG_FILE_OPENING, LOG_FILE_SEPARATOR } from '../../model/log-file.ts'

/** The quickest: half the time of the default, for files that are a twentieth larger (bench/trail.ts). */
export const GZIP: ZlibOptions = { level: 1, memLevel: 9, chunkSize: 64 * 1024 }

const SEPARATOR = LOG_FILE_SEPARATOR.charCodeAt(0)
const LEAST_BYTES = 4096

export class LogFileText {
  #bytes = Buffer.allocUnsafe(LEAST_BYTES)
  #length = this.#bytes.write(LOG_FILE_OPENING, 'latin1')
  #hasRecords = false

  /** Takes a copy of the record that stands in `source` from `start` to `end`. */
  add(source: Buffer, start = 0, end = source.length): void {
    this.#makeRoom(1 + end - start)
    if (this.#hasRecords) this.#bytes[this.#length++] = SEPARATOR
    this.#hasRecords = true
    source.copy(this.#bytes, this.#length, start, end)
    this.#length += end - start
  }

  /** What came since the last call. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    // As much as the last time, and a little more.
    this.#bytes = Buffer.allocUnsafe(Math.max(LEAST_BYTES, bytes.length + (bytes.length >> 3)))
    this.#length = 0
    return bytes
  }

  /** The rest, to the end of the file. */
  end(): Buffer {
    this.#makeRoom(LOG_FILE_CLOSING.length)
    this.#length += this.#bytes.write(LOG_FILE_CLOSING, this.#length, 'latin1')
    return this.take()
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
