// The inside of a server, put together: storage, engine, services, followers; everything but its doors. One of the three places that
// know what is plugged in (with start.ts and main.ts).
import { mkdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { type Meter, createMeter } from './base/meter.ts'
import type { Random } from './base/random.ts'
import { deliverers } from './deliverers/index.ts'
import { putRootKey, type RootKey } from './engine/accounts.ts'
import { createAudit } from './engine/audit.ts'
import { type SignatureErrors, createAuthenticate } from './engine/authenticate.ts'
import { createAuthorize } from './engine/authorize.ts'
import { type CallRequest, type CallResult, createCalls } from './engine/call.ts'
import type { Env } from './engine/env.ts'
import { type Follows, startFollowers } from './engine/follow.ts'
import { createLive } from './engine/live.ts'
import type { Service } from './engine/operation.ts'
import { createOutbound } from './engine/outbound.ts'
import { createSeal } from './engine/seal.ts'
import { type Signing, createSigning } from './engine/signing.ts'
import { Tables } from './engine/tables.ts'
import { Commits } from './engine/transaction.ts'
import { startVisibility } from './engine/visibility.ts'
import { createDeliveryFollower } from './followers/delivery/index.ts'
import { createLakeFollower } from './followers/lake.ts'
import { TrailFollower } from './followers/trail/follower.ts'
import type { Values } from './model/config.ts'
import { createNotification } from './model/notification.ts'
import { Table } from './model/tables.ts'
import { createDataEventFilter } from './services/cloudtrail/data-event-filter.ts'
import { cloudtrail } from './services/cloudtrail/index.ts'
import { s3 } from './services/s3/index.ts'
import { sweepBlobs } from './services/s3/sweep-blobs.ts'
import { createSealcast } from './services/sealcast/index.ts'
import type { Status } from './services/sealcast/operation.ts'
import { createSns } from './services/sns/index.ts'
import { createSubscriptionSweep } from './services/sns/sweep-subscriptions.ts'
import { createSqs } from './services/sqs/index.ts'
import { sts } from './services/sts/index.ts'
import type { settings } from './settings.ts'
import { diskBlobs } from './storage/disk/blobs.ts'
import type { DataDirectory } from './storage/disk/data-directory.ts'
import { diskFiles } from './storage/disk/files.ts'
import { openDuckdbLake } from './storage/duckdb/lake.ts'
import type { Lake } from './storage/lake.ts'
import { openLmdbRecords } from './storage/lmdb/records.ts'
import { memoryBlobs } from './storage/memory/blobs.ts'
import { memoryFiles } from './storage/memory/files.ts'
import { memoryRecords } from './storage/memory/records.ts'
import { lmdbQueueStore } from './storage/queues/lmdb-store.ts'
import { memoryQueueStore } from './storage/queues/memory-store.ts'
import { openQueues } from './storage/queues/queues.ts'
import { openJournal } from './storage/segments/journal.ts'
import { type Store, openStore } from './storage/store.ts'

export type Config = Values<typeof settings>

export interface HouseOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Absent: everything in memory. */
  readonly data: DataDirectory | undefined
  readonly version: string
  readonly account: string
  /** The first account's root key, put at the first start. */
  readonly rootKey: RootKey
  /** Where the outside reaches this server. */
  readonly baseUrl: () => string
  /** Networks that deliveries may reach. */
  readonly allow: readonly string[]
  readonly signatureErrors: SignatureErrors
}

export interface House {
  readonly env: Env
  readonly meter: Meter
  readonly services: Readonly<Record<string, Service>>
  readonly signing: Signing
  readonly invoke: (request: CallRequest) => Promise<CallResult>
  readonly status: () => Status
  /** Undefined while calls are taken. */
  readonly refusal: () => string | undefined
  stop(): Promise<void>
}

const COMMIT_BOUNDS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000]
const TIDY_MS = 30_000
const FIRST_TIDY_MS = 5_000
const SWEEP_MS = 3_600_000
const FREE_CHECK_MS = 1_000

