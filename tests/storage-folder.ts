// A data directory made by the storage floor itself, with everything that can be damaged in it: several small segments, some of them
// trimmed, so that bodies were copied; records of most tables; blobs; a lake of chunks and Parquet; an event history.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SimulatedClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { type Random, seededRandom } from '../src/base/random.ts'
import { EventClass, FrameBuilder } from '../src/model/entry.ts'
import { Table } from '../src/model/tables.ts'
import { diskBlobs } from '../src/storage/disk/blobs.ts'
import { openDataDirectory } from '../src/storage/disk/data-directory.ts'
import { diskFiles } from '../src/storage/disk/files.ts'
import { openDuckdbLake } from '../src/storage/duckdb/lake.ts'
import type { Lake } from '../src/storage/lake.ts'
import type { History } from '../src/storage/history.ts'
import { openHistory } from '../src/storage/history/history.ts'
import { lmdbHistoryStore } from '../src/storage/history/lmdb-store.ts'
import { openLmdbRecords } from '../src/storage/lmdb/records.ts'
import { lmdbQueueStore } from '../src/storage/queues/lmdb-store.ts'
import { openQueues } from '../src/storage/queues/queues.ts'
import { openJournal } from '../src/storage/segments/journal.ts'
import { openStore, type Store } from '../src/storage/store.ts'

export const QUEUE = 1
export const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000000:waiting'
export const BUCKET = 'kept'
export const NOW = Date.UTC(2026, 0, 2)
const SEGMENT_BYTES = 16 * 1024
const SLAB_BYTES = 4 * 1024

export interface OpenFolder {
  readonly store: Store
  readonly lake: Lake
  readonly history: History
  /** Resolves when the frame is durable and applied. */
  commit(build: (frame: FrameBuilder) => void): Promise<void>
  close(): Promise<void>
}

/** The store of a data directory with segments so small that a few messages fill one. */
export async function openFolder(folder: string, random: Random = seededRandom(1)): Promise<OpenFolder> {
  const data = openDataDirectory(folder, random)
  const clock = new SimulatedClock(NOW)
  const records = await openLmdbRecords({ folder: data.path('records'), clock, log: silentLog })
  const journal = await openJournal({
    files: diskFiles(),
    folder: data.path('journal'),
    random,
    clock,
    writer: 'inline',
    segmentBytes: SEGMENT_BYTES,
    slabBytes: SLAB_BYTES,
    ringBytes: SLAB_BYTES,
    ...(records.flushed > 0 && { checkedFrom: records.flushed }),
  })
  const queues = await openQueues({ journal, store: lmdbQueueStore({ folder: data.path('queues') }) })
  const lake = openDuckdbLake({ folder: data.path('lake'), files: diskFiles(), clock, log: silentLog })
  const history = openHistory({ store: lmdbHistoryStore({ folder: data.path('history') }), random })
  const store = await openStore({ journal, records, queues })
  const builder = new FrameBuilder()
  return {
    store,
    lake,
    history,
    commit(build) {
      build(builder.reset())
      return new Promise((resolve, reject) => {
        journal.append(builder.bytes, builder.entries, (failure) => (failure === undefined ? resolve() : reject(failure)))
      })
    },
    async close() {
      await lake.close()
      await history.close()
      await store.close()
      data.lock.release()
    },
  }
}

/** Bodies of the messages that wait, by sequence. */
export type Waiting = ReadonlyMap<number, string>

