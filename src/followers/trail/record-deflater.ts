// Compresses the text of a log file as it grows. Most records are those before them but for times and ids, and the form that a record has
// is known before it comes here: then its matches need no search. A piece of text with many other records is zlib's, on another thread.
import type { Hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw } from 'node:zlib'
import { DeflateWriter, MATCH_BYTES_MIN, WINDOW_BYTES } from '../../base/deflate-writer.ts'
import { LOG_FILE_CLOSING, LOG_FILE_OPENING, LOG_FILE_SEPARATOR } from '../../model/log-file.ts'
import type { RecordTemplate } from '../../model/record-templates.ts'
import { GZIP } from './log-file-text.ts'

const SEPARATOR = LOG_FILE_SEPARATOR.charCodeAt(0)
const LEAST_BYTES = 4096
/** Of a piece's bytes, one in so many may be of records that resemble none. */
const UNLIKE_SHARE = 64
/** So few are not worth another thread. */
const UNLIKE_BYTES = 64
const TEMPLATES_KEPT_MAX = 4096
const NOTHING: readonly number[] = []
const WRITER = new DeflateWriter()

const deflate = promisify(deflateRaw)

export class RecordDeflater {
  /** What was deflated last, as far back as matches reach, and what came since. */
  #bytes = Buffer.allocUnsafe(LEAST_BYTES)
  #length = this.#bytes.write(LOG_FILE_OPENING, 'latin1')
  /** Where what came since begins. */
  #from = 0
  /** Of all text before `#bytes`. */
  #before = 0
  /** Where in the text the last record of a form begins. */
  readonly #last = new Map<RecordTemplate, number>()
  /** Records that came since and have one of their form within reach: where they begin, how far back it is, and their form. */
  readonly #starts: number[] = []
  readonly #distances: number[] = []
  readonly #templates: RecordTemplate[] = []
  #alikeBytes = 0
  #hasRecords = false
  #crc = 0
  readonly #hash: Hash | undefined

  /** `hash` takes in the text. */
  constructor(hash?: Hash) {
    this.#hash = hash
  }

  /** CRC-32 of the text so far. */
  get crc(): number {
    return this.#crc
  }

  /** Bytes of the text so far. */
  get textBytes(): number {
    return this.#before + this.#length
  }

  /** Bytes of text that came since the last piece. */
  get waitingBytes(): number {
    return this.#length - this.#from
  }

  /** Takes a copy of the record that stands in `source` from `start` to `end`, and has that form if one is given. */
  add(source: Buffer, start = 0, end = source.length, template?: RecordTemplate): void {
    this.#makeRoom(1 + end - start)
    if (this.#hasRecords) this.#bytes[this.#length++] = SEPARATOR
    this.#hasRecords = true
    if (template !== undefined) this.#note(template, end - start)
    source.copy(this.#bytes, this.#length, start, end)
    this.#length += end - start
  }

  /** Deflates what came since the last piece, into blocks that end at a byte; none is the last. */
  take(): Buffer | Promise<Buffer> {
    const text = this.#bytes.subarray(this.#from, this.#length)
    this.#hash?.update(text)
    this.#crc = crc32(text, this.#crc)
    const isAlike = text.length - this.#alikeBytes <= Math.max(UNLIKE_BYTES, text.length / UNLIKE_SHARE)
    const deflated = isAlike ? this.#write() : this.#deflateElsewhere(text)
    const from = Math.max(0, this.#length - WINDOW_BYTES)
    // What another thread reads stays as it is.
    const next = isAlike ? this.#bytes : Buffer.allocUnsafe(this.#bytes.length)
    this.#bytes.copy(next, 0, from, this.#length)
    this.#bytes = next
    this.#before += from
    this.#from = this.#length -= from
    this.#starts.length = this.#distances.length = this.#templates.length = this.#alikeBytes = 0
    return deflated
  }

  /** `take`, with the end of the file's text. */
  end(): Buffer | Promise<Buffer> {
    this.#makeRoom(LOG_FILE_CLOSING.length)
    this.#length += this.#bytes.write(LOG_FILE_CLOSING, this.#length, 'latin1')
    return this.take()
  }

  #note(template: RecordTemplate, length: number): void {
    const at = this.#before + this.#length
    const last = this.#last.get(template)
    this.#last.set(template, at)
    if (last !== undefined && at - last <= WINDOW_BYTES) {
      this.#starts.push(this.#length)
      this.#distances.push(at - last)
      this.#templates.push(template)
      this.#alikeBytes += length + 1
    } else if (this.#last.size > TEMPLATES_KEPT_MAX) this.#last.clear()
  }

  #deflateElsewhere(text: Buffer): Promise<Buffer> {
    const dictionary = this.#bytes.subarray(Math.max(0, this.#from - WINDOW_BYTES), this.#from)
    return deflate(text, { ...GZIP, finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary.length > 0 && { dictionary }) })
  }

  #write(): Buffer {
    const bytes = this.#bytes
    let distance = 0
    // Before `done` all is written, but for a match of that distance from `matched` on.
    let matched = this.#from
    let done = this.#from
    const literalsTo = (to: number): void => {
      if (done - matched >= MATCH_BYTES_MIN) {
        WRITER.match(done - matched, distance)
        matched = done
      }
      WRITER.literals(bytes, matched, to)
      matched = done = to
    }
    WRITER.begin(this.#length - this.#from)
    for (let record = 0; record < this.#starts.length; record++) {
      const start = this.#starts[record] ?? 0
      const back = this.#distances[record] ?? 0
      const fixed = this.#templates[record]?.fixed ?? NOTHING
      // Behind the last record of a form stands a separator, too.
      if (done > matched && done === start - 1) done = start
      if (done < start || back !== distance) literalsTo(start)
      distance = back
      for (let at = 0; at < fixed.length; at += 2) {
        const fixedFrom = start + (fixed[at] ?? 0)
        while (done < fixedFrom && bytes[done] === bytes[done - back]) done++
        if (done < fixedFrom) literalsTo(fixedFrom)
        done = start + (fixed[at + 1] ?? 0)
      }
    }
    literalsTo(done)
    WRITER.literals(bytes, done, this.#length)
    return WRITER.end()
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
