// Looks at the records of log files: each once, and where a tree is given each with its very bytes among the leaves. What a digest vouches
// for is looked into only for the tree or on request. Records are cut out with the platform's own search, and with exact knowledge of JSON
// where that does not settle it.
import { hash } from 'node:crypto'
import { NotCloudTrail, RecordCutter } from '../model/cloudtrail-record.ts'
import { LOG_FILE_CLOSING, LOG_FILE_OPENING } from '../model/log-file.ts'
import { type Place, placesOf, textPlace } from '../model/record-places.ts'
import { Fingerprints, halvesOf, halvesOfText } from './fingerprints.ts'
import type { Findings } from './report.ts'

const BETWEEN = '},{"eventVersion":'
const EVENT_ID = '"eventID":"'
const UUID_CHARS = 36
const NAMES = new Set(['eventID', 'eventTime'] as const)
/** Files with duplicates or strangers are named up to this number of records each. */
const NAMED_PER_FILE = 20

export class Records {
  readonly #findings: Findings
  /** Hashes of the events in the tree; marked as their records are met. */
  readonly #leaves: Fingerprints | undefined
  readonly #newestLeaf: string
  readonly #ids = new Fingerprints()
  /** Look into the records of files that a digest vouches for, tree or not. */
  readonly #isThorough: boolean
  #duplicates = 0
  #newer = 0

  constructor(findings: Findings, tree: { readonly leaves: Fingerprints; readonly newestTime: string } | undefined, isThorough: boolean) {
    this.#isThorough = isThorough
    this.#findings = findings
    this.#leaves = tree?.leaves
    this.#newestLeaf = tree?.newestTime ?? ''
  }

  /** `isSealed`: a digest vouches for the bytes, which hence are what was written. */
  take(name: string, content: Buffer, isSealed: boolean): void {
    if (isSealed && this.#leaves === undefined && !this.#isThorough) return
    const text = content.toString('latin1')
    const isPlain = text.startsWith(LOG_FILE_OPENING) && text.endsWith(LOG_FILE_CLOSING)
    if (!isPlain || !isSealed) return this.takeExactly(name, [content])
    if (this.#leaves === undefined) this.#countIds(text)
    else if (!this.#matchLeaves(content, text, this.#leaves)) this.takeExactly(name, [content])
  }

  takeExactly(name: string, pieces: Iterable<Buffer>): void {
    const exact = this.exactly(name)
    for (const piece of pieces) exact.push(piece)
    exact.end()
  }

  /** For content that comes in pieces. */
  exactly(name: string): { push(piece: Buffer): void; end(): void } {
    const cutter = new RecordCutter()
    let named = 0
    let isOver = false
    const broken = (code: string, what: string): void => {
      if (++named <= NAMED_PER_FILE) this.#findings.broken(code, name, what)
    }
    const attempt = (cut: () => readonly { readonly index: number; readonly bytes: Buffer | undefined }[]): void => {
      if (isOver) return
      try {
        for (const { index, bytes } of cut()) this.#one(index, bytes, broken)
      } catch (error) {
        if (!(error instanceof NotCloudTrail)) throw error
        isOver = true
        broken('log-unreadable', error.message)
      }
    }
    return { push: (piece) => attempt(() => cutter.push(piece)), end: () => attempt(() => cutter.end()) }
  }

  close(): void {
    if (this.#newer > 0) {
      const what = `${this.#newer} records are newer than the tree's newest event, ${this.#newestLeaf}`
      this.#findings.unproved('records-newer', '', what, 'verify again with a newer checkpoint')
    }
    if (this.#duplicates > 0) {
      const what = `${this.#duplicates} records stand in the files more than once; delivery is at least once, and readers go by eventID`
      this.#findings.note('duplicates', '', what)
    }
  }

  #one(index: number, bytes: Buffer | undefined, broken: (code: string, what: string) => void): void {
    const { counts } = this.#findings
    counts.records++
    if (bytes === undefined) return broken('record-too-long', `record ${index} is longer than any record`)
    if (!isJsonObject(bytes)) return broken('record-unreadable', `record ${index} is no JSON object`)
    const places = placesOf(bytes, NAMES)
    const id = textAt(bytes, places.eventID)
    if (this.#leaves === undefined) {
      if (id !== undefined) this.#count(id)
      return
    }
    if (this.#mark(hash('sha256', bytes, 'hex'), this.#leaves)) return
    if ((textAt(bytes, places.eventTime) ?? '') >= this.#newestLeaf) this.#newer++
    else broken('record-unknown', `record ${index}, eventID ${id ?? 'absent'}: the tree has no event of these bytes`)
  }

  /** False when some record has no leaf by a quick cut: then nothing was counted or marked that an exact look would not repeat. */
  #matchLeaves(content: Buffer, text: string, leaves: Fingerprints): boolean {
    const hashes: string[] = []
    const end = text.length - LOG_FILE_CLOSING.length
    for (let from = LOG_FILE_OPENING.length; from < end;) {
      const next = text.indexOf(BETWEEN, from)
      const to = next < 0 ? end : next + 1
      const digest = hash('sha256', content.subarray(from, to), 'hex')
      if (!leaves.has(...halvesOf(digest))) return false
      hashes.push(digest)
      from = to + 1
    }
    this.#findings.counts.records += hashes.length
    for (const digest of hashes) this.#mark(digest, leaves)
    return true
  }

  #mark(digest: string, leaves: Fingerprints): boolean {
    const wasMarked = leaves.mark(...halvesOf(digest))
    if (wasMarked === undefined) return false
    this.#findings.counts.recordsProved++
    if (wasMarked) this.#duplicates++
    return true
  }

  #countIds(text: string): void {
    for (let at = text.indexOf(EVENT_ID); at >= 0; at = text.indexOf(EVENT_ID, at + UUID_CHARS)) {
      this.#findings.counts.records++
      const from = at + EVENT_ID.length
      this.#count(text.slice(from, from + UUID_CHARS))
    }
  }

  #count(id: string): void {
    const [high, low] = [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(24, 32), 16)]
    const isNew = Number.isNaN(high) || Number.isNaN(low) ? this.#ids.add(...halvesOfText(id)) : this.#ids.add(high, low)
    if (!isNew) this.#duplicates++
  }
}

function textAt(bytes: Buffer, value: Place | undefined): string | undefined {
  const place = textPlace(bytes, value)
  return place === undefined ? undefined : bytes.toString('latin1', place.start, place.end)
}

function isJsonObject(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
