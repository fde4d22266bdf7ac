// The inside of a server, put together: storage, engine, services, followers; everything but its doors. One of the three places that
// know what is plugged in (with start.ts and main.ts).
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KEY_BYTES } from './base/aead.ts'
import type { Clock } from './base/clock.ts'
import type { Log } from './base/log.ts'
import { type Meter, createMeter } from './base/meter.ts'
import type { Random } from './base/random.ts'
import { deliverers } from './deliverers/index.ts'
import { putRootKey, type RootKey } from './engine/accounts.ts'
import { createActs } from './engine/acts.ts'
import { createAudit } from './engine/audit.ts'
import { type SignatureErrors, createAuthenticate } from './engine/authenticate.ts'
import { createAuthorize } from './engine/authorize.ts'
import { type CallRequest, type CallResult, createCalls } from './engine/call.ts'
import { createCensus } from './engine/census.ts'
import type { Env } from './engine/env.ts'
import { type Follower, type Follows, startFollowers } from './engine/follow.ts'
import { createStatus, registerGauges } from './engine/health.ts'
import { type Life, openLife } from './engine/life.ts'
import { createLive } from './engine/live.ts'
import type { Service } from './engine/operation.ts'
import { createOutbound } from './engine/outbound.ts'
import { OBJECTS_KEY } from './engine/keys.ts'
import { createRecordKeys } from './engine/record-keys.ts'
import { createRateLimit } from './engine/rate-limit.ts'
import { createRootRotation } from './engine/root-rotation.ts'
import { createSeal } from './engine/seal.ts'
import { createSealing } from './engine/sealing.ts'
import { type Signing, createSigning } from './engine/signing.ts'
import { Tables } from './engine/tables.ts'
import { Commits } from './engine/transaction.ts'
import { startUpkeep, watchFreeSpace } from './engine/upkeep.ts'
import { startVisibility } from './engine/visibility.ts'
import { BucketEventSender } from './followers/bucket-events.ts'
import { createDeliveryFollower } from './followers/delivery/index.ts'
import { createHistoryFollower } from './followers/history.ts'
import { createLakeFollower } from './followers/lake.ts'
import { TrailFollower } from './followers/trail/follower.ts'
import { bucketPublication, filePublication, type Publication, topicPublication } from './followers/tree/publication.ts'
import { openTree, type Tree } from './followers/tree/tree.ts'
import type { Values } from './model/config.ts'
import { createNotification } from './model/notification.ts'
import { Table } from './model/tables.ts'
import { createDataEventFilter } from './services/cloudtrail/data-event-filter.ts'
import { createCloudtrail } from './services/cloudtrail/index.ts'
import { sweepParts } from './services/s3/multipart/uploads.ts'
import { s3 } from './services/s3/index.ts'
import { LifecycleRuns } from './services/s3/lifecycle-runs.ts'
import { startLockTime } from './services/s3/object-lock.ts'
import { sweepBlobs } from './services/s3/sweep-blobs.ts'
import { storeRetention } from './services/sealcast/store-retention.ts'
import { createSealcast } from './services/sealcast/index.ts'
import type { Status } from './model/status.ts'
import { createSns } from './services/sns/index.ts'
import { createSubscriptionSweep } from './services/sns/sweep-subscriptions.ts'
import { createSqs } from './services/sqs/index.ts'
import { sts } from './services/sts/index.ts'
import { settings } from './settings.ts'
import { openArchiveFolder } from './storage/disk/archive-folder.ts'
import { diskBlobs } from './storage/disk/blobs.ts'
import type { DataDirectory } from './storage/disk/data-directory.ts'
import { diskFiles } from './storage/disk/files.ts'
import { ARCHIVE_BLOBS } from './storage/disk/format.ts'
import { DATA_FORMAT } from './storage/disk/format.ts'
import { openDuckdbLake } from './storage/duckdb/lake.ts'
import type { History } from './storage/history.ts'
import { openHistory } from './storage/history/history.ts'
import { lmdbHistoryStore } from './storage/history/lmdb-store.ts'
import { memoryHistoryStore } from './storage/history/memory-store.ts'
import type { Journal } from './storage/journal.ts'
import { type Lake, LakeDamaged } from './storage/lake.ts'
import { assertLmdbFileSound } from './storage/lmdb-file.ts'
import { openLmdbRecords } from './storage/lmdb/records.ts'
import { memoryBlobs } from './storage/memory/blobs.ts'
import { memoryFiles } from './storage/memory/files.ts'
import { memoryRecords } from './storage/memory/records.ts'
import { lmdbQueueStore } from './storage/queues/lmdb-store.ts'
import { memoryQueueStore } from './storage/queues/memory-store.ts'
import { openQueues } from './storage/queues/queues.ts'
import { openJournal } from './storage/segments/journal.ts'
import { type Store, openStore } from './storage/store.ts'
import { openTileFiles } from './storage/tree/tile-files.ts'
import type { TreeStore } from './storage/tree.ts'

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
  /** `command`: open for one command. Nothing is delivered, no log file is written, and no part of the journal goes. */
  readonly purpose: 'serve' | 'command'
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
  /** `reason`: as the record tells it. */
  stop(reason: string): Promise<void>
}

