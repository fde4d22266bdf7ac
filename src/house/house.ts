// The inside of a server, put together: storage, engine, services, followers; everything but its doors.
import { type Meter, createMeter } from '../base/meter.ts'
import { createAudit } from '../engine/audit.ts'
import { createAuthenticate } from '../engine/authenticate.ts'
import { createAuthorize } from '../engine/authorize.ts'
import { type CallRequest, type CallResult, createCalls } from '../engine/call.ts'
import { type Captured, createCaptured } from '../engine/captured.ts'
import { createCensus } from '../engine/census.ts'
import type { Env } from '../engine/env.ts'
import type { Follows } from '../engine/follow.ts'
import { createStatus, registerGauges } from '../engine/health.ts'
import { openLife } from '../engine/life.ts'
import { createLive } from '../engine/live.ts'
import type { Service } from '../engine/operation.ts'
import type { TellPlatformEvent } from '../engine/platform-events.ts'
import { createRootRotation } from '../engine/root-rotation.ts'
import { createSealing } from '../engine/sealing.ts'
import { type Signing, createSigning } from '../engine/signing.ts'
import { startUpkeep, type Upkeep, watchFreeSpace } from '../engine/upkeep.ts'
import { startVisibility } from '../engine/visibility.ts'
import { BucketEventSender } from '../followers/bucket-events.ts'
import type { Status } from '../model/status.ts'
import { createDataEventFilter } from '../services/cloudtrail/data-event-filter.ts'
import { LifecycleRuns } from '../services/s3/lifecycle-runs.ts'
import { startLockTime } from '../services/s3/object-lock.ts'
import { ReplayRuns } from '../services/sns/replay-runs.ts'
import { MessageMoveRuns } from '../services/sqs/message-move-runs.ts'
import { settings } from '../settings.ts'
import { diskFiles } from '../storage/disk/files.ts'
import { DATA_FORMAT } from '../storage/disk/format.ts'
import { createServerBackups } from './backups.ts'
import { openDeliverers } from './deliverers.ts'
import { createEnv, putFirstRows } from './env.ts'
import { createFollowers } from './followers.ts'
import type { HouseOptions } from './options.ts'
import { createServices } from './services.ts'
import { openLake, openStorage, refuseOldLake } from './stores.ts'
import { createSweeps } from './sweeps.ts'
import { openServerTree } from './tree.ts'

export interface House {
  readonly env: Env
  readonly meter: Meter
  readonly services: Readonly<Record<string, Service>>
  readonly signing: Signing
  readonly captured: Captured
  readonly invoke: (request: CallRequest) => Promise<CallResult>
  readonly status: () => Status
  /** Undefined while calls are taken. */
  readonly refusal: () => string | undefined
  /** Deliveries that are being attempted. */
  readonly underWay: () => number
  /** `reason`: as the record tells it. */
  stop(reason: string): Promise<void>
}

