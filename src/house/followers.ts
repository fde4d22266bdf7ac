// The registry of followers: all that reads the journal in order. One of the places that import an index.ts.
import type { Meter } from '../base/meter.ts'
import type { Env } from '../engine/env.ts'
import { type Follower, type Follows, startFollowers } from '../engine/follow.ts'
import type { Signing } from '../engine/signing.ts'
import { createDeliveryFollower } from '../followers/delivery/index.ts'
import type { DeliveryFollower } from '../followers/delivery/options.ts'
import { forgetEventCopies, openEventCopies } from '../followers/event-copies.ts'
import { createHistoryFollower, type HistoryFollower } from '../followers/history.ts'
import { createLakeFollower, type LakeFollower } from '../followers/lake.ts'
import { TrailFollower } from '../followers/trail/follower.ts'
import { createTopicArchiveFollower } from '../followers/topic-archive.ts'
import type { Tree } from '../followers/tree/tree.ts'
import type { LakeRetention } from '../services/sealcast/store-retention.ts'
import type { History } from '../storage/history.ts'
import type { Lake } from '../storage/lake.ts'
import type { Deliverers } from './deliverers.ts'
import type { TopicArchives } from '../storage/topic-archives.ts'
import type { Config, HouseOptions } from './options.ts'

export interface HouseFollowers {
  readonly delivery: DeliveryFollower
  readonly history: HistoryFollower
  readonly lake: LakeFollower
  /** For a command, only what keeps the server's own record goes on. */
  start(tree: Tree): Promise<Follows>
}

export function createFollowers(parts: {
  readonly options: HouseOptions
  readonly env: Env
  readonly signing: Signing
  readonly history: History
  readonly lake: Lake
  readonly topicArchives: TopicArchives
  readonly meter: Meter
  readonly deliverers: Deliverers
}): HouseFollowers {
  const { options, env, signing, meter, deliverers } = parts
  const { config, clock, log, random } = options
  const { journal, tables, acts, outbound } = env
  const delivery = createDeliveryFollower({
    env,
    deliverers,
    outbound,
    envelope: (notification) => signing.envelope(notification),
    baseUrl: options.baseUrl,
    attempts: meter.counter('sealcast_delivery_attempts_total', 'Attempts at deliveries by protocol and outcome.'),
    lostLetters: meter.counter('sealcast_dead_letters_lost_total', 'Messages given up that their dead-letter queue did not take.'),
  })
  const history = createHistoryFollower({ history: parts.history, journal, clock, log, acts })
  const lake = createLakeFollower({ lake: parts.lake, tables, random, journal, clock, log, retention: lakeRetention(config) })
  return {
    delivery,
    history,
    lake,
    async start(tree) {
      const own = [lake, tree.follower]
      if (options.purpose === 'command') return startFollowers({ journal, clock, log, followers: own })
      const serving: readonly Follower[] = [
        delivery,
        history,
        createTopicArchiveFollower({ env, archives: parts.topicArchives }),
        new TrailFollower({
          env,
          deliveryIntervalSeconds: config['trail.deliveryIntervalSeconds'],
          digestKeyDays: config['trail.digestKeyDays'],
        }),
        ...(await eventCopies(options, env)),
      ]
      return startFollowers({ journal, clock, log, followers: [...own, ...serving] })
    },
  }
}

export function lakeRetention(config: Config): LakeRetention {
  return {
    days: config['lake.retentionDays'],
    deliveriesDays: config['deliveries.retentionDays'],
    bytesMax: config['lake.maxBytes'],
  }
}

async function eventCopies({ config, eventsAuthorization }: HouseOptions, env: Env): Promise<readonly Follower[]> {
  const target = config['events.target']
  if (target === undefined) {
    await forgetEventCopies(env)
    return []
  }
  return [
    await openEventCopies({
      env,
      outbound: env.outbound,
      target,
      ...(eventsAuthorization !== undefined && { authorization: eventsAuthorization }),
      includesReads: config['events.reads'],
      includesData: config['events.data'],
      backlogBytesMax: config['events.backlogBytes'],
    }),
  ]
}
