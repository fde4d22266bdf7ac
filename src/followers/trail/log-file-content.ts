// The content of a planned log file, made from the journal: the same plan always gives the same bytes, whenever it is asked.
import type { Hash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGzip, type Gzip } from 'node:zlib'
import type { Env } from '../../engine/env.ts'
import { LOG_FILE_CLOSING, LOG_FILE_OPENING, LOG_FILE_SEPARATOR } from '../../model/log-file.ts'
import { Table } from '../../model/tables.ts'
import type { PlannedFile } from '../../model/trail.ts'
import type { Frame } from '../../storage/journal.ts'
import { carriedKey } from './plan-keys.ts'
import type { KeyedPlan, RecordPlaces } from './rounds.ts'
import { TrailViews } from './trail-views.ts'

/** Half the time of the default, for files that are a twentieth larger (bench/trail.ts). */
const GZIP_LEVEL = 1
/** A step of reading; small, because its records are parsed in one go. */
const READ_BYTES = 256 * 1024

/** The gzip stream of the file. Who does not read it to the end MUST destroy it. `hash` takes in the uncompressed file on the way. */
export function logFileContent(env: Env, planned: Pick<KeyedPlan, 'plan' | 'places'>, hash?: Hash): Gzip {
  const gzip = createGzip({ level: GZIP_LEVEL })
  // A failure reaches the reader through the gzip stream itself.
  pipeline(Readable.from(logFileText(env, planned, hash), { objectMode: false }), gzip, () => {})
  return gzip
}

async function* logFileText(
  { journal, tables }: Env,
  { plan, places }: Pick<KeyedPlan, 'plan' | 'places'>,
  hash: Hash | undefined,
): AsyncGenerator<Buffer> {
  let isFirst = true
  const pieces: Buffer[] = [Buffer.from(LOG_FILE_OPENING)]
  const add = (record: Buffer): void => {
    if (!isFirst) pieces.push(SEPARATOR)
    isFirst = false
    pieces.push(record)
  }
  if (plan.carried !== undefined)
    for (let number = plan.carried.first; number <= plan.carried.last; number++) {
      const row = tables.get(Table.trailPlans, carriedKey(plan.trailArn, plan.region, number))
      if (row?.kind === 'carried') add(Buffer.from(row.json))
    }
  const addSelected = places === undefined ? selecting(plan, add) : placed(places, add)
  for (let at = plan.from; at < plan.to;) {
    const frames = await journal.read(at, READ_BYTES)
    const last = frames.at(-1)
    if (last === undefined) break
    for (const frame of frames) if (frame.position < plan.to) addSelected(frame)
    yield hashed(Buffer.concat(pieces.splice(0)), hash)
    journal.release(frames)
    at = last.end
  }
  pieces.push(Buffer.from(LOG_FILE_CLOSING))
  yield hashed(Buffer.concat(pieces), hash)
}

function hashed(bytes: Buffer, hash: Hash | undefined): Buffer {
  hash?.update(bytes)
  return bytes
}

const SEPARATOR = Buffer.from(LOG_FILE_SEPARATOR)

type AddSelected = (frame: Frame) => void

function selecting({ selection, trailArn, region }: PlannedFile, add: (record: Buffer) => void): AddSelected {
  const views = new TrailViews(selection === undefined ? [] : [selection], trailArn)
  return (frame) =>
    views.read(frame, (selected) => {
      if (selected.region === region) add(frame.payload.subarray(selected.start, selected.end))
    })
}

function placed(places: RecordPlaces, add: (record: Buffer) => void): AddSelected {
  let at = 0
  return ({ position, payload }) => {
    for (; places[at] === position; at += 3) add(payload.subarray(places[at + 1], places[at + 2]))
  }
}
