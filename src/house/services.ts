// The registry of services: every service by name, with what it needs. One of the places that import an index.ts.
import type { Backups } from '../engine/backup.ts'
import type { Captured } from '../engine/captured.ts'
import { byProtocol } from '../engine/deliverer.ts'
import type { Env } from '../engine/env.ts'
import type { Live } from '../engine/live.ts'
import type { Service } from '../engine/operation.ts'
import { createRateLimit } from '../engine/rate-limit.ts'
import type { RootRotation } from '../engine/root-rotation.ts'
import type { Signing } from '../engine/signing.ts'
import type { SmsSender } from '../engine/sms-sender.ts'
import type { Tree } from '../followers/tree/tree.ts'
import { parseArn } from '../model/arn.ts'
import { createNotification } from '../model/notification.ts'
import { credentialsProblem } from '../model/platform-credentials.ts'
import type { Status } from '../model/status.ts'
import { Table } from '../model/tables.ts'
import { cloudtrailData } from '../services/cloudtrail-data/index.ts'
import { createCloudtrail } from '../services/cloudtrail/index.ts'
import { s3 } from '../services/s3/index.ts'
import { createSealcast } from '../services/sealcast/index.ts'
import { storeRetention } from '../services/sealcast/store-retention.ts'
import { createSns, type Sns } from '../services/sns/index.ts'
import { createSnsLimits } from '../services/sns/limits.ts'
import { createSqs } from '../services/sqs/index.ts'
import { sts } from '../services/sts/index.ts'
import type { History } from '../storage/history.ts'
import type { Lake } from '../storage/lake.ts'
import type { Deliverers } from './deliverers.ts'
import { type HouseFollowers, lakeRetention } from './followers.ts'
import type { HouseOptions } from './options.ts'

/** CloudTrail user guide, "Quotas in AWS CloudTrail": of an account in a region, with the limits of AWS alone. */
const TRAILS_PER_REGION_MAX = 5
const LOOKUPS_PER_SECOND = 2
const CHANNELS_MAX = 25

/** Where bodies of messages lie. */
const MESSAGE_STORES = ['journal', 'queues', 'records']

export interface ServiceParts {
  readonly options: HouseOptions
  readonly env: Env
  readonly signing: Signing
  readonly history: History
  readonly lake: Lake
  readonly live: Live
  readonly followers: HouseFollowers
  readonly deliverers: Deliverers
  /** Undefined where nobody sends texts. */
  readonly sms: SmsSender | undefined
  readonly captured: Captured
  readonly tree: Tree
  readonly backups: Backups
  /** Absent where everything is in memory. */
  readonly rotation: RootRotation | undefined
  readonly status: () => Status
  readonly storeBytes: () => Readonly<Record<string, number>>
}

export interface Services extends Readonly<Record<string, Service>> {
  readonly sns: Sns
}

export function createServices(parts: ServiceParts): Services {
  const { options, env, signing, history, lake, live, followers, deliverers, sms, captured, tree, backups, rotation, status } = parts
  const { config, clock, account } = options
  const lookups = createRateLimit({ clock, perSecond: LOOKUPS_PER_SECOND })
  return {
    sns: createSns({
      tables: env.tables,
      protocols: { ...Object.fromEntries(byProtocol(deliverers)), sqs: { validate: () => undefined } },
      foresee: (header, body, protocol) => signing.foresee(header, body, { protocol, baseUrl: options.baseUrl() }),
      ...(sms !== undefined && { sms }),
      ...(options.providers?.push.kind !== 'capture' && { credentialsProblem }),
      ...(options.providers?.queues.kind === 'endpoint' && { isRemoteQueue: remoteQueues(env, new Set(config['regions.names'])) }),
      ...(config['limits.profile'] === 'aws' && { limits: createSnsLimits({ tables: env.tables, clock }) }),
    }),
    sqs: createSqs({
      notifications: (header, body, route) =>
        signing.envelope(
          createNotification(header, body, {
            ...{ protocol: 'sqs', subscriptionArn: route.subscriptionArn, baseUrl: options.baseUrl() },
            ...(route.isReplay === true && { isReplay: true }),
          }),
        ),
      hasAwsRates: config['limits.profile'] === 'aws',
      isSealedAtRest: options.data === undefined || MESSAGE_STORES.every((store) => config['seal.stores'].includes(store)),
    }),
    sts,
    s3,
    cloudtrail: createCloudtrail({
      history,
      caughtUp: () => followers.history.catchUp(),
      ...(config['limits.profile'] === 'aws' && { trailsMax: TRAILS_PER_REGION_MAX, channelsMax: CHANNELS_MAX }),
      retentionDays: config['lake.retentionDays'],
      mayLookUp: (caller, region) => config['limits.profile'] === 'open' || lookups.take(`${caller}/${region}`),
    }),
    'cloudtrail-data': cloudtrailData,
    sealcast: createSealcast({
      lake,
      live,
      captured,
      caughtUp: () => followers.lake.catchUp(),
      status,
      stores: () => storeRetention(parts.storeBytes(), lakeRetention(config)),
      backups,
      regions: new Set(config['regions.names']),
      digestKeyDays: config['trail.digestKeyDays'],
      ...(rotation !== undefined && { rotation }),
      tree,
      environment: () => ({ url: options.baseUrl(), region: config['regions.default'], account }),
    }),
  }
}

/** A queue is one of this server where its region is served and its account known; any other lies at sqs.remoteEndpoint. */
function remoteQueues({ tables }: Env, regions: ReadonlySet<string>): (queueArn: string) => boolean {
  return (queueArn) => {
    const { region = '', account = '' } = parseArn(queueArn) ?? {}
    return !regions.has(region) || tables.get(Table.accounts, account) === undefined
  }
}
