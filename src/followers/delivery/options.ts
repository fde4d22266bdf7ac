// What the delivery follower is made of, within which bounds it works, and what it tells of itself.
import type { Counter } from '../../base/meter.ts'
import type { Deliverer } from '../../engine/deliverer.ts'
import { CONNECTIONS_PER_ORIGIN } from '../../engine/http-origin.ts'
import type { Env } from '../../engine/env.ts'
import type { Follower } from '../../engine/follow.ts'
import type { Outbound } from '../../engine/outbound.ts'
import type { Notification } from '../../model/notification.ts'
import type { ParkedEndpointStatus } from '../../model/status.ts'
import type { FreshLimits } from './fresh.ts'
import type { Limits } from './lanes.ts'
import type { RoomLimits } from './room.ts'

export interface DeliveryOptions {
  readonly env: Pick<Env, 'clock' | 'random' | 'log' | 'tables' | 'commits' | 'seal' | 'journal' | 'keys' | 'acts'>
  readonly deliverers: Readonly<Record<string, Deliverer>>
  readonly outbound: Outbound
  /** The JSON of a notification, signed where its topic signs. */
  readonly envelope: (notification: Notification) => Promise<string> | string
  /** Where links lead, without a slash at the end. */
  readonly baseUrl: () => string
  /** Counted once per attempt, by protocol and outcome. */
  readonly attempts?: Counter
  /** Counted once for each dead letter that its queue did not take. */
  readonly lostLetters?: Counter
  readonly limits?: Partial<DeliveryLimits>
}

export interface DeliveryLimits extends Limits, RoomLimits, FreshLimits {
  /** How long a delivery may stay undone in memory before it becomes a record. */
  readonly recordAfterMs: number
  /** How long a stop waits for attempts under way. */
  readonly stopMs: number
}

export interface DeliveryState {
  readonly running: number
  /** Deliveries that only the journal remembers. */
  readonly fresh: number
  /** Deliveries among the records. */
  readonly recorded: number
  /** When the oldest message was published that is not delivered, in ms since 1970. */
  readonly oldestAt: number | undefined
  /** Endpoints at which so much failed that nothing but probes is tried. */
  readonly parked: readonly ParkedEndpointStatus[]
}

export interface DeliveryFollower extends Follower {
  deliveries(): DeliveryState
}

export const DELIVERY_LIMITS: DeliveryLimits = {
  perLane: 16,
  waitingPerLane: 256,
  running: 2048,
  runningBytes: 128 * 1024 * 1024,
  perHost: CONNECTIONS_PER_ORIGIN,
  waiting: 4096,
  waitingBytes: 64 * 1024 * 1024,
  recordAfterMs: 1000,
  stopMs: 3000,
}
