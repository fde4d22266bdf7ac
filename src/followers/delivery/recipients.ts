// Who outside gets a message: the confirmed subscriptions of its topic, of the protocols that are delivered from here, whose filter
// policies it passes. Kept per topic, with each change of a subscription.
import { type Audience, placeIn } from '../../model/data-protection/audience.ts'
import { filterAt } from '../../model/filter-policy/former-filters.ts'
import { type FilteredMessage, SubscriptionFilters, filterPolicyOf, passesFilter } from '../../model/filter-policy/subscription-filters.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import { isOwnQueue, type Subscription } from '../../model/topic.ts'
import type { Env } from '../../engine/env.ts'
import type { Tables } from '../../engine/tables.ts'
import { openedBody } from '../../engine/topic-message.ts'

export interface Recipients {
  knows(topicArn: string): boolean
  /** Reads the topic's subscriptions, a few at a time; whether they are known then, `knows` tells. */
  load(topicArn: string): Promise<void>
  /**
   * ARNs of the subscriptions that get a published message of a known topic, or whom alone a message is for. `body` is asked for when a
   * policy looks at it.
   */
  of(header: MessageHeader, body: () => string): readonly string[]
  /** What a copy of a message is to one of them; undefined: another copy is meant for it, or it is gone. */
  placeIn(audience: Audience, subscriptionArn: string): ReturnType<typeof placeIn>
}

/** Subscriptions kept over all topics. */
const KEPT_MAX = 200_000
/** Compiled policies are what takes time: a page is a millisecond or two. */
const PAGE_ROWS = 30

export function createRecipients(tables: Tables, protocols: ReadonlySet<string>): Recipients {
  const known = new Map<string, TopicRecipients>()
  let kept = 0
  const forget = (topicArn: string): void => {
    kept -= known.get(topicArn)?.size ?? 0
    known.delete(topicArn)
  }
  const put = (recipients: TopicRecipients, subscriptionArn: string, subscription: Subscription | undefined): void => {
    kept -= recipients.size
    const isOutside = subscription !== undefined && protocols.has(subscription.protocol) && !isOwnQueue(subscription)
    const counts = isOutside && subscription.state === 'confirmed' && subscription.createdAt >= recipients.since
    recipients.put(subscriptionArn, counts ? subscription : undefined)
    kept += recipients.size
  }
  // Subscriptions of a deleted topic of the same name live on for a while and do not count for its successor.
  const since = (topicArn: string): number => tables.get(Table.topics, topicArn)?.createdAt ?? 0
  tables.watch(Table.subscriptions, (subscriptionArn) => {
    const recipients = known.get(subscriptionArn.slice(0, subscriptionArn.lastIndexOf(':')))
    if (recipients !== undefined) put(recipients, subscriptionArn, tables.get(Table.subscriptions, subscriptionArn))
  })
  tables.watch(Table.topics, (topicArn) => {
    if (known.get(topicArn)?.since !== since(topicArn)) forget(topicArn)
  })
  return {
    knows: (topicArn) => known.get(topicArn)?.isLoaded === true,
    async load(topicArn) {
      if (known.size >= KEPT_MAX || kept > KEPT_MAX) {
        known.clear()
        kept = 0
      }
      forget(topicArn)
      const recipients = new TopicRecipients(since(topicArn))
      known.set(topicArn, recipients)
      for (let after: string | undefined; known.get(topicArn) === recipients;) {
        const rows = tables.range(Table.subscriptions, { prefix: `${topicArn}:`, limit: PAGE_ROWS, ...(after !== undefined && { after }) })
        for (const { key, value } of rows) put(recipients, key, value)
        after = rows.at(-1)?.key
        if (rows.length < PAGE_ROWS) return void (recipients.isLoaded = true)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    placeIn(audience, subscriptionArn) {
      const subscription = tables.get(Table.subscriptions, subscriptionArn)
      return subscription === undefined ? undefined : placeIn(audience, subscription)
    },
    of(header, body) {
      const { type, topicArn, subscriptionArn, direct } = header
      if (direct !== undefined) return [direct.sender]
      if (type === 'Queued' || topicArn === undefined) return []
      if (type === 'Notification') return known.get(topicArn)?.of(header, body) ?? []
      return subscriptionArn === undefined ? [] : [subscriptionArn]
    },
  }
}

/** A body that does not open passes no filter that looks at it: the others must not wait for its key. */
export function bodyForFilters(env: Parameters<typeof openedBody>[0] & Pick<Env, 'log'>, header: MessageHeader, body: string): string {
  try {
    return openedBody(env, header, body)
  } catch (error) {
    env.log.error('a sealed message cannot be opened, and goes to no subscription that filters bodies', {
      messageId: header.messageId,
      error: String(error),
    })
    return ''
  }
}

class TopicRecipients {
  readonly since: number
  /** All of its subscriptions were read; changes count from the beginning. */
  isLoaded = false
  /** Those that get every message. */
  readonly #all = new Set<string>()
  /** The same as a list, made again after a change. */
  #list: readonly string[] | undefined
  readonly #filtered = new SubscriptionFilters<string>()
  /** Those whose policy changed, until a message comes that was published after the change. */
  readonly #changed = new Map<string, Subscription>()

  constructor(since: number) {
    this.since = since
  }

  get size(): number {
    return this.#all.size + this.#filtered.size
  }

  /** The subscription as it is now; undefined: it gets nothing. */
  put(subscriptionArn: string, subscription: Subscription | undefined): void {
    if (this.#all.delete(subscriptionArn)) this.#list = undefined
    this.#filtered.delete(subscriptionArn)
    this.#changed.delete(subscriptionArn)
    if (subscription === undefined) return
    if (subscription.formerFilters !== undefined) this.#changed.set(subscriptionArn, subscription)
    const policy = filterPolicyOf(subscription.attributes)
    if (policy !== undefined) return this.#filtered.set(subscriptionArn, policy, subscription.protocol, subscriptionArn)
    this.#all.add(subscriptionArn)
    this.#list = undefined
  }

  of(header: MessageHeader, body: () => string): readonly string[] {
    const list = (this.#list ??= [...this.#all])
    if (this.#filtered.size === 0 && this.#changed.size === 0) return list
    const message: FilteredMessage = {
      attributes: header.attributes,
      structure: header.structure,
      get body() {
        return body()
      },
    }
    const recipients = this.#filtered.size === 0 ? list : [...list, ...this.#filtered.match(message)]
    return this.#changed.size === 0 ? recipients : this.#asPublished(header.filterChanges ?? 0, message, recipients)
  }

  /** Each message goes by the policies in force when it was published, however late it is looked at. */
  #asPublished(changes: number, message: FilteredMessage, recipients: readonly string[]): readonly string[] {
    const result = new Set(recipients)
    for (const [subscriptionArn, subscription] of this.#changed) {
      const former = filterAt(subscription, changes)
      if (former === undefined) {
        // Messages come in the order in which they were published.
        this.#changed.delete(subscriptionArn)
        continue
      }
      const policy = filterPolicyOf(former)
      if (policy === undefined || passesFilter(policy, message, subscription.protocol)) result.add(subscriptionArn)
      else result.delete(subscriptionArn)
    }
    return [...result]
  }
}