export async function openHouse(options: HouseOptions): Promise<House> {
  const { config, clock, random, log, data } = options
  const startedAt = clock.now()
  const storage = await openStorage(options)
  const { store, tables, blobs } = storage
  const { journal } = store
  let failure: Error | undefined
  journal.onFailure((error) => {
    failure = error
    log.error('a write to the journal failed; the server is read-only until it is restarted', { error: error.message })
  })
  const meter = createMeter()
  const latency = meter.histogram('sealcast_commit_ms', 'Milliseconds from a commit to its being durable.', COMMIT_BOUNDS_MS)
  const commits = new Commits({ clock, journal, queues: store.queues, tables, latency })
  const seal = createSeal(data?.rootKey ?? random.bytes(32), random)
  let calls: (request: CallRequest) => Promise<CallResult> = () => Promise.reject(new Error('no call before the house stands'))
  const env: Env = { clock, random, log, tables, commits, seal, journal, queues: store.queues, blobs, invoke: (request) => calls(request) }
  if (tables.get(Table.accounts, options.account) === undefined)
    await commits.commit((tx) => putRootKey(tx, seal, options.account, options.rootKey)).done

  const freeSpace = watchFreeSpace(options)
  const live = createLive(journal)
  const lake = openLake(options)
  const bytesAtStart = { ...storage.bytes(), lake: lake.bytes() }
  const signing = createSigning(env, () => config['notifications.certificateUrl'] ?? options.baseUrl())
  const outbound = createOutbound({ clock, allow: options.allow, ...outboundOptions(config) })
  const deliveryFollower = createDeliveryFollower({
    env,
    deliverers,
    outbound,
    envelope: (notification) => signing.envelope(notification),
    baseUrl: options.baseUrl,
    attempts: meter.counter('sealcast_delivery_attempts_total', 'Attempts at deliveries by protocol and outcome.'),
  })
  const lakeFollower = createLakeFollower({
    lake,
    tables,
    random,
    journal,
    clock,
    log,
    retention: { days: config['lake.retentionDays'], bytesMax: config['lake.maxBytes'] },
  })
  // Filled at the end; the closures before it may be called only then.
  const running: { follows?: Follows } = {}
  let isStopping = false
  const refusal = (): string | undefined =>
    isStopping ? 'it is stopping' : failure !== undefined ? failure.message : freeSpace.isLow() ? 'the disk is nearly full' : undefined
  const status = (): Status => describe({ options, startedAt, follows: running.follows, storage, lake, freeSpace, failure, isStopping, bytesAtStart })

  const services: Readonly<Record<string, Service>> = {
    sns: createSns({ tables, protocols: protocolsOf() }),
    sqs: createSqs({
      notifications: (header, body, route) =>
        signing.envelope(
          createNotification(header, body, { protocol: 'sqs', subscriptionArn: route.subscriptionArn, baseUrl: options.baseUrl() }),
        ),
    }),
    sts,
    s3,
    cloudtrail,
    sealcast: createSealcast({
      lake,
      live,
      caughtUp: () => lakeFollower.catchUp(),
      status,
      environment: () => ({ url: options.baseUrl(), region: config['regions.default'], account: options.account }),
    }),
  }
  const selected = createDataEventFilter(tables)
  calls = createCalls({
    env,
    services,
    authenticate: createAuthenticate({ clock, tables, seal, errors: options.signatureErrors }),
    authorize: createAuthorize(tables),
    audit: createAudit({ random, selected }),
    calls: meter.counter('sealcast_calls_total', 'Calls by service, operation and code.'),
    regions: new Set(config['regions.names']),
    refusal,
  })
  running.follows = startFollowers({
    journal,
    clock,
    log,
    followers: [
      lakeFollower,
      deliveryFollower,
      new TrailFollower({ env, deliveryIntervalSeconds: config['trail.deliveryIntervalSeconds'] }),
    ],
  })
  const visibility = startVisibility({ clock, journal, queues: store.queues })
  const sweeps = [() => sweepBlobs({ blobs, tables }, startedAt), createSubscriptionSweep(env)]
  const stopTidying = tidyRegularly(options, store, sweeps, () => (failure === undefined ? running.follows?.needed() : undefined))
  gauges(meter, status)
  meter.gauge('sealcast_oldest_undelivered_seconds', 'Age of the oldest message that is not delivered.', () => {
    const { oldestAt } = deliveryFollower.deliveries()
    return [[{}, oldestAt === undefined ? 0 : (clock.now() - oldestAt) / 1000] as const]
  })
  return {
    env,
    meter,
    services,
    signing,
    invoke: (request) => calls(request),
    status,
    refusal,
    async stop() {
      isStopping = true
      freeSpace.stop()
      visibility.stop()
      live.close()
      await running.follows?.stop()
      await stopTidying()
      await signing.close()
      await outbound.close()
      await lake.close()
      await store.close()
    },
  }
}