const COMMIT_BOUNDS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000]
/** In memory the segments are memory already. */
const MEMORY_RING_BYTES = 8 * 1024 * 1024
/** CloudTrail user guide, "Quotas in AWS CloudTrail": of an account in a region, with the limits of AWS alone. */
const TRAILS_PER_REGION_MAX = 5
const LOOKUPS_PER_SECOND = 2

export async function openHouse(options: HouseOptions): Promise<House> {
  const { config, clock, random, log, data } = options
  const startedAt = clock.now()
  startLockTime(clock)
  const storage = await openStorage(options)
  const { store, tables, blobs, archive } = storage
  const { journal } = store
  let failure: Error | undefined
  journal.onFailure((error) => {
    failure = error
    log.error('a write to the journal failed; the server is read-only until it is restarted', { error: error.message })
  })
  const meter = createMeter()
  const latency = meter.histogram('sealcast_commit_ms', 'Milliseconds from a commit to its being durable.', COMMIT_BOUNDS_MS)
  const commits = new Commits({ clock, journal, queues: store.queues, tables, latency })
  const seal = createSeal(
    data?.keyring.root ?? random.bytes(KEY_BYTES),
    random,
    data?.keyring.former.map(({ key }) => key),
  )
  let calls: (request: CallRequest) => Promise<CallResult> = () => Promise.reject(new Error('no call before the house stands'))
  const acts = createActs({ random, commits, account: options.account, region: config['regions.default'], version: options.version })
  const invoke = (request: CallRequest): Promise<CallResult> => calls(request)
  const outbound = createOutbound({ clock, allow: options.allow, ...outboundOptions(config) })
  const keys = createRecordKeys({ random, seal })
  const env: Env = {
    clock,
    random,
    log,
    tables,
    commits,
    seal,
    keys,
    journal,
    queues: store.queues,
    blobs,
    archive,
    acts,
    outbound,
    invoke,
  }
  const isFirst = tables.get(Table.accounts, options.account) === undefined
  if (isFirst) await commits.commit((tx) => putRootKey(tx, seal, options.account, options.rootKey)).done
  if (keys.own(tables, OBJECTS_KEY) === undefined)
    await commits.commit((tx) => {
      keys.create(tx, { account: options.account, region: config['regions.default'], alias: OBJECTS_KEY, manager: 'server' })
    }).done

  const rotation = data === undefined ? undefined : createRootRotation({ env, acts, seal, rootKeys: data.keyring })

  const census = createCensus(tables)
  const life = await openLife({ env, census, files: diskFiles(), folder: data?.folder })
  journal.onFailure((error) => life.failed(error))
  const freeSpace = watchFreeSpace({
    files: diskFiles(),
    folder: data?.folder,
    bytesMin: config['data.freeBytesMin'],
    clock,
    log,
    onTurn: (isLow, freeBytes) => life.lowDisk(isLow, freeBytes),
  })
  const live = createLive(journal)
  const lake = openLake(options)
  refuseOldLake(lake, journal)
  const historyFollower = createHistoryFollower({ history: storage.history, journal, clock, log, acts })
  const lookups = createRateLimit({ clock, perSecond: LOOKUPS_PER_SECOND })
  const signing = createSigning(env, () => config['notifications.certificateUrl'] ?? options.baseUrl())
  const deliveryFollower = createDeliveryFollower({
    env,
    deliverers,
    outbound,
    envelope: (notification) => signing.envelope(notification),
    baseUrl: options.baseUrl,
    attempts: meter.counter('sealcast_delivery_attempts_total', 'Attempts at deliveries by protocol and outcome.'),
  })
  const lakeRetention = {
    days: config['lake.retentionDays'],
    deliveriesDays: config['deliveries.retentionDays'],
    bytesMax: config['lake.maxBytes'],
  }
  const lakeFollower = createLakeFollower({
    lake,
    tables,
    random,
    journal,
    clock,
    log,
    retention: lakeRetention,
  })
  // Filled at the end; the closures before it may be called only then.
  const running: { follows?: Follows; bucketEvents?: BucketEventSender; lifecycle?: LifecycleRuns } = {}
  let isStopping = false
  const refusal = (): string | undefined =>
    isStopping ? 'it is stopping' : failure !== undefined ? failure.message : freeSpace.isLow() ? 'the disk is nearly full' : undefined
  const storeBytes = (): Readonly<Record<string, number>> => ({ ...storage.bytes(), lake: lake.bytes() })
  const status = createStatus({
    clock,
    version: options.version,
    bytes: storeBytes,
    sealing: createSealing({ keys, tables, seal, rootKeys: data?.keyring, stores: () => Object.keys(storeBytes()) }),
    freeSpace,
    followers: () => running.follows?.states() ?? [],
    bucketEvents: () => running.bucketEvents?.status() ?? [],
    refusal,
    failure: () => failure,
    isStopping: () => isStopping,
  })

  const tree = await openServerTree(options, env)
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
    cloudtrail: createCloudtrail({
      history: storage.history,
      caughtUp: () => historyFollower.catchUp(),
      ...(config['limits.profile'] === 'aws' && { trailsMax: TRAILS_PER_REGION_MAX }),
      mayLookUp: (account, region) => config['limits.profile'] === 'open' || lookups.take(`${account}/${region}`),
    }),
    sealcast: createSealcast({
      lake,
      live,
      caughtUp: () => lakeFollower.catchUp(),
      status,
      stores: () => storeRetention({ ...storage.bytes(), lake: lake.bytes() }, lakeRetention),
      regions: new Set(config['regions.names']),
      digestKeyDays: config['trail.digestKeyDays'],
      ...(rotation !== undefined && { rotation }),
      tree,
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
    census,
    calls: meter.counter('sealcast_calls_total', 'Calls by service, operation and code.'),
    regions: new Set(config['regions.names']),
    refusal,
  })
  const serving: readonly Follower[] = [
    deliveryFollower,
    historyFollower,
    new TrailFollower({
      env,
      deliveryIntervalSeconds: config['trail.deliveryIntervalSeconds'],
      digestKeyDays: config['trail.digestKeyDays'],
    }),
  ]
  running.follows = startFollowers({
    journal,
    clock,
    log,
    followers: options.purpose === 'serve' ? [lakeFollower, tree.follower, ...serving] : [lakeFollower, tree.follower],
  })
  if (options.purpose === 'serve') {
    running.bucketEvents = new BucketEventSender(env)
    running.lifecycle = new LifecycleRuns(env, refusal)
  }
  const visibility = startVisibility({ clock, journal, queues: store.queues })
  const sweeps = [
    once(() => sweepParts(env)),
    once(() => sweepBlobs({ blobs, tables }, startedAt)),
    once(() => sweepBlobs({ blobs: archive, tables }, startedAt)),
    createSubscriptionSweep(env),
    async () => rotation?.goOn(),
  ]
  const stopUpkeep = startUpkeep({
    clock,
    log,
    store,
    sweeps,
    needed: () => (failure === undefined && options.purpose === 'serve' ? neededOf(running.follows, life) : undefined),
  })
  registerGauges(meter, status)
  meter.gauge('sealcast_oldest_undelivered_seconds', 'Age of the oldest message that is not delivered.', () => {
    const { oldestAt } = deliveryFollower.deliveries()
    return [[{}, oldestAt === undefined ? 0 : (clock.now() - oldestAt) / 1000] as const]
  })
  if (options.purpose === 'serve') await rotation?.begin()
  if (options.purpose === 'serve') {
    await life.begin({
      version: options.version,
      nodeVersion: process.versions.node,
      dataFormat: DATA_FORMAT,
      recoveredFrames: store.recovered.frames,
      settings: config,
      defaults: Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, setting.default])),
      isFirst,
    })
    life.lowDisk(freeSpace.isLow(), freeSpace.bytes())
  }
  return {
    env,
    meter,
    services,
    signing,
    invoke,
    status,
    refusal,
    async stop(reason) {
      isStopping = true
      freeSpace.stop()
      visibility.stop()
      live.close()
      await tree.checkpoints.stop()
      await running.follows?.stop()
      await running.bucketEvents?.stop()
      await running.lifecycle?.stop()
      tree.close()
      await stopUpkeep()
      await rotation?.stop()
      // The last commit; where nothing can be written any more, the next start tells.
      await life.end(reason).catch((error: unknown) => log.warn('the stop could not be recorded', { error: String(error) }))
      await signing.close()
      await outbound.close()
      await lake.close()
      await storage.history.close()
      await store.close()
    },
  }
}

