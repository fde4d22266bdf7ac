// The lake's rows as lines of NDJSON, which any JSON tool reads: a head of our own, then the record byte for byte. The layout of the head
// is fixed, because readers cut the record out by its place. Format version 1.
//
//   {"position":N,"class":"aws","arrivedAt":N,"committedAt":N,"record":{...}}      an event; times in ms since 1970
//   {"position":N,"class":"attempt","record":{...}}                                an attempt at a delivery
import { assert } from '../../base/assert.ts'
import { EventClass } from '../../model/entry.ts'
import type { LakeRow } from '../lake.ts'
import type { Position } from '../journal.ts'

const CLASS_NAMES = new Map<number, string>(Object.entries(EventClass).map(([name, code]) => [code, name]))
const HEAD_BYTES_MAX = 160
const TAIL_BYTES = 2
const LINE_FEED = 0x0a
const BLANK = 0x20

/** Collects lines in a buffer that grows with them. */
export class LineBuffer {
  #buffer: Buffer
  #at = 0

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity)
  }

  static of(...lines: readonly Buffer[]): LineBuffer {
    const all = new LineBuffer(lines.reduce((sum, { length }) => sum + length, 0))
    for (const part of lines) all.#at += part.copy(all.#buffer, all.#at)
    return all
  }

  get length(): number {
    return this.#at
  }

  /** The lines so far; a view that stays as it is when more are added, until `clear`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  add(row: LakeRow): void {
    const { json } = row
    this.#reserve(HEAD_BYTES_MAX + json.length + TAIL_BYTES)
    const start = this.#at + this.#buffer.write(headOf(row), this.#at, 'latin1')
    json.copy(this.#buffer, start)
    let end = start + json.length
    // A record of several lines would break the next reader; between JSON's tokens a blank says the same.
    if (json.includes(LINE_FEED)) for (let at = start; at < end; at++) if (this.#buffer[at] === LINE_FEED) this.#buffer[at] = BLANK
    this.#buffer[end++] = 0x7d
    this.#buffer[end++] = LINE_FEED
    this.#at = end
  }

  clear(): void {
    this.#at = 0
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#at + bytes, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

function headOf(row: LakeRow): string {
  if (row.kind === 'attempt') return `{"position":${row.position},"class":"attempt","record":`
  const name = CLASS_NAMES.get(row.class)
  assert(name !== undefined, `an event class of the lake, not ${row.class}`)
  return `{"position":${row.position},"class":"${name}","arrivedAt":${row.arrivedAt},"committedAt":${row.committedAt},"record":`
}

const POSITION_AT = '{"position":'.length

/** The lines from the first whose position is at least `from` on. */
export function linesFrom(lines: Buffer, from: Position): Buffer {
  for (let at = 0; at < lines.length;) {
    if (positionAt(lines, at) >= from) return lines.subarray(at)
    const end = lines.indexOf(LINE_FEED, at)
    at = end === -1 ? lines.length : end + 1
  }
  return lines.subarray(lines.length)
}

function positionAt(lines: Buffer, at: number): Position {
  const start = at + POSITION_AT
  return Number(lines.toString('latin1', start, lines.indexOf(0x2c, start)))
}
