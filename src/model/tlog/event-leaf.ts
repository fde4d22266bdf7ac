// The leaf that stands for an event in the tree: one line that commits to the event's bytes without telling what is in it, so that the
// leaves can be published whole. Who verifies a trail's files learns from it whether the trail should hold the event, and when.
//
//   sealcast/1 <class> <category> <recipient account> <region> <event time> <event id> <SHA-256 of the event's JSON, hexadecimal>
//
// Class: aws, own, imported, channel (model/entry.ts), with `-caused` behind it where the delivery of the record itself caused the event.
// Category: eventCategory in lower case. What the event lacks is `-`. The JSON is the very bytes that a log file holds. A leaf is at most
// 512 bytes of printable ASCII without a line feed.
import { hash } from 'node:crypto'
import { EventClass, type EventClassCode } from '../entry.ts'
import { type Place, placesOf, textPlace } from '../record-places.ts'
import { type RecordTemplate, RecordTemplates } from '../record-templates.ts'
import { LENGTH_BYTES } from './tiles.ts'

const VERSION = 'sealcast/1'
/** Behind the class of an event that the record's own delivery caused: a trail need not have it in a file yet. */
export const CAUSED = '-caused'
const FIELD_CHARS_MAX = 64
export const EVENT_LEAF_BYTES_MAX = 512
const SPACE = 0x20
const NOTHING = 0x2d
const NO_WORD = 0x3f

export interface EventLeaf {
  readonly class: string
  readonly category: string
  readonly account: string
  readonly region: string
  readonly time: string
  readonly eventId: string
  /** SHA-256 of the event's bytes, hexadecimal. */
  readonly hash: string
}

const CLASS_NAMES: Readonly<Record<EventClassCode, string>> = {
  [EventClass.aws]: 'aws',
  [EventClass.own]: 'own',
  [EventClass.imported]: 'imported',
  [EventClass.channel]: 'channel',
}

/** The line of an event of that class, by the event's own bytes. `isCaused`: what delivers or publishes the record caused the event. */
export function eventLeaf(eventClass: EventClassCode, json: Buffer, isCaused = false): string {
  const places = placesOf(json, FIELDS)
  const word = (name: (typeof NAMES)[number]): string => wordAt(json, textPlace(json, places[name]))
  const className = `${CLASS_NAMES[eventClass]}${isCaused ? CAUSED : ''}`
  const beginning = `${VERSION} ${className} ${word('eventCategory').toLowerCase()} ${word('recipientAccountId')} ${word('awsRegion')}`
  return `${beginning} ${word('eventTime')} ${word('eventID')} ${hash('sha256', json, 'hex')}`
}

/** Lines of many events that were serialised here, most of which resemble each other, in the form of a bundle (tiles.ts). */
export class EventLeaves {
  readonly #templates = new RecordTemplates()
  /** By class, caused events apart: how the line of a record of that form begins. */
  readonly #beginnings = new Map<number, WeakMap<RecordTemplate, Buffer>>()
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #length = 0
  #count = 0

  /** Lines since they were taken last. */
  get count(): number {
    return this.#count
  }

  /** Adds the line of the event whose JSON stands in `bytes` from `start` to `end`. */
  add(eventClass: EventClassCode, isCaused: boolean, bytes: Buffer, start: number, end: number): void {
    const room = this.#length + LENGTH_BYTES + EVENT_LEAF_BYTES_MAX
    if (room > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.max(room, this.#bytes.length * 2))
    const into = this.#bytes
    const from = this.#length + LENGTH_BYTES
    const json = bytes.subarray(start, end)
    const template = this.#templates.match(bytes, start, end)
    const beginning = this.#beginning(template, eventClass, isCaused, json)
    let at = from + beginning.copy(into, from)
    at = writeWord(json, template.eventTime, into, at)
    into[at++] = SPACE
    at = writeWord(json, template.eventId, into, at)
    into[at++] = SPACE
    at += into.write(hash('sha256', json, 'hex'), at, 'latin1')
    into.writeUInt16BE(at - from, this.#length)
    this.#length = at
    this.#count++
  }

  /** The lines since the last call: a view that the next line overwrites. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#length = this.#count = 0
    return taken
  }

  #beginning(template: RecordTemplate, eventClass: EventClassCode, isCaused: boolean, json: Buffer): Buffer {
    const kind = isCaused ? -eventClass : eventClass
    let beginnings = this.#beginnings.get(kind)
    if (beginnings === undefined) this.#beginnings.set(kind, (beginnings = new WeakMap()))
    let beginning = beginnings.get(template)
    if (beginning === undefined) {
      const words = eventLeaf(eventClass, json, isCaused).split(' ', BEGINNING_WORDS)
      beginnings.set(template, (beginning = Buffer.from(`${words.join(' ')} `)))
    }
    return beginning
  }
}

const BEGINNING_WORDS = 5

/** Undefined for what is no leaf of ours. */
export function parseLeaf(leaf: Buffer): EventLeaf | undefined {
  if (leaf.length > EVENT_LEAF_BYTES_MAX) return undefined
  const words = leaf.toString('latin1').split(' ')
  const [version, name = '', category = '', account = '', region = '', time = '', eventId = '', hash = '', ...more] = words
  if (version !== VERSION || more.length > 0 || !/^[0-9a-f]{64}$/.test(hash)) return undefined
  return { class: name, category, account, region, time, eventId, hash }
}

const NAMES = ['eventTime', 'awsRegion', 'eventID', 'recipientAccountId', 'eventCategory'] as const
const FIELDS = new Set(NAMES)

/** A text of the event as a word of the line: what is no word is made one. */
function wordAt(json: Buffer, place: Place | undefined): string {
  const word = Buffer.alloc(FIELD_CHARS_MAX)
  return word.toString('latin1', 0, writeWord(json, place, word, 0))
}

/** The same, written into `into` at `at`; gives where it ends. */
function writeWord(json: Buffer, place: Place | undefined, into: Buffer, at: number): number {
  if (place === undefined || place.start >= place.end) {
    into[at] = NOTHING
    return at + 1
  }
  const end = Math.min(place.end, place.start + FIELD_CHARS_MAX)
  for (let from = place.start; from < end; from++) {
    const byte = json[from] ?? 0
    into[at++] = byte < 0x21 || byte > 0x7e ? NO_WORD : byte
  }
  return at
}
