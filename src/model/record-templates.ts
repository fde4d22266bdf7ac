// Records resemble each other: two publishes of one program to one topic differ in the time and in ids alone. For who looks at every
// event there is, a record is compared with those before it instead of being parsed; what selectors look at is then known already.
// For records of our own serialising only: members in one order, no spaces, and ids that hold no quotes.
import type { SelectableEvent } from './event-selector.ts'
import { type Place, placesOf, textPlace } from './record-places.ts'

/** What all records of one form have in common. */
export interface RecordTemplate {
  readonly event: SelectableEvent
  /** Where each record has its eventTime and eventID, between the quotes; undefined when it has none. */
  readonly eventTime: Place | undefined
  readonly eventId: Place | undefined
}

interface Kept extends RecordTemplate {
  readonly bytes: Buffer
  /** What has to be equal: start, end, start, end, ... */
  readonly fixed: readonly number[]
}

const VARYING = new Set(['eventTime', 'requestParameters', 'responseElements', 'requestID', 'eventID', 'sharedEventID'] as const)
const SAME_LENGTH_MAX = 8
const KEPT_MAX = 2048
const UUID_CHARS = 36
const UUIDS = /"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"/g

export class RecordTemplates {
  readonly #byLength = new Map<number, Kept[]>()
  #kept = 0

  /** The form of the record that stands in `bytes` from `start` to `end`. Throws SyntaxError when it is no JSON. */
  match(bytes: Buffer, start: number, end: number): RecordTemplate {
    const alike = this.#byLength.get(end - start)
    if (alike !== undefined) for (const kept of alike) if (fits(kept, bytes, start)) return kept
    const made = templateOf(bytes.subarray(start, end))
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

function fits({ bytes, fixed }: Kept, others: Buffer, start: number): boolean {
  for (let at = 0; at < fixed.length; at += 2) {
    const [from = 0, to = 0] = [fixed[at], fixed[at + 1]]
    if (others.compare(bytes, from, to, start + from, start + to) !== 0) return false
  }
  return true
}

function templateOf(json: Buffer): Kept {
  const event = JSON.parse(json.toString('utf8')) as SelectableEvent
  const places = placesOf(json, VARYING)
  const [eventTime, eventId] = [textPlace(json, places.eventTime), textPlace(json, places.eventID)]
  const free = [eventTime, eventId, textPlace(json, places.requestID), textPlace(json, places.sharedEventID)].filter(
    (place) => place !== undefined,
  )
  for (const place of [places.requestParameters, places.responseElements]) {
    if (place === undefined) continue
    for (const { index } of json.toString('latin1', place.start, place.end).matchAll(UUIDS))
      free.push({ start: place.start + index + 1, end: place.start + index + 1 + UUID_CHARS })
  }
  free.sort((a, b) => a.start - b.start)
  const fixed: number[] = []
  let from = 0
  for (const { start, end } of free) {
    fixed.push(from, start)
    from = end
  }
  fixed.push(from, json.length)
  return { event, eventTime, eventId, bytes: Buffer.from(json), fixed }
}