function neededOf(follows: Follows | undefined, life: Life): number | undefined {
  return follows === undefined ? undefined : Math.min(follows.needed(), life.needed())
}

/** For what only a crash before this start can have left behind. A failure is tried again. */
function once(sweep: () => Promise<number>): () => Promise<number> {
  let isDone = false
  return async () => {
    if (isDone) return 0
    const swept = await sweep()
    isDone = true
    return swept
  }
}

interface Storage {
  readonly store: Store
  readonly tables: Tables
  readonly blobs: Env['blobs']
  readonly archive: Env['blobs']
  readonly history: History
  readonly bytes: () => Readonly<Record<string, number>>
}

/** Enough that a damaged tree is met before lmdb follows it, in some tens of milliseconds at most. */
const CHECKED_PAGES = 2048

async function openStorage({ config, clock, random, log, data }: HouseOptions): Promise<Storage> {
  const segmentBytes = config['journal.segmentBytes']
  for (const name of data === undefined ? [] : ['records', 'queues/index', 'queues/bodies', 'history'])
    assertLmdbFileSound(diskFiles(), join(data?.folder ?? '', name, 'data.mdb'), CHECKED_PAGES)
  const records = data === undefined ? memoryRecords() : await openLmdbRecords({ folder: folderOf(data, 'records'), clock, log })
  const queueStore = data === undefined ? memoryQueueStore() : lmdbQueueStore({ folder: folderOf(data, 'queues') })
  const blobs = data === undefined ? memoryBlobs({ clock, random }) : await diskBlobs({ folder: folderOf(data, 'blobs'), random, clock })
  const archive =
    data === undefined
      ? memoryBlobs({ clock, random })
      : await diskBlobs({ folder: join(openArchiveFolder(data.folder, config['archive.folder']), ARCHIVE_BLOBS), random, clock })
  const history = openHistory({
    store: data === undefined ? memoryHistoryStore() : lmdbHistoryStore({ folder: folderOf(data, 'history') }),
    random,
  })
  const journal =
    data === undefined
      ? await openJournal({
          files: memoryFiles(),
          folder: '/journal',
          random,
          clock,
          log,
          writer: 'inline',
          segmentBytes,
          ringBytes: MEMORY_RING_BYTES,
        })
      : await openJournal({
          files: diskFiles(),
          folder: folderOf(data, 'journal'),
          random,
          clock,
          log,
          writer: 'thread',
          segmentBytes,
          // What lies before was on stable storage when the records took it in; whoever reads it again checks it then.
          ...(records.flushed > 0 && { checkedFrom: records.flushed }),
        })
  const queues = await openQueues({ journal, store: queueStore })
  const tables = new Tables(records)
  const store = await openStore({ journal, records, queues }, (end) => tables.applied(end))
  if (store.recovered.frames > 0) log.info('recovered', { frames: store.recovered.frames })
  return {
    store,
    tables,
    blobs,
    archive,
    history,
    bytes: () => ({
      journal: journal.bytes(),
      records: records.bytes(),
      queues: queues.bytes().coldBodies,
      blobs: blobs.bytes(),
      archive: archive.bytes(),
      history: history.bytes(),
    }),
  }
}

