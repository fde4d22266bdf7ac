// Who subscribes to a topic: read from the subscription records once, then kept with each of their changes, and forgotten when there are
// many other topics. After a start all are read a few at a time, so that the first publish to a wide topic finds them there.
import { type FilteredMessage, SubscriptionFilters, filterPolicyOf } from '../../model/filter-policy/subscription-filters.ts'
import type { Subscriber } from '../../model/data-protection/audience.ts'
import { textNamesFor } from '../../model/data-protection/texts.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue, type Subscription, type Topic } from '../../model/topic.ts'
import type { Tables } from '../../engine/tables.ts'
import { topicOfSubscription } from './arns.ts'

export interface Subscribers {
  /** By ARN. */
  readonly all: ReadonlyMap<string, Subscription>
  /** Whether somebody confirmed is no queue of this server. */
  readonly hasOutside: boolean
  /** Whether such a one has, or had, a filter policy: messages then tell which changes of policies came before them. */
  readonly hasOutsideFilters: boolean
  /** Of confirmed HTTP endpoints that get each message in an envelope: the protocol of one. */
  readonly envelopeProtocol: 'http' | 'https' | undefined
  readonly pending: number
  /** How many have a filter policy. */
  readonly filterPolicies: number
  /** By protocol, space, endpoint. */
  readonly byEndpoint: ReadonlyMap<string, Subscription>
  /** One of each kind of the confirmed: who subscribed, and which text is for them. The same list until another kind comes or one goes. */
  readonly kinds: readonly Subscriber[]
  /** Confirmed ones that are queues and whose filter policies the message passes. The list is good until the next change. */
  queuesFor(message: FilteredMessage): readonly Subscription[]
}

export interface SubscriberIndex {
  /** Reads the topic's subscriptions at once where they are not known yet. */
  of(topic: Topic): Subscribers
  /** Resolves when all topics are known, as far as they are kept. */
  readonly warm: Promise<void>
}

const TOPICS_KEPT_MAX = 20_000
/** Compiled policies are what takes time: a page is a millisecond or two. */
const WARM_ROWS = 30

export function createSubscriberIndex(tables: Tables): SubscriberIndex {
  const known = new Map<string, TopicSubscribers>()
  let warming: { readonly topicArn: string; readonly subscribers: TopicSubscribers; isWhole: boolean } | undefined
  tables.watch(Table.subscriptions, (key) => {
    const topicArn = topicOfSubscription(key)
    const subscription = tables.get(Table.subscriptions, key)
    known.get(topicArn)?.put(key, subscription)
    if (warming?.topicArn === topicArn) warming.subscribers.put(key, subscription)
  })
  const keepWarmed = (): void => {
    if (warming?.isWhole === true && !known.has(warming.topicArn)) known.set(warming.topicArn, warming.subscribers)
    warming = undefined
  }
  const warm = async (): Promise<void> => {
    for (let after: string | undefined; known.size < TOPICS_KEPT_MAX;) {
      await new Promise((resolve) => setImmediate(resolve))
      const rows = tables.range(Table.subscriptions, { limit: WARM_ROWS, ...(after !== undefined && { after }) })
      for (const { key, value } of rows) {
        const topicArn = topicOfSubscription(key)
        if (topicArn !== warming?.topicArn) {
          keepWarmed()
          warming = { topicArn, subscribers: new TopicSubscribers(tables.get(Table.topics, topicArn)?.createdAt ?? 0), isWhole: true }
        }
        if (known.has(topicArn)) warming.isWhole = false
        else warming.subscribers.put(key, value)
      }
      after = rows.at(-1)?.key
      if (after === undefined) return keepWarmed()
    }
    warming = undefined
  }
  return {
    // What cannot be read now is read when somebody asks for it, who is told.
    warm: warm().catch(() => undefined),
    of(topic) {
      const kept = known.get(topic.topicArn)
      if (kept !== undefined && kept.since === topic.createdAt) return kept
      const subscribers = new TopicSubscribers(topic.createdAt)
      for (const { key, value } of tables.range(Table.subscriptions, { prefix: `${topic.topicArn}:` })) subscribers.put(key, value)
      if (known.size >= TOPICS_KEPT_MAX) known.clear()
      known.set(topic.topicArn, subscribers)
      return subscribers
    },
  }
}

