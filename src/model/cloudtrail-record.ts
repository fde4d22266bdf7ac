// Reading CloudTrail files as the world has them: a Records envelope, an array, one record a line, single records, in any order of keys.
// Cuts bytes into records without rebuilding them, so that what is kept is what was written; says what is wrong with what is none.
// Sources: AWS, "CloudTrail log file examples", "CloudTrail record contents", "Finding your CloudTrail log files".

import { isUtf8 } from 'node:buffer'

export const RECORD_BYTES_MAX = 4 * 1024 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const BLANK = 0x20

export interface CutRecord {
  /** Its place among the records of the file, from 0. */
  readonly index: number
  /** The record's own bytes; absent when it is larger than RECORD_BYTES_MAX. */
  readonly bytes: Buffer | undefined
}

/** The file cannot be read as JSON from some place on. */
export class NotCloudTrail extends Error {
  override name = 'NotCloudTrail'
}

/**
 * Takes a file's bytes in pieces of any size and gives its records. Knows nesting and strings, not grammar: each record is still to be
 * parsed. Throws NotCloudTrail on bytes that cannot be records, and at `end` when the file stops within one.
 */
export class RecordCutter {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where the value now being read begins in `#bytes`, or -1 between values. */
  #start = -1
  #depth = 0
  #inString = false
  /** Depth at which records stand: 0 at top level, 1 in an array, 2 in an envelope, Infinity in the rest of an envelope. */
  #level = 0
  #oversized = false
  #scalar = false
  #index = 0
  #consumed = 0
  #seen = false

