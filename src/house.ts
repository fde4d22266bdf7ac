// The inside of a server, put together: storage, engine, services, followers; everything but its doors. One of the three places that
// know what is plugged in (with start.ts and main.ts).
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KEY_BYTES } from './base/aead.ts'
import { backupParts } from './backup-parts.ts'
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
import { createBackups } from './engine/backup.ts'
import { type CallRequest, type CallResult, createCalls } from './engine/call.ts'
import { createCensus } from './engine/census.ts'
import type { Env } from './engine/env.ts'
import { type Follower, type Follows, startFollowers } from './engine/follow.ts'
import { createStatus, registerGauges } from './engine/health.ts'
import { openLife } from './engine/life.ts'
import { createLive } from './engine/live.ts'
import type { Service } from './engine/operation.ts'
import { createOutbound, type Outbound } from './engine/outbound.ts'
import { OBJECTS_KEY } from './engine/keys.ts'
import { createRecordKeys } from './engine/record-keys.ts'
import { createRateLimit } from './engine/rate-limit.ts'
import { createRootRotation } from './engine/root-rotation.ts'
import { createSeal } from './engine/seal.ts'
import { createSealing } from './engine/sealing.ts'
import { type Signing, createSigning } from './engine/signing.ts'
import { Commits } from './engine/transaction.ts'
import { startUpkeep, type Upkeep, watchFreeSpace } from './engine/upkeep.ts'
import { startVisibility } from './engine/visibility.ts'
import { BucketEventSender } from './followers/bucket-events.ts'
import { createDeliveryFollower } from './followers/delivery/index.ts'
import { forgetEventCopies, openEventCopies } from './followers/event-copies.ts'
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
import { cloudtrailData } from './services/cloudtrail-data/index.ts'
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
import { folderOf, openLake, openStorage, refuseOldLake } from './stores.ts'
import { processSink } from './storage/backup/sinks.ts'
import type { DataDirectory } from './storage/disk/data-directory.ts'
import { diskFiles } from './storage/disk/files.ts'
import { DATA_FORMAT } from './storage/disk/format.ts'
import { takeLock } from './storage/disk/lock.ts'
import { memoryFiles } from './storage/memory/files.ts'
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
  /** The Authorization header of events.target. */
  readonly eventsAuthorization?: string
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
/** CloudTrail user guide, "Quotas in AWS CloudTrail": of an account in a region, with the limits of AWS alone. */
const TRAILS_PER_REGION_MAX = 5
const LOOKUPS_PER_SECOND = 2
const CHANNELS_MAX = 25

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
  const running: { upkeep?: Upkeep; follows?: Follows; bucketEvents?: BucketEventSender; lifecycle?: LifecycleRuns } = {}
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
  const backups = createBackups({
    env,
    files: diskFiles(),
    folder: data?.folder,
    version: options.version,
    dataFormat: DATA_FORMAT,
    hold: () => {
      const releases = [blobs.hold(), archive.hold()]
      return () => releases.forEach((release) => release())
    },
    parts:
      data === undefined
        ? []
        : backupParts({
            ...{ files: diskFiles(), folder: data.folder, archiveFolder: storage.archiveFolder ?? join(data.folder, 'archive') },
            ...{ journal, blobs, archive, lake, ...storage.copied },
          }),
    openSink: () => processSink(diskFiles()),
    takeLock,
    idle: () => running.upkeep?.idle() ?? Promise.resolve(),
  })
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
      ...(config['limits.profile'] === 'aws' && { trailsMax: TRAILS_PER_REGION_MAX, channelsMax: CHANNELS_MAX }),
      retentionDays: config['lake.retentionDays'],
      mayLookUp: (account, region) => config['limits.profile'] === 'open' || lookups.take(`${account}/${region}`),
    }),
    'cloudtrail-data': cloudtrailData,
    sealcast: createSealcast({
      lake,
      live,
      caughtUp: () => lakeFollower.catchUp(),
      status,
      stores: () => storeRetention({ ...storage.bytes(), lake: lake.bytes() }, lakeRetention),
      backups,
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
    ...(options.purpose === 'serve' ? await eventCopies(options, env, outbound) : []),
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
  const upkeep = startUpkeep({
    clock,
    log,
    store,
    sweeps,
    needed: () => (failure === undefined && options.purpose === 'serve' ? neededOf(running.follows, life, backups) : undefined),
  })
  running.upkeep = upkeep
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
      await upkeep.stop()
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

function neededOf(follows: Follows | undefined, ...others: readonly { needed(): number }[]): number | undefined {
  return follows === undefined ? undefined : Math.min(follows.needed(), ...others.map((other) => other.needed()))
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

async function eventCopies({ config, eventsAuthorization }: HouseOptions, env: Env, outbound: Outbound): Promise<readonly Follower[]> {
  const target = config['events.target']
  if (target === undefined) {
    await forgetEventCopies(env)
    return []
  }
  return [
    await openEventCopies({
      env,
      outbound,
      target,
      ...(eventsAuthorization !== undefined && { authorization: eventsAuthorization }),
      includesReads: config['events.reads'],
      includesData: config['events.data'],
      backlogBytesMax: config['events.backlogBytes'],
    }),
  ]
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

function outboundOptions(config: Config): { readonly proxy?: string; readonly ca?: string } {
  const { 'outbound.proxy': proxy, 'outbound.caFile': caFile } = config
  return { ...(proxy !== undefined && { proxy }), ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }) }
}

function protocolsOf(): Readonly<Record<string, (endpoint: string) => string | undefined>> {
  const checks = Object.values(deliverers).flatMap(({ protocols, validate }) => protocols.map((protocol) => [protocol, validate] as const))
  return { ...Object.fromEntries(checks), sqs: () => undefined }
}
