// The leaf that stands for an event in the tree: one line that commits to the event's bytes without telling what is in it, so that the
// leaves can be published whole. Who verifies a trail's files learns from it whether the trail should hold the event, and when.
//
//   sealcast/1 <class> <category> <recipient account> <region> <event time> <event id> <SHA-256 of the event's JSON, hexadecimal>
//
// Class: aws, own, imported, channel (model/entry.ts). Category: eventCategory in lower case. What the event lacks is `-`. The JSON is the
// very bytes that a log file holds. A leaf is at most 512 bytes of printable ASCII without a line feed.
import { hash } from 'node:crypto'
import { EventClass, type EventClassCode } from '../entry.ts'
import { scanTopLevel } from './json-scan.ts'

const VERSION = 'sealcast/1'
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

/** The line of an event of that class, by the event's own bytes alone. */
export function eventLeaf(eventClass: EventClassCode, json: Buffer): string {
  const text = json.toString('latin1')
  let scanned: ReadonlyMap<string, Place> | undefined
  const word = (key: string): string => {
    const at = text.indexOf(key)
    if (at < 0) return '-'
    const from = at + key.length
    // Mostly a key stands in an event once, and then a search finds it; else only the nesting tells which is the event's own.
    if (text.indexOf(key, from) < 0) return wordOf(text.slice(from, Math.min(text.indexOf('"', from), from + FIELD_CHARS_MAX)))
    const place = (scanned ??= scanTopLevel(json, NAMES)).get(key.slice(1, -3))
    return place === undefined ? '-' : wordOf(text.slice(place[0], Math.min(place[1], place[0] + FIELD_CHARS_MAX)))
  }
  return (
    `${VERSION} ${CLASS_NAMES[eventClass]} ${word('"eventCategory":"').toLowerCase()} ${word('"recipientAccountId":"')} ` +
    `${word('"awsRegion":"')} ${word('"eventTime":"')} ${word('"eventID":"')} ${hash('sha256', json, 'hex')}`
  )
}

/** Undefined for what is no leaf of ours. */
export function parseLeaf(leaf: Buffer): EventLeaf | undefined {
  if (leaf.length > EVENT_LEAF_BYTES_MAX) return undefined
  const words = leaf.toString('latin1').split(' ')
  const [version, name = '', category = '', account = '', region = '', time = '', eventId = '', hash = '', ...more] = words
  if (version !== VERSION || more.length > 0 || !/^[0-9a-f]{64}$/.test(hash)) return undefined
  return { class: name, category, account, region, time, eventId, hash }
}

type Place = readonly [from: number, to: number]

const NAMES: readonly string[] = ['eventTime', 'awsRegion', 'eventID', 'recipientAccountId', 'eventCategory']

/** What is no word of a line is made one. */
function wordOf(text: string): string {
  if (text === '') return '-'
  return WORD.test(text) ? text : text.replaceAll(/[^\x21-\x7e]/g, '?')
}
const WORD = /^[\x21-\x7e]+$/