/** Makes the folder. Every third message was deleted; the first ones' bodies are copies. */
export async function makeFolder(folder: string): Promise<Waiting> {
  const random = seededRandom(1)
  const open = await openFolder(folder, random)
  const { store, commit } = open
  const blobs = await diskBlobs({ folder: join(folder, 'blobs'), random, clock: new SimulatedClock(NOW) })
  const blob = await blobs.write(
    (async function* () {
      yield Buffer.alloc(5000, 'blob ')
    })(),
  )
  const account = '000000000000'
  const topicArn = `arn:aws:sns:us-east-1:${account}:told`
  const json = (value: object): string => JSON.stringify(value)
  await commit((frame) => {
    frame.put(Table.accounts, account, json({ id: account, createdAt: NOW }))
    frame.put(Table.topics, topicArn, json({ topicArn, owner: account, createdAt: NOW, attributes: {}, tags: {}, subscriptionsDeleted: 0 }))
    frame.put(Table.counters, 'queue', json({ next: 2 }))
    frame.put(
      Table.queues,
      QUEUE_ARN,
      json({ queueArn: QUEUE_ARN, number: QUEUE, owner: account, createdAt: NOW, modifiedAt: NOW, attributes: {}, tags: {} }),
    )
    frame.put(Table.buckets, BUCKET, json({ name: BUCKET, owner: account, region: 'us-east-1', createdAt: NOW }))
    frame.put(
      Table.objects,
      `${BUCKET}/object`,
      json({
        key: 'object',
        blobs: [{ blobId: blob.id, bytes: blob.bytes }],
        bytes: blob.bytes,
        etag: '"0"',
        modifiedAt: NOW,
        headers: {},
        metadata: {},
        checksums: {},
        owner: account,
      }),
    )
  })
  const waiting = new Map<number, string>()
  const send = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent++) {
      const sequence = store.queues.nextSequence(QUEUE)
      const body = `body ${sequence} ${'.'.repeat(random.below(480))}`
      await commit((frame) => {
        const header = json({ type: 'Queued', messageId: random.uuid(), publishedAt: NOW + sequence })
        const message = frame.message(header, body)
        frame.enqueue({
          queue: QUEUE,
          sequence,
          visibleAt: NOW,
          sentAt: NOW,
          messageOffset: message.offset,
          messageLength: message.length,
          route: 0,
          group: sequence % 2 === 0 ? -7 : 0,
        })
        frame.event({ class: EventClass.aws, flags: 0, arrivedAt: NOW, committedAt: NOW, json: json({ eventID: `event ${sequence}` }) })
        frame.put(Table.meta, `mark ${sequence % 5}`, String(sequence))
        frame.remember({ queue: QUEUE, key: memoryKey(sequence), until: NOW + 300_000, value: Buffer.from(`remembered ${sequence}`) })
      })
      waiting.set(sequence, body)
      if (sequence % 3 !== 0) continue
      await commit((frame) => frame.remove(QUEUE, sequence))
      waiting.delete(sequence)
    }
  }
  await send(120)
  await feed(open)
  addParquet(folder)
  await store.tidy(Infinity)
  await send(30)
  await feed(open)
  await open.close()
  return waiting
}

export function memoryKey(sequence: number): Buffer {
  return Buffer.alloc(16, `key ${sequence} `)
}

/** What the journal tells since the last time, into a chunk of the lake. */
async function feed({ store: { journal }, lake, history }: OpenFolder): Promise<void> {
  for (let at = Math.max(lake.appended, journal.start); at < journal.durable;) {
    const frames = await journal.read(at, 1 << 16)
    at = frames.at(-1)?.end ?? journal.durable
    const rows = frames.map(({ position }) => ({
      kind: 'attempt' as const,
      position,
      json: Buffer.from(JSON.stringify({ told: position })),
    }))
    await lake.append({ rows, upTo: at })
    history.append(
      rows.map(({ position, json }) => ({ scope: 'account/region', terms: [`EventId=${position}`], time: NOW + position, json })),
      at,
    )
  }
  await history.flush()
  await lake.flush()
}

/** As long and as framed as the manifest says; nobody reads its rows here. */
function addParquet(folder: string): void {
  mkdirSync(join(folder, 'lake', 'parquet'), { recursive: true })
  const name = 'imported-0-0.parquet'
  // Thrift's compact form of FileMetaData: version 1, an empty schema, 7 rows.
  const footer = Buffer.from([0x15, 0x02, 0x19, 0x0c, 0x16, 0x0e, 0x00])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  const bytes = Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(500, 'rows'), footer, length, Buffer.from('PAR1')])
  writeFileSync(join(folder, 'lake', 'parquet', name), bytes)
  const file = { name, table: 'imported', rows: 7, bytes: bytes.length, oldest: NOW, newest: NOW }
  writeFileSync(join(folder, 'lake', 'manifest.json'), `${JSON.stringify({ format: 1, upTo: 0, imports: 1, files: [file] })}\n`)
}
