// One message waits for 14 days while a hundred gigabytes of others pass: does the disk stay as it is? Time is simulated. What passes is
// scaled: messages, segments and the bytes between two checkpoints are all smaller by one factor, so that as many segments are written,
// checkpointed, released and trimmed as a hundred gigabytes would take, on a real disk through the real store.
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SimulatedClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { seededRandom } from '../src/base/random.ts'
import { Commits } from '../src/engine/transaction.ts'
import { Tables } from '../src/engine/tables.ts'
import { readEntryAt } from '../src/model/entry.ts'
import { diskFiles } from '../src/storage/disk/files.ts'
import { openLmdbRecords } from '../src/storage/lmdb/records.ts'
import { lmdbQueueStore } from '../src/storage/queues/lmdb-store.ts'
import { openQueues } from '../src/storage/queues/queues.ts'
import { openJournal } from '../src/storage/segments/journal.ts'
import { openStore } from '../src/storage/store.ts'

const MIB = 1024 * 1024
const DAY = 24 * 3_600_000
const DAYS = 14
const OLD_QUEUE = 1
const BUSY_QUEUE = 2
const BATCH = 10

export interface OldMessageOptions {
  readonly folder: string
  /** What passes, before it is scaled. */
  readonly gigabytes: number
  readonly scale: number
  readonly report: (line: string) => void
}

export interface OldMessageReport {
  /** Written in truth. */
  readonly bytesWritten: number
  readonly segmentsWritten: number
  /** Of the whole folder, in the second tenth of the time and in the last. */
  readonly bytesEarly: number
  readonly bytesLate: number
  readonly bytesMost: number
  readonly copiedBodies: number
}

export async function runOldMessage({ folder, gigabytes, scale, report }: OldMessageOptions): Promise<OldMessageReport> {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1))
  const segmentBytes = Math.round((64 * MIB) / scale)
  const slabBytes = Math.min(4 * MIB, segmentBytes >> 2)
  const body = 'b'.repeat(Math.floor(Math.min(64 * 1024, slabBytes / (2 * BATCH))))
  const total = (gigabytes * 1e9) / scale
  const tidyBytes = (256 * MIB) / scale
  const open = async () => {
    const records = await openLmdbRecords({ folder: join(folder, 'records'), clock, log: silentLog })
    const sizes = { segmentBytes, slabBytes, ringBytes: slabBytes }
    const parts = { files: diskFiles(), random: seededRandom(1), clock, writer: 'inline' as const }
    const journal = await openJournal({ ...parts, ...sizes, folder: join(folder, 'journal') })
    const store = lmdbQueueStore({ folder: join(folder, 'queues') })
    const queues = await openQueues({ journal, store })
    const tables = new Tables(records)
    const opened = await openStore({ journal, records, queues }, (end) => tables.applied(end))
    return { opened, journal, queues, bodies: store.bodies, commits: new Commits({ clock, journal, queues, tables }) }
  }
  let world = await open()
  const header = { type: 'Queued', messageId: 'id', publishedAt: clock.now() } as const
  await world.commits.commit((tx) => tx.enqueue(OLD_QUEUE, tx.message(header, 'left for 14 days'), { route: 0 })).done
  const rounds = Math.ceil(total / (BATCH * body.length))
  const used: number[] = []
  let tidiedAt = 0
  for (let round = 0; round < rounds; round++) {
    const { commits, opened, journal } = world
    await commits.commit((tx) => {
      for (let at = 0; at < BATCH; at++) tx.enqueue(BUSY_QUEUE, tx.message(header, body), { route: 0 })
    }).done
    await commits.commit((tx) => {
      for (const { sequence } of tx.take(BUSY_QUEUE, BATCH)) tx.remove(BUSY_QUEUE, sequence)
    }).done
    clock.advance((DAYS * DAY) / rounds)
    if (journal.durable - tidiedAt < tidyBytes && round < rounds - 1) continue
    tidiedAt = journal.durable
    await opened.tidy(Infinity)
    used.push(bytesOf(folder))
    if (used.length % 20 === 1) report(`day ${((DAYS * (round + 1)) / rounds).toFixed(1)}: ${((used.at(-1) ?? 0) / MIB).toFixed(2)} MiB`)
  }
  const bytesWritten = world.journal.durable
  await world.opened.close()
  world = await open()
  const { queues, commits, opened, bodies } = world
  const [message] = commits.commit((tx) => tx.take(OLD_QUEUE, 1)).result
  assert.ok(message, 'the old message is there')
  const entry = readEntryAt(await queues.body(OLD_QUEUE, message.sequence))
  assert.ok(entry.kind === 'message' && entry.body.toString() === 'left for 14 days')
  const copiedBodies = bodies.entries(Buffer.alloc(1), Buffer.alloc(13, 255)).filter(({ key }) => key.length === 12).length
  await opened.close()
  const tenth = Math.ceil(used.length / 10)
  return {
    bytesWritten,
    segmentsWritten: Math.floor(bytesWritten / segmentBytes),
    bytesEarly: Math.max(...used.slice(tenth, 2 * tenth)),
    bytesLate: Math.max(...used.slice(-tenth)),
    bytesMost: Math.max(...used),
    copiedBodies,
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )
}