export async function openHouse(options: HouseOptions): Promise<House> {
  const { config, clock, machineClock = clock, random, log, data } = options
  const startedAt = clock.now()
  startLockTime(clock)
  const storage = await openStorage(options)
  const { store, tables } = storage
  const { journal } = store
  let failure: Error | undefined
  journal.onFailure((error) => {
    failure = error
    log.error('a write to the journal failed; the server is read-only until it is restarted', { error: error.message })
  })
  const meter = createMeter()
  let calls: (request: CallRequest) => Promise<CallResult> = () => Promise.reject(new Error('no call before the house stands'))
  const invoke = (request: CallRequest): Promise<CallResult> => calls(request)
  const env = createEnv({ options, storage, meter, invoke })
  const { acts, seal, keys } = env
  const isFirst = await putFirstRows(env, options)
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
  const lake = openLake({ ...options, clock: machineClock })
  refuseOldLake(lake, journal)
  const signing = createSigning(env, () => config['notifications.certificateUrl'] ?? options.baseUrl())
  const captured = createCaptured({ ...env, clock: machineClock })
  const { deliverers, sms } = openDeliverers(options, env, captured, (...event) => running.tellPlatformEvent?.(...event))
  const { history, topicArchives } = storage
  const followers = createFollowers({ options, env, signing, history, lake, topicArchives, meter, deliverers })
  // Filled at the end; the closures before it may be called only then.
  const running: {
    upkeep?: Upkeep
    follows?: Follows
    bucketEvents?: BucketEventSender
    lifecycle?: LifecycleRuns
    moves?: MessageMoveRuns
    tellPlatformEvent?: TellPlatformEvent
    replays?: ReplayRuns
  } = {}
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
    parkedEndpoints: () => followers.delivery.deliveries().parked,
    refusal,
    failure: () => failure,
    isStopping: () => isStopping,
  })

  const tree = await openServerTree(options, env)
  const backups = createServerBackups({ options, env, storage, lake, idle: () => running.upkeep?.idle() ?? Promise.resolve() })
  const services = createServices({
    ...{
      options,
      env,
      signing,
      history: storage.history,
      lake,
      live,
      followers,
      deliverers,
      sms,
      captured,
      tree,
      backups,
      rotation,
      status,
      storeBytes,
    },
  })
  running.tellPlatformEvent = services.sns.platformEvents(env)
  calls = createCalls({
    env,
    services,
    authenticate: createAuthenticate({ clock: machineClock, tables, seal, errors: options.signatureErrors }),
    authorize: createAuthorize(tables),
    audit: createAudit({ random, selected: createDataEventFilter(tables) }),
    census,
    calls: meter.counter('sealcast_calls_total', 'Calls by service, operation and code.'),
    regions: new Set(config['regions.names']),
    refusal,
  })
  running.follows = await followers.start(tree)
  if (options.purpose === 'serve') {
    running.bucketEvents = new BucketEventSender(env)
    running.lifecycle = new LifecycleRuns(env, refusal)
    running.moves = new MessageMoveRuns(env, refusal)
    running.replays = new ReplayRuns(env, topicArchives, services.sns.latest, refusal)
  }
  const visibility = startVisibility({ clock, journal, queues: store.queues })
  const upkeep = startUpkeep({
    clock,
    log,
    store,
    sweeps: [...createSweeps(env, startedAt), async () => rotation?.goOn()],
    needed: () => (failure === undefined && options.purpose === 'serve' ? neededOf(running.follows, life, backups) : undefined),
  })
  running.upkeep = upkeep
  registerGauges(meter, status)
  meter.gauge('sealcast_oldest_undelivered_seconds', 'Age of the oldest message that is not delivered.', () => {
    const { oldestAt } = followers.delivery.deliveries()
    return [[{}, oldestAt === undefined ? 0 : (clock.now() - oldestAt) / 1000] as const]
  })
  if (options.purpose === 'serve') {
    await rotation?.begin()
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
    captured,
    invoke,
    status,
    refusal,
    underWay: () => followers.delivery.deliveries().running,
    async stop(reason) {
      isStopping = true
      freeSpace.stop()
      visibility.stop()
      live.close()
      await tree.checkpoints.stop()
      await running.replays?.stop()
      await running.follows?.stop()
      await running.bucketEvents?.stop()
      await running.lifecycle?.stop()
      await running.moves?.stop()
      tree.close()
      await upkeep.stop()
      await rotation?.stop()
      // The last commit; where nothing can be written any more, the next start tells.
      await life.end(reason).catch((error: unknown) => log.warn('the stop could not be recorded', { error: String(error) }))
      await signing.close()
      await env.outbound.close()
      await lake.close()
      await storage.history.close()
      await store.close()
    },
  }
}

function neededOf(follows: Follows | undefined, ...others: readonly { needed(): number }[]): number | undefined {
  return follows === undefined ? undefined : Math.min(follows.needed(), ...others.map((other) => other.needed()))
}