interface Storage {
  readonly store: Store
  readonly tables: Tables
  readonly blobs: Env['blobs']
  readonly bytes: () => Readonly<Record<string, number>>
}

async function openStorage({ config, clock, random, log, data }: HouseOptions): Promise<Storage> {
  const segmentBytes = config['journal.segmentBytes']
  const records = data === undefined ? memoryRecords() : await openLmdbRecords({ folder: folderOf(data, 'records'), clock, log })
  const queueStore = data === undefined ? memoryQueueStore() : lmdbQueueStore({ folder: folderOf(data, 'queues') })
  const blobs = data === undefined ? memoryBlobs({ clock, random }) : await diskBlobs({ folder: folderOf(data, 'blobs'), random, clock })
  const journal =
    data === undefined
      ? await openJournal({ files: memoryFiles(), folder: '/journal', random, clock, log, writer: 'inline', segmentBytes })
      : await openJournal({ files: diskFiles(), folder: folderOf(data, 'journal'), random, clock, log, writer: 'thread', segmentBytes })
  const queues = await openQueues({ journal, store: queueStore })
  const tables = new Tables(records)
  const store = await openStore({ journal, records, queues }, (end) => tables.applied(end))
  if (store.recovered.frames > 0) log.info('recovered', { frames: store.recovered.frames })
  return {
    store,
    tables,
    blobs,
    bytes: () => ({ journal: journal.bytes(), records: records.bytes(), queues: queues.bytes().coldBodies, blobs: blobs.bytes() }),
  }
}

function folderOf(data: DataDirectory, name: 'journal' | 'records' | 'queues' | 'blobs' | 'lake'): string {
  const folder = data.path(name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

function openLake({ data, clock, log }: HouseOptions): Lake {
  return openDuckdbLake({ folder: data === undefined ? undefined : folderOf(data, 'lake'), files: diskFiles(), clock, log })
}

function outboundOptions(config: Config): { readonly proxy?: string; readonly ca?: string } {
  const { 'outbound.proxy': proxy, 'outbound.caFile': caFile } = config
  return { ...(proxy !== undefined && { proxy }), ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) }
}

function protocolsOf(): Readonly<Record<string, (endpoint: string) => string | undefined>> {
  const checks = Object.values(deliverers).flatMap(({ protocols, validate }) => protocols.map((protocol) => [protocol, validate] as const))
  return { ...Object.fromEntries(checks), sqs: () => undefined }
}

interface FreeSpace {
  isLow(): boolean
  bytes(): number
  stop(): void
}

/** Writes stop before the disk is full, and go on by themselves when there is room again. */
function watchFreeSpace({ data, config, clock, log }: HouseOptions): FreeSpace {
  if (data === undefined) return { isLow: () => false, bytes: () => 0, stop: () => {} }
  const files = diskFiles()
  let free = files.free(data.folder)
  let isLow = free < config['data.freeBytesMin']
  let timer = clock.after(FREE_CHECK_MS, check)
  function check(): void {
    free = files.free(data?.folder ?? '.')
    const nowLow = free < config['data.freeBytesMin']
    if (nowLow && !isLow) log.error('the disk is nearly full; calls are refused until there is room', { freeBytes: free })
    if (!nowLow && isLow) log.info('there is room on the disk again; calls are taken', { freeBytes: free })
    isLow = nowLow
    timer = clock.after(FREE_CHECK_MS, check)
  }
  return { isLow: () => isLow, bytes: () => free, stop: () => timer.cancel() }
}

/** Checkpoints, trimming and, more seldom, the sweeps of what has run out. */
function tidyRegularly(
  { clock, log }: HouseOptions,
  store: Store,
  sweeps: readonly (() => Promise<unknown>)[],
  needed: () => number | undefined,
): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let isOver = false
  let timer = clock.after(FIRST_TIDY_MS, begin)
  let sweptAt = -Infinity
  function begin(): void {
    running = tidy()
      .catch((error: unknown) => log.error('tidying failed and will be tried again', { error: error instanceof Error ? error.message : String(error) }))
      .finally(() => {
        if (!isOver) timer = clock.after(TIDY_MS, begin)
      })
  }
  async function tidy(): Promise<void> {
    const before = needed()
    if (before === undefined) return
    await store.tidy(before)
    if (clock.monotonic() - sweptAt < SWEEP_MS) return
    sweptAt = clock.monotonic()
    for (const sweep of sweeps) await sweep()
  }
  return async () => {
    isOver = true
    timer.cancel()
    await running
  }
}