  push(piece: Buffer): CutRecord[] {
    const kept = Math.min(this.#start === -1 ? this.#at : this.#start, this.#bytes.length)
    const rest = this.#bytes.length - kept
    this.#bytes = rest === 0 ? piece : Buffer.concat([this.#bytes.subarray(kept), piece])
    this.#consumed += kept
    this.#at -= kept
    if (this.#start !== -1) this.#start = 0
    return this.#scan()
  }

  /** The file is over. Gives what a line without a line feed still held back. */
  end(): CutRecord[] {
    const last: CutRecord[] = []
    if (this.#scalar && !this.#inString) this.#finish(this.#bytes.length, last)
    if (this.#start !== -1 || this.#depth > 0) {
      throw new NotCloudTrail(`the file ends in the middle of ${this.#start === -1 ? 'its list of records' : `record ${this.#index}`}`)
    }
    if (!this.#seen) throw new NotCloudTrail('the file is empty')
    return last
  }

  #scan(): CutRecord[] {
    const records: CutRecord[] = []
    const bytes = this.#bytes
    const length = bytes.length
    let inString = this.#inString
    let at = this.#at
    for (; at < length; at++) {
      const byte = bytes[at] ?? 0
      if (inString) {
        if (byte === BACKSLASH) at++
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) {
        inString = true
        if (this.#start === -1 && this.#depth === this.#level) this.#begin(at, true)
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#open(byte, at)
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#close(at, records)
      } else if (byte === COMMA || (byte <= BLANK && this.#level === 0)) {
        if (this.#scalar) this.#finish(at, records)
      } else if (byte > BLANK && this.#start === -1 && this.#depth === this.#level) {
        if (this.#level > 0) this.#begin(at, true)
        else if (!isByteOrderMark(byte)) throw new NotCloudTrail(`not JSON: ${excerpt(bytes, at)} at byte ${this.#consumed + at}`)
      }
    }
    // A backslash that ended the piece has stepped over a byte that is yet to come: `at` may be one beyond the end.
    this.#at = at
    this.#inString = inString
    if (this.#start !== -1 && length - this.#start > RECORD_BYTES_MAX) {
      if (this.#level === 0 && length - this.#start > 2 * RECORD_BYTES_MAX) {
        throw new NotCloudTrail(`a single object of more than ${2 * RECORD_BYTES_MAX} bytes without a list "Records"`)
      }
      if (this.#level > 0) {
        this.#oversized = true
        this.#start = length
      }
    }
    return records
  }

  #open(byte: number, at: number): void {
    if (this.#start === -1 && byte === OPEN_ARRAY && this.#depth === 0) {
      this.#seen = true
      this.#level = 1
    } else if (byte === OPEN_ARRAY && this.#level === 0 && this.#depth === 1 && isRecordsKey(this.#bytes, this.#start, at)) {
      this.#start = -1
      this.#level = 2
    } else if (this.#start === -1 && this.#depth === this.#level) {
      this.#begin(at, false)
    }
    this.#depth++
  }

  #close(at: number, records: CutRecord[]): void {
    if (this.#scalar) this.#finish(at, records)
    this.#depth--
    if (this.#depth < 0) throw new NotCloudTrail(`not JSON: ${excerpt(this.#bytes, at)} at byte ${this.#consumed + at}`)
    if (this.#start !== -1 && this.#depth === this.#level) this.#finish(at + 1, records)
    // The list of records is over; what an envelope holds beside it is nobody's record.
    else if (this.#depth < this.#level) this.#level = this.#depth === 0 ? 0 : Infinity
  }

  #begin(at: number, scalar: boolean): void {
    this.#seen = true
    this.#start = at
    this.#scalar = scalar
  }

  #finish(end: number, records: CutRecord[]): void {
    const tooLarge = this.#oversized || end - this.#start > RECORD_BYTES_MAX
    records.push({ index: this.#index++, bytes: tooLarge ? undefined : this.#bytes.subarray(this.#start, end) })
    this.#start = -1
    this.#scalar = false
    this.#oversized = false
  }
}

/** Whether the array that opens at `at` is the value of a key "Records". */
function isRecordsKey(bytes: Buffer, from: number, at: number): boolean {
  const before = bytes.toString('latin1', Math.max(from, at - 64), at)
  return /[{,]\s*"Records"\s*:\s*$/.test(before)
}

function isByteOrderMark(byte: number): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf
}

function excerpt(bytes: Buffer, at: number): string {
  return JSON.stringify(bytes.toString('utf8', at, Math.min(at + 12, bytes.length)))
}

export type CheckedRecord =
  | {
      readonly usable: true
      /** One line, UTF-8: the record as it was written, with blanks for the line breaks and tabs between its tokens. */
      readonly line: Buffer
      /** What tells it from all others: its eventID and account, or its content. */
      readonly identity: string
    }
  | { readonly usable: false; readonly reason: string }

/** Judges one cut record. Only what is no JSON object, or nothing like a CloudTrail record, is unusable; odd fields are no matter. */
export function checkRecord(bytes: Buffer | undefined): CheckedRecord {
  if (bytes === undefined) return { usable: false, reason: `longer than ${RECORD_BYTES_MAX} bytes` }
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { usable: false, reason: `not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (!isObject(value))
    return { usable: false, reason: `not an object but ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}` }
  if (!['eventName', 'eventSource', 'eventTime', 'eventVersion'].some((name) => typeof value[name] === 'string' && value[name] !== '')) {
    return { usable: false, reason: 'no CloudTrail record: eventName, eventSource, eventTime and eventVersion are all missing' }
  }
  return { usable: true, line: oneLine(bytes, text), identity: identityOf(value) }
}

function identityOf(record: Readonly<Record<string, unknown>>): string {
  const { eventID, recipientAccountId } = record
  if (typeof eventID !== 'string' || eventID === '') return `content ${canonicalJson(record)}`
  const account = typeof recipientAccountId === 'string' || typeof recipientAccountId === 'number' ? String(recipientAccountId) : ''
  return `id ${eventID} ${account}`
}

/** JSON with the keys in order: the same for the same content. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : inner,
  )
}

/** Raw control characters stand only between tokens of valid JSON, so that blanks in their place change nothing. */
function oneLine(bytes: Buffer, text: string): Buffer {
  const written = isUtf8(bytes) ? bytes : Buffer.from(text)
  if (!written.includes(0x0a) && !written.includes(0x0d) && !written.includes(0x09)) return written
  const line = Buffer.from(written)
  for (let at = 0; at < line.length; at++) if ((line[at] ?? BLANK) < BLANK) line[at] = BLANK
  return line
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Why a file of a CloudTrail bucket holds no events, judged by its path; undefined when it may hold some. */
export function skipReason(path: string): string | undefined {
  const name = path.replaceAll('\\', '/')
  if (/CloudTrail-Digest[/_]/.test(name)) return 'a digest file: it seals log files and holds no events'
  if (/CloudTrail-Insight[/_]/.test(name)) return 'an Insights file: its records are not API events'
  if (/CloudTrail-Aggregated[/_]/.test(name)) return 'a file of aggregated events: summaries, not events'
  if (/CloudTrail-Lake\/Query\//.test(name)) return 'a result of a CloudTrail Lake query'
  return undefined
}

/** Whether a file that stands in a folder is looked at; a file that is named itself always is. */
export function isRecordFile(name: string): boolean {
  return /\.(?:json|jsonl|ndjson)(?:\.gz)?$/i.test(name)
}

/** Judges a document that is no record but may be known: a digest under another name. */
export function documentReason(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 4096)
  return /"digestStartTime"\s*:/.test(head) && /"digestS3Bucket"\s*:/.test(head)
    ? 'a digest file: it seals log files and holds no events'
    : undefined
}
