// The text of a log file around its records, in pieces.
import { LOG_FILE_CLOSING, LOG_FILE_OPENING, LOG_FILE_SEPARATOR } from '../../model/log-file.ts'

/** Half the time of the default, for files that are a twentieth larger (bench/trail.ts). */
export const GZIP_LEVEL = 1

const OPENING = Buffer.from(LOG_FILE_OPENING)
const SEPARATOR = Buffer.from(LOG_FILE_SEPARATOR)
const CLOSING = Buffer.from(LOG_FILE_CLOSING)

export class LogFileText {
  #pieces: Buffer[] = [OPENING]
  #hasRecords = false

  /** The record may be a view on what lives until the next `take`. */
  add(record: Buffer): void {
    if (this.#hasRecords) this.#pieces.push(SEPARATOR)
    this.#hasRecords = true
    this.#pieces.push(record)
  }

  /** A copy of what came since the last call. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    return bytes
  }

  /** The rest, to the end of the file. */
  end(): Buffer {
    this.#pieces.push(CLOSING)
    return this.take()
  }
}