function describe(parts: {
  readonly options: HouseOptions
  readonly startedAt: number
  readonly follows: Follows | undefined
  readonly storage: Storage
  readonly lake: Lake
  readonly freeSpace: FreeSpace
  readonly failure: Error | undefined
  readonly isStopping: boolean
  readonly bytesAtStart: Readonly<Record<string, number>>
}): Status {
  const { options, startedAt, follows, storage, lake, freeSpace, failure, isStopping } = parts
  const bytes = { ...storage.bytes(), lake: lake.bytes() }
  const left = daysLeft(options, startedAt, parts.bytesAtStart, bytes, freeSpace.bytes())
  const state = isStopping ? 'stopping' : failure !== undefined ? 'read-only' : freeSpace.isLow() ? 'low-disk' : 'ready'
  return {
    status: state,
    ...(failure !== undefined && { why: failure.message }),
    version: options.version,
    startedAt,
    followers: (follows?.states() ?? []).map(({ name, lagBytes, failing }) => ({ name, lagBytes, ...(failing !== undefined && { failing }) })),
    bytes,
    freeBytes: freeSpace.bytes(),
    ...(left !== undefined && { daysLeft: left }),
  }
}

const DAY_MS = 86_400_000
/** Before that the pace says nothing. */
const PACE_MS_MIN = 600_000

/** Until the volume is full, at the pace at which the stores grew since the start. */
function daysLeft(
  { clock, data }: HouseOptions,
  startedAt: number,
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
  freeBytes: number,
): number | undefined {
  const sum = (bytes: Readonly<Record<string, number>>): number => Object.values(bytes).reduce((all, one) => all + one, 0)
  const grown = sum(now) - sum(before)
  const elapsed = clock.now() - startedAt
  if (data === undefined || elapsed < PACE_MS_MIN) return undefined
  return grown <= 0 ? Number.MAX_SAFE_INTEGER : freeBytes / ((grown / elapsed) * DAY_MS)
}

function gauges(meter: Meter, status: () => Status): void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  meter.gauge('sealcast_event_loop_delay_p99_ms', 'Delay of the event loop since the start, 99th percentile.', () => [[{}, delay.percentile(99) / 1e6] as const])
  meter.gauge('sealcast_event_loop_delay_max_ms', 'The longest delay of the event loop since the start.', () => [[{}, delay.max / 1e6] as const])
  meter.gauge('sealcast_follower_lag_bytes', 'Journal bytes a follower has not read yet.', () =>
    status().followers.map(({ name, lagBytes }) => [{ follower: name }, lagBytes] as const),
  )
  meter.gauge('sealcast_store_bytes', 'Bytes by store.', () => Object.entries(status().bytes).map(([store, bytes]) => [{ store }, bytes] as const))
  meter.gauge('sealcast_disk_free_bytes', 'Bytes free on the volume of the data directory.', () => [[{}, status().freeBytes] as const])
}
