// The content of a planned log file, made from the journal: the same plan always gives the same text, whenever it is asked.
import type { Hash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGzip, type Gzip } from 'node:zlib'
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import type { PlannedFile } from '../../model/trail.ts'
import { GZIP, LogFileText } from './log-file-text.ts'
import { carriedKey } from './plan-keys.ts'
import { TrailViews } from './trail-views.ts'

/** A step of reading; small, because its records are looked at in one go. */
const READ_BYTES = 256 * 1024

/** The gzip stream of the file. Who does not read it to the end MUST destroy it. `hash` takes in the uncompressed file on the way. */
export function logFileContent(env: Env, plan: PlannedFile, hash?: Hash): Gzip {
  const gzip = createGzip(GZIP)
  // A failure reaches the reader through the gzip stream itself.
  pipeline(Readable.from(logFileText(env, plan, hash), { objectMode: false }), gzip, () => {})
  return gzip
}

async function* logFileText({ journal, tables }: Env, plan: PlannedFile, hash: Hash | undefined): AsyncGenerator<Buffer> {
  const text = new LogFileText()
  const hashed = (bytes: Buffer): Buffer => {
    hash?.update(bytes)
    return bytes
  }
  for (const record of carriedRecords(tables, plan, plan.carried)) text.add(record)
  const views = new TrailViews(plan.selection === undefined ? [] : [plan.selection], plan.trailArn)
  for (let at = plan.from; at < plan.to;) {
    const frames = await journal.read(at, READ_BYTES)
    const last = frames.at(-1)
    if (last === undefined) break
    for (const frame of frames) {
      if (frame.position >= plan.to) break
      views.read(frame, ({ region, start, end }) => {
        if (region === plan.region) text.add(frame.payload, start, end)
      })
    }
    yield hashed(text.take())
    journal.release(frames)
    at = last.end
  }
  yield hashed(text.end())
}

/** Records that were carried over, oldest first. */
export function* carriedRecords(
  tables: TableReader,
  { trailArn, region }: Pick<PlannedFile, 'trailArn' | 'region'>,
  carried: { readonly first: number; readonly last: number } | undefined,
): Generator<Buffer> {
  if (carried === undefined) return
  for (let number = carried.first; number <= carried.last; number++) {
    const row = tables.get(Table.trailPlans, carriedKey(trailArn, region, number))
    if (row?.kind === 'carried') yield Buffer.from(row.json)
  }
}
