// Takes away what has run out: confirmation tokens, subscriptions that nobody confirmed, and those whose topic is gone. AWS keeps the
// latter for about two days; so does this, counted from when a sweep first met them.
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { Env } from '../../engine/env.ts'
import type { TableReader } from '../../engine/tables.ts'
import { TOKEN_LIFE_MS } from './subscribe.ts'
import { sweepRows } from './sweep-rows.ts'

const ORPHAN_LIFE_MS = 48 * 3600 * 1000

export function createSubscriptionSweep(env: Pick<Env, 'tables' | 'commits'>): () => Promise<void> {
  /** When an orphan was first met, by subscription ARN. */
  const metAt = new Map<string, number>()
  const hasRunOut = (subscription: Subscription, reader: TableReader, now: number): boolean => {
    if (subscription.state === 'pending') return subscription.createdAt + TOKEN_LIFE_MS <= now
    const topic = reader.get(Table.topics, subscription.topicArn)
    if (topic !== undefined && topic.createdAt <= subscription.createdAt) {
      metAt.delete(subscription.subscriptionArn)
      return false
    }
    const first = metAt.get(subscription.subscriptionArn)
    if (first === undefined) metAt.set(subscription.subscriptionArn, now)
    return first !== undefined && first + ORPHAN_LIFE_MS <= now
  }
  return async () => {
    await sweepRows(env, Table.confirmations, ({ expiresAt }, _reader, now) => expiresAt <= now)
    await sweepRows(env, Table.subscriptions, hasRunOut)
  }
}