function folderOf(data: DataDirectory, name: 'journal' | 'records' | 'queues' | 'blobs' | 'lake' | 'history' | 'tree'): string {
  const folder = data.path(name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

function openLake({ data, clock, log }: HouseOptions): Lake {
  return openDuckdbLake({ folder: data === undefined ? undefined : folderOf(data, 'lake'), files: diskFiles(), clock, log })
}

function openServerTree({ config, data, account, purpose }: HouseOptions, env: Env): Promise<Tree> {
  const files = data === undefined ? memoryFiles() : diskFiles()
  const folder = data === undefined ? '/tree' : folderOf(data, 'tree')
  const parts = { env, account, region: config['regions.default'] }
  const { 'tree.topicArn': topicArn, 'tree.file': file, 'tree.bucket': bucket, 'tree.prefix': prefix } = config
  return openTree({
    env,
    hasFiles: files.exists(join(folder, 'tile')),
    openStore: (state) => openTileFiles(files, folder, state),
    checkpointSeconds: purpose === 'serve' ? config['tree.checkpointSeconds'] : undefined,
    publications: (store: TreeStore): Publication[] => [
      ...(topicArn === undefined ? [] : [topicPublication(parts, topicArn)]),
      ...(file === undefined ? [] : [filePublication(diskFiles(), resolve(file))]),
      ...(bucket === undefined ? [] : [bucketPublication(parts, store, bucket, prefix)]),
    ],
  })
}

/** The journal is kept for the lake until it has taken it in. */
function refuseOldLake(lake: Lake, journal: Journal): void {
  if (lake.checkpoint >= journal.start) return
  throw new LakeDamaged(
    `the lake ends at position ${lake.checkpoint}, but the journal starts at ${journal.start}: the lake is missing, or an older copy. ` +
      'Nothing was changed. Restore a backup of the whole data directory, or use `sealcast fsck --salvage`.',
  )
}

function outboundOptions(config: Config): { readonly proxy?: string; readonly ca?: string } {
  const { 'outbound.proxy': proxy, 'outbound.caFile': caFile } = config
  return { ...(proxy !== undefined && { proxy }), ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) }
}

function protocolsOf(): Readonly<Record<string, (endpoint: string) => string | undefined>> {
  const checks = Object.values(deliverers).flatMap(({ protocols, validate }) => protocols.map((protocol) => [protocol, validate] as const))
  return { ...Object.fromEntries(checks), sqs: () => undefined }
}
