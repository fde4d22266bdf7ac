// Topics and subscriptions as the records keep them. Values are replaced whole, never changed in place.
import type { FormerFilter } from './filter-policy/former-filters.ts'
import type { ReplayStatus } from './replay.ts'

export interface Topic {
  readonly topicArn: string
  readonly owner: string
  readonly createdAt: number
  /** Attributes set by the owner, by AWS's names (DisplayName, Policy, DeliveryPolicy, SignatureVersion, ...), as texts. */
  readonly attributes: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly subscriptionsDeleted: number
  /** As it was put; absent where no data is protected. */
  readonly dataProtectionPolicy?: string
  /** Of FIFO topics alone. */
  readonly fifo?: TopicIds
  /** Number of its archive (model/topic-archive.ts). */
  readonly archive?: number
}

/** Where a FIFO topic keeps what it was sent lately. */
export interface TopicIds {
  /** From the counter of queues: memories lie under it, and sequence numbers are counted for it. */
  readonly number: number
  /** When it was last changed how ids count (FifoThroughputScope), in ms since 1970. */
  readonly changedAt: number
}

export interface Subscription {
  readonly subscriptionArn: string
  readonly topicArn: string
  readonly protocol: string
  readonly endpoint: string
  readonly owner: string
  /** ARN of who called Subscribe. */
  readonly principal: string
  readonly createdAt: number
  readonly state: 'pending' | 'confirmed'
  readonly confirmationWasAuthenticated: boolean
  readonly authenticateOnUnsubscribe: boolean
  /** Number under which queued copies refer to this subscription (Route); 0 where it is no queue of this server. */
  readonly route: number
  /** FilterPolicy, RawMessageDelivery, RedrivePolicy, DeliveryPolicy, ... as texts. */
  readonly attributes: Readonly<Record<string, string>>
  /** Number of the change that brought its filter policy, by former-filters.ts; absent: there from the beginning. */
  readonly filterChange?: number
  /** Filters before the last changes, oldest first. */
  readonly formerFilters?: readonly FormerFilter[]
  /** Of the replay that its ReplayPolicy asked for. */
  readonly replayStatus?: ReplayStatus
  /** What is published does not go to it: its replay brings it in its turn, or has ended where it was to end. */
  readonly isHeldBack?: true
}

/** Served in the frame of each publish; everyone else, queues of other servers among them, by the delivery follower. */
export function isOwnQueue({ protocol, route }: Pick<Subscription, 'protocol' | 'route'>): boolean {
  return protocol === 'sqs' && route !== 0
}

/** How a queued copy of a published message is wrapped when it is received. Outlives its subscription. */
export interface Route {
  readonly subscriptionArn: string
  readonly topicArn: string
  /** The subscribed queue's ARN. */
  readonly endpoint: string
  readonly raw: boolean
  /** What comes by it was there before, and says so. */
  readonly isReplay?: true
}

export interface Queue {
  readonly queueArn: string
  /** The number by which the queue store knows it. */
  readonly number: number
  readonly owner: string
  readonly createdAt: number
  readonly modifiedAt: number
  /** Attributes set by the owner, by AWS's names (VisibilityTimeout, Policy, ...), as texts. */
  readonly attributes: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
}