class TopicSubscribers implements Subscribers {
  /** Subscriptions of a deleted topic of the same name live on for a while; they are older than the topic and do not count. */
  readonly since: number
  readonly all = new Map<string, Subscription>()
  readonly byEndpoint = new Map<string, Subscription>()
  pending = 0
  filterPolicies = 0
  #outside = 0
  #outsideFilters = 0
  readonly #envelopes = { http: 0, https: 0 }
  readonly #kinds = new Map<string, { readonly one: Subscriber; count: number }>()
  #kindList: readonly Subscriber[] | undefined
  /** Queues that get every message. */
  readonly #queues: Subscription[] = []
  readonly #filteredQueues = new SubscriptionFilters<Subscription>()

  constructor(since: number) {
    this.since = since
  }

  get hasOutside(): boolean {
    return this.#outside > 0
  }

  get hasOutsideFilters(): boolean {
    return this.#outsideFilters > 0
  }

  get envelopeProtocol(): 'http' | 'https' | undefined {
    if (this.#envelopes.http > 0) return 'http'
    return this.#envelopes.https > 0 ? 'https' : undefined
  }

  get kinds(): readonly Subscriber[] {
    return (this.#kindList ??= [...this.#kinds.values()].map(({ one }) => one))
  }

  queuesFor(message: FilteredMessage): readonly Subscription[] {
    return this.#filteredQueues.size === 0 ? this.#queues : [...this.#queues, ...this.#filteredQueues.match(message)]
  }

  /** The subscription as it is now; undefined: it is gone. */
  put(subscriptionArn: string, subscription: Subscription | undefined): void {
    const before = this.all.get(subscriptionArn)
    if (before !== undefined) this.#remove(before)
    if (subscription !== undefined && subscription.createdAt >= this.since) this.#add(subscription)
  }

  #add(subscription: Subscription): void {
    this.all.set(subscription.subscriptionArn, subscription)
    this.byEndpoint.set(endpointKey(subscription), subscription)
    this.#count(subscription, 1)
    if (!isQueue(subscription)) return
    const policy = filterPolicyOf(subscription.attributes)
    if (policy === undefined) this.#queues.push(subscription)
    else this.#filteredQueues.set(subscription.subscriptionArn, policy, subscription.protocol, subscription)
  }

  #remove(subscription: Subscription): void {
    const key = endpointKey(subscription)
    this.all.delete(subscription.subscriptionArn)
    if (this.byEndpoint.get(key) === subscription) this.byEndpoint.delete(key)
    this.#count(subscription, -1)
    const at = this.#queues.indexOf(subscription)
    if (at !== -1) this.#queues.splice(at, 1)
    else this.#filteredQueues.delete(subscription.subscriptionArn)
  }

  #count(subscription: Subscription, change: 1 | -1): void {
    const { state, attributes, formerFilters } = subscription
    const isOutside = !isOwnQueue(subscription)
    if (state === 'pending') this.pending += change
    else {
      this.#countKind(subscription, change)
      if (isOutside) this.#outside += change
      const { protocol } = subscription
      const isEach = attributes['FilterPolicy'] === undefined && attributes['RawMessageDelivery'] !== 'true'
      if (isEach && (protocol === 'http' || protocol === 'https')) this.#envelopes[protocol] += change
    }
    if (attributes['FilterPolicy'] !== undefined) this.filterPolicies += change
    if (isOutside && (attributes['FilterPolicy'] ?? formerFilters) !== undefined) this.#outsideFilters += change
  }

  #countKind(subscription: Subscription, change: 1 | -1): void {
    const name = kindOf(subscription)
    const kind = this.#kinds.get(name)
    if (kind !== undefined && kind.count + change > 0) return void (kind.count += change)
    this.#kindList = undefined
    if (kind === undefined) {
      const { owner, principal, protocol, endpoint } = subscription
      this.#kinds.set(name, { one: { owner, principal, protocol, endpoint }, count: 1 })
    } else this.#kinds.delete(name)
  }
}

function kindOf(subscription: Subscription): string {
  return `${subscription.owner} ${subscription.principal} ${textNamesFor(subscription)}`
}

function isQueue(subscription: Subscription): boolean {
  return isOwnQueue(subscription) && subscription.state === 'confirmed' && subscription.isHeldBack !== true
}

function endpointKey({ protocol, endpoint }: Subscription): string {
  return `${protocol} ${endpoint}`
}
