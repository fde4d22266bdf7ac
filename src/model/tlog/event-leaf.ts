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

const VERSION = 'sealcast/1'
/** Behind the class of an event that the record's own delivery caused: a trail need not have it in a file yet. */
export const CAUSED = '-caused'
const FIELD_CHARS_MAX = 64
export const EVENT_LEAF_BYTES_MAX = 512

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
  return leafOf(
    `${VERSION} ${className} ${word('eventCategory').toLowerCase()} ${word('recipientAccountId')} ${word('awsRegion')}`,
    word('eventTime'),
    word('eventID'),
    json,
  )
}

/** Lines of many events that were serialised here, most of which resemble each other. */
export class EventLeaves {
  readonly #templates = new RecordTemplates()
  /** By class, caused events apart: how the line of a record of that form begins. */
  readonly #beginnings = new Map<number, WeakMap<RecordTemplate, string>>()

  /** The line of the event whose JSON stands in `bytes` from `start` to `end`. */
  leaf(eventClass: EventClassCode, isCaused: boolean, bytes: Buffer, start: number, end: number): string {
    const json = bytes.subarray(start, end)
    const template = this.#templates.match(bytes, start, end)
    const kind = isCaused ? -eventClass : eventClass
    let beginnings = this.#beginnings.get(kind)
    if (beginnings === undefined) this.#beginnings.set(kind, (beginnings = new WeakMap()))
    const beginning = beginnings.get(template)
    if (beginning !== undefined) return leafOf(beginning, wordAt(json, template.eventTime), wordAt(json, template.eventId), json)
    const leaf = eventLeaf(eventClass, json, isCaused)
    beginnings.set(template, leaf.split(' ', BEGINNING_WORDS).join(' '))
    return leaf
  }
}

const BEGINNING_WORDS = 5

function leafOf(beginning: string, eventTime: string, eventId: string, json: Buffer): string {
  return `${beginning} ${eventTime} ${eventId} ${hash('sha256', json, 'hex')}`
}

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
  if (place === undefined || place.start >= place.end) return '-'
  const end = Math.min(place.end, place.start + FIELD_CHARS_MAX)
  const text = json.toString('latin1', place.start, end)
  for (let at = place.start; at < end; at++) {
    const byte = json[at] ?? 0
    if (byte < 0x21 || byte > 0x7e) return text.replaceAll(/[^\x21-\x7e]/g, '?')
  }
  return text
}
