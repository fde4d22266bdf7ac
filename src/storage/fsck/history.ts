// The event history as its file holds it: every value's checksum, and that each group has all its parts. What is lost of it is lost for
// LookupEvents alone: the lake tells the same events.
import {
  CHUNK_EVENTS,
  decodeValue,
  firstOf,
  type GroupHead,
  HASH_BYTES,
  type Head,
  HEAD_KEY,
  HISTORY_FORMAT,
  Part,
} from '../history/format.ts'
import { FsckRefused } from '../fsck.ts'
import type { Position } from '../journal.ts'
import { type Check, damage } from './check.ts'
import { readEnvironment } from './records.ts'
import type { Salvage } from './repair.ts'

export const HISTORY_FILE = 'history/data.mdb'
const VALUES_PER_STEP = 2000

export interface HistoryPicture {
  /** 0 without a history. */
  readonly checkpoint: Position
  readonly events: number
}

export async function checkHistory(check: Check): Promise<HistoryPicture> {
  const chunksLeft = new Map<number, number>()
  let checkpoint = 0
  let events = 0
  let postings = 0
  let values = 0
  for (const { key, value } of readEnvironment(check, HISTORY_FILE, () => {})) {
    if (++values % VALUES_PER_STEP === 0) await check.step('history', 0.5)
    const payload = decodeValue(key, value)
    if (payload === undefined) {
      damage(check, HISTORY_FILE, `${NAMES[key[0] ?? -1] ?? 'a value'} of the event history fails its checksum`)
      continue
    }
    switch (key[0]) {
      case Part.head:
        checkpoint = checkpointOf(check, payload)
        break
      case Part.group: {
        const { count } = JSON.parse(payload.toString('utf8')) as GroupHead
        chunksLeft.set(firstOf(key), Math.ceil(count / CHUNK_EVENTS))
        events += count
        break
      }
      case Part.chunk:
        chunksLeft.set(firstOf(key), (chunksLeft.get(firstOf(key)) ?? 0) - 1)
        break
      case Part.terms:
        postings += payload.length / HASH_BYTES
        break
      case Part.postings:
        postings--
        break
      default:
    }
  }
  for (const [first, left] of chunksLeft)
    if (left !== 0) damage(check, HISTORY_FILE, `${left} parts of the group of event ${first} are missing`)
  if (postings !== 0)
    damage(check, HISTORY_FILE, `${Math.abs(postings)} lists of events ${postings > 0 ? 'are missing' : 'belong to no group'}`)
  await check.step('history', 1)
  return { checkpoint, events }
}

/** What the journal still tells comes back by itself. */
export function repairHistory(salvage: Salvage, { events }: HistoryPicture): void {
  salvage.move('history')
  salvage.lost(`up to ${events} events of the event history, for LookupEvents; queries still find them in the lake`)
}

const NAMES: Readonly<Record<number, string>> = {
  [Part.head]: `the head (key ${HEAD_KEY.toString('hex')})`,
  [Part.group]: 'the head of a group',
  [Part.chunk]: 'events',
  [Part.terms]: 'the terms of a group',
  [Part.postings]: 'a list of events',
}

function checkpointOf(check: Check, payload: Buffer): Position {
  const { format, checkpoint } = JSON.parse(payload.toString('utf8')) as Head
  if (format > HISTORY_FORMAT)
    throw new FsckRefused(
      `${check.path(HISTORY_FILE)} has format ${format}; this release knows up to ${HISTORY_FORMAT}. Use the release that wrote it.`,
    )
  return checkpoint
}
