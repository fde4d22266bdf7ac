// Routes: the numbers under which queued copies refer to the subscription they came by, and how they are wrapped.
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { Transaction } from '../../engine/transaction.ts'

/** A new number; 0 for a subscription that is no queue. `isReplay`: what comes by it was there before. */
export function newRoute(tx: Transaction, subscription: Subscription, isReplay = false): number {
  if (subscription.protocol !== 'sqs') return 0
  const route = tx.nextNumber('route')
  tx.put(Table.routes, String(route), {
    subscriptionArn: subscription.subscriptionArn,
    topicArn: subscription.topicArn,
    endpoint: subscription.endpoint,
    raw: subscription.attributes['RawMessageDelivery'] === 'true',
    ...(isReplay && { isReplay }),
  })
  return route
}
