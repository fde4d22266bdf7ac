// Who subscribes to a topic: derived from the subscription records, kept per topic, forgotten when one of them changes.
import { Table } from '../../model/tables.ts'
import type { Subscription, Topic } from '../../model/topic.ts'
import type { TableReader, Tables } from '../../engine/tables.ts'
import { topicOfSubscription } from './arns.ts'

export interface Subscribers {
  readonly all: readonly Subscription[]
  /** Confirmed ones that are queues. */
  readonly queues: readonly Subscription[]
  /** Whether somebody confirmed is no queue of this server. */
  readonly hasOutside: boolean
  readonly pending: number
  /** By protocol, space, endpoint. */
  readonly byEndpoint: ReadonlyMap<string, Subscription>
}

export interface SubscriberIndex {
  of(topic: Topic): Subscribers
}

const TOPICS_KEPT_MAX = 20_000

export function createSubscriberIndex(tables: Tables): SubscriberIndex {
  const known = new Map<string, { readonly topic: Topic; readonly subscribers: Subscribers }>()
  tables.watch(Table.subscriptions, (key) => known.delete(topicOfSubscription(key)))
  return {
    of(topic) {
      const kept = known.get(topic.topicArn)
      if (kept !== undefined && kept.topic.createdAt === topic.createdAt) return kept.subscribers
      const subscribers = readSubscribers(tables, topic)
      if (known.size >= TOPICS_KEPT_MAX) known.clear()
      known.set(topic.topicArn, { topic, subscribers })
      return subscribers
    },
  }
}

/** Subscriptions of a deleted topic of the same name live on for a while; they are older than the topic and do not count. */
function readSubscribers(tables: TableReader, topic: Topic): Subscribers {
  const all = tables
    .range(Table.subscriptions, { prefix: `${topic.topicArn}:` })
    .map(({ value }) => value)
    .filter(({ createdAt }) => createdAt >= topic.createdAt)
  return {
    all,
    queues: all.filter(({ protocol, state }) => protocol === 'sqs' && state === 'confirmed'),
    hasOutside: all.some(({ protocol, state }) => protocol !== 'sqs' && state === 'confirmed'),
    pending: all.filter(({ state }) => state === 'pending').length,
    byEndpoint: new Map(all.map((subscription) => [`${subscription.protocol} ${subscription.endpoint}`, subscription])),
  }
}
