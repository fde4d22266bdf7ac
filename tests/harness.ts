// A whole server in memory without HTTP: real engine, real storage code over simulated parts, time that stands still. For tests of
// operations and followers.
import { SimulatedClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { createMeter } from '../src/base/meter.ts'
import { seededRandom } from '../src/base/random.ts'
import { createActs } from '../src/engine/acts.ts'
import { type DataEventFilter, createAudit } from '../src/engine/audit.ts'
import { createAuthenticate } from '../src/engine/authenticate.ts'
import { createAuthorize } from '../src/engine/authorize.ts'
import { type CallRequest, type CallResult, createCalls } from '../src/engine/call.ts'
import { type RunningCensus, createCensus } from '../src/engine/census.ts'
import type { Env } from '../src/engine/env.ts'
import { type Follower, type Follows, startFollowers } from '../src/engine/follow.ts'
import type { Service } from '../src/engine/operation.ts'
import { createOutbound } from '../src/engine/outbound.ts'
import { OBJECTS_KEY } from '../src/engine/keys.ts'
import { createRecordKeys } from '../src/engine/record-keys.ts'
import { createSeal } from '../src/engine/seal.ts'
import { Tables } from '../src/engine/tables.ts'
import { Commits } from '../src/engine/transaction.ts'
import { type EventEntry, readEntries } from '../src/model/entry.ts'
import { type Principal, rootPrincipal } from '../src/model/principal.ts'
import { ServiceError } from '../src/model/service-error.ts'
import { Table } from '../src/model/tables.ts'
import type { Blobs } from '../src/storage/blobs.ts'
import type { Files } from '../src/storage/files.ts'
import { memoryBlobs } from '../src/storage/memory/blobs.ts'
import { memoryFiles } from '../src/storage/memory/files.ts'
import { memoryRecords } from '../src/storage/memory/records.ts'
import { memoryQueueStore } from '../src/storage/queues/memory-store.ts'
import { openQueues } from '../src/storage/queues/queues.ts'
import type { QueueStore } from '../src/storage/queues/store.ts'
import type { Records } from '../src/storage/records.ts'
import { openJournal } from '../src/storage/segments/journal.ts'
import { type Store, openStore } from '../src/storage/store.ts'

export const ACCOUNT = '000000000001'
export const OTHER_ACCOUNT = '000000000002'
export const REGION = 'us-east-1'

export interface Harness {
  readonly env: Env
  readonly clock: SimulatedClock
  readonly store: Store
  readonly census: RunningCensus
  /** The output; throws the ServiceError of a refused call. */
  call(service: string, operation: string, input?: object, as?: Principal, more?: Partial<CallRequest>): Promise<Record<string, never>>
  invoke(request: CallRequest): Promise<CallResult>
  /** Every event so far, parsed, oldest first. */
  events(): Promise<(EventEntry & { readonly record: Record<string, unknown> })[]>
  follow(...followers: Follower[]): Follows
  close(): Promise<void>
}

export interface HarnessOptions {
  readonly now?: number
  /** Of the journal. What another server left there is continued. */
  readonly files?: Files
  /** What other parts of the store another server left: goes with `files`. */
  readonly records?: Records
  readonly queueStore?: QueueStore
  /** Of the journal; small ones let a test trim it. */
  readonly sizes?: { readonly segmentBytes: number; readonly slabBytes: number; readonly ringBytes: number }
  readonly blobs?: Blobs
  /** Another seed for each server over the same files: no id comes twice. */
  readonly seed?: number
  readonly selected?: (tables: Tables) => DataEventFilter
}

export async function createHarness(
  services: (env: Env) => Readonly<Record<string, Service>>,
  options: HarnessOptions = {},
): Promise<Harness> {
  const clock = new SimulatedClock(options.now ?? Date.UTC(2026, 0, 2, 3, 4, 5))
  const random = seededRandom(options.seed ?? 1)
  const files = options.files ?? memoryFiles()
  const journal = await openJournal({ files, folder: '/journal', random, clock, writer: 'inline', ...options.sizes })
  const records = options.records ?? memoryRecords()
  const queues = await openQueues({ journal, store: options.queueStore ?? memoryQueueStore() })
  const tables = new Tables(records)
  const store = await openStore({ journal, records, queues }, (end) => tables.applied(end))
  const commits = new Commits({ clock, journal, queues, tables })
  const seal = createSeal(Buffer.alloc(32, 7), random)
  const keys = createRecordKeys({ random, seal })
  if (tables.range(Table.keys, { limit: 1 }).length === 0)
    await commits.commit((tx) => keys.create(tx, { account: ACCOUNT, region: REGION, alias: OBJECTS_KEY, manager: 'server' })).done
  let calls: (request: CallRequest) => Promise<CallResult> = () => Promise.reject(new Error('not composed yet'))
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'] })
  const env: Env = {
    clock,
    random,
    log: silentLog,
    tables,
    commits,
    seal,
    keys,
    journal,
    queues,
    blobs: options.blobs ?? memoryBlobs({ clock, random }),
    archive: memoryBlobs({ clock, random }),
    acts: createActs({ random, commits, account: ACCOUNT, region: REGION, version: 'test' }),
    outbound,
    invoke: (request) => calls(request),
  }
  const meter = createMeter()
  const census = createCensus(tables)
  calls = createCalls({
    env,
    services: services(env),
    authenticate: createAuthenticate({
      clock,
      tables,
      seal,
      errors: {
        missing: () => new ServiceError('MissingAuthenticationToken', 403, 'Missing Authentication Token'),
        unknownKey: () => new ServiceError('InvalidClientTokenId', 403, 'The security token included in the request is invalid.'),
      },
    }),
    authorize: createAuthorize(tables),
    audit: createAudit({ random, selected: options.selected?.(tables) ?? { wants: () => false, takes: () => false } }),
    census,
    calls: meter.counter('calls', 'calls'),
    regions: new Set([REGION]),
    refusal: () => undefined,
  })
  const follows: Follows[] = []
  return {
    env,
    clock,
    store,
    census,
    invoke: (request) => calls(request),
    async call(service, operation, input = {}, as = rootPrincipal(ACCOUNT, 'AKIATEST'), more = {}) {
      const result = await calls({
        service,
        operation,
        input,
        region: REGION,
        requestId: random.uuid(),
        arrivedAt: clock.now(),
        sourceIp: '192.0.2.1',
        userAgent: 'test',
        host: 'sealcast.test:4566',
        principal: as,
        ...more,
      })
      if ('error' in result) throw result.error
      return result.output as Record<string, never>
    },
    async events() {
      const events: (EventEntry & { readonly record: Record<string, unknown> })[] = []
      for (let at = journal.start; at < journal.durable;) {
        const frames = await journal.read(at, 1 << 20)
        for (const frame of frames)
          for (const { entry } of readEntries(frame.payload))
            if (entry.kind === 'event')
              events.push({ ...entry, record: JSON.parse(entry.json.toString('utf8')) as Record<string, unknown> })
        at = frames.at(-1)?.end ?? journal.durable
      }
      return events
    },
    follow(...followers) {
      const started = startFollowers({ journal, clock, log: silentLog, followers })
      follows.push(started)
      return started
    },
    async close() {
      for (const started of follows) await started.stop()
      await outbound.close()
      await store.close()
    },
  }
}
