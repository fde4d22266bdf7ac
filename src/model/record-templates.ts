// Records resemble each other: two publishes of one program to one topic differ in the time and in ids alone. For who looks at every
// event there is, a record is compared with those before it instead of being parsed; what selectors look at is then known already.
// For records of our own serialising only: members in one order, no spaces, and ids that hold no quotes.
import type { SelectableEvent } from './event-selector.ts'
import { type Place, placesOf, textPlace } from './record-places.ts'

/** What all records of one form have in common. */
export interface RecordTemplate {
  /** What selectors look at; ids and times are those of the first record of the form. Throws SyntaxError when that is no JSON. */
  readonly event: SelectableEvent
  /** Where each record has its eventTime and eventID, between the quotes; undefined when it has none. */
  readonly eventTime: Place | undefined
  readonly eventId: Place | undefined
  /** What is equal in all records of the form: start, end, start, end, ... */
  readonly fixed: readonly number[]
}

class Kept implements RecordTemplate {
  readonly bytes: Buffer
  readonly eventTime: Place | undefined
  readonly eventId: Place | undefined
  readonly fixed: readonly number[]
  readonly view: DataView
  /** Where records of other forms differed last: most others do in one of both places, too. */
  differsAt = 0
  differedAt = 0
  #event: SelectableEvent | undefined

  constructor(json: Buffer) {
    const places = placesOf(json, VARYING)
    this.bytes = Buffer.from(json)
    this.view = new DataView(this.bytes.buffer)
    this.eventTime = textPlace(json, places.eventTime)
    this.eventId = textPlace(json, places.eventID)
    const free = [this.eventTime, this.eventId, textPlace(json, places.requestID), textPlace(json, places.sharedEventID)].filter(
      (place) => place !== undefined,
    )
    for (const place of [places.requestParameters, places.responseElements, places.additionalEventData]) {
      if (place === undefined) continue
      for (const { index, 0: found, 1: key = '' } of json.toString('latin1', place.start, place.end).matchAll(IDS))
        free.push({ start: place.start + index + key.length + 1, end: place.start + index + found.length - 1 })
    }
    this.fixed = complementOf(free, json.length)
  }

  /** Parsed when it is first asked for. Throws SyntaxError when the record is no JSON. */
  get event(): SelectableEvent {
    this.#event ??= JSON.parse(this.bytes.toString('utf8')) as SelectableEvent
    return this.#event
  }
}

const VARYING = new Set([
  'eventTime',
  'requestParameters',
  'responseElements',
  'requestID',
  'eventID',
  'sharedEventID',
  'additionalEventData',
] as const)
/** Names of one length make as many forms; most are told apart at a glance. */
const SAME_LENGTH_MAX = 1024
const KEPT_MAX = 2048
/** UUIDs, and S3's second request id with its key in front. */
const IDS = /("x-amz-id-2":)?"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<="x-amz-id-2":")[A-Za-z0-9+/=]+)"/g

export class RecordTemplates {
  readonly #byLength = new Map<number, Kept[]>()
  #kept = 0
  /** On the memory that the last record lay in: frames lie many to a chunk. */
  #memory: DataView = new DataView(new ArrayBuffer(0))

  /** The form of the record that stands in `bytes` from `start` to `end`. */
  match(bytes: Buffer, start: number, end: number): RecordTemplate {
    const alike = this.#byLength.get(end - start)
    if (alike !== undefined) {
      if (this.#memory.buffer !== bytes.buffer) this.#memory = new DataView(bytes.buffer)
      for (const kept of alike) {
        const { differsAt, differedAt, bytes: own } = kept
        if (bytes[start + differsAt] !== own[differsAt] || bytes[start + differedAt] !== own[differedAt]) continue
        if (fits(kept, this.#memory, bytes.byteOffset + start)) return kept
      }
    }
    const made = new Kept(bytes.subarray(start, end))
    this.#keep(made, alike)
    return made
  }

  #keep(made: Kept, alike: Kept[] | undefined): void {
    if (this.#kept >= KEPT_MAX) {
      this.#byLength.clear()
      this.#kept = 0
    } else if (alike !== undefined) {
      // The newest first: events of one kind come together.
      alike.unshift(made)
      if (alike.length > SAME_LENGTH_MAX) alike.pop()
      else this.#kept++
      return
    }
    this.#byLength.set(made.bytes.length, [made])
    this.#kept++
  }
}

/** Eight bytes at a time: half the time of a native comparison, which takes a tenth of a microsecond to begin. */
function fits(kept: Kept, others: DataView, start: number): boolean {
  const { bytes, view, fixed } = kept
  const own = bytes.byteOffset
  for (let run = 0; run < fixed.length; run += 2) {
    const to = fixed[run + 1] ?? 0
    let at = fixed[run] ?? 0
    while (at + 8 <= to && view.getBigUint64(own + at) === others.getBigUint64(start + at)) at += 8
    while (at < to && view.getUint8(own + at) === others.getUint8(start + at)) at++
    if (at >= to) continue
    kept.differedAt = kept.differsAt
    kept.differsAt = at
    return false
  }
  return true
}

function complementOf(free: Place[], length: number): readonly number[] {
  free.sort((a, b) => a.start - b.start)
  const fixed: number[] = []
  let from = 0
  for (const { start, end } of free) {
    fixed.push(from, start)
    from = end
  }
  fixed.push(from, length)
  return fixed
}
