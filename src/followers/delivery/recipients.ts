// Who outside gets the messages of a topic: its confirmed subscriptions of the protocols that are delivered from here, kept per topic and
// forgotten when one of them changes.
import { Table } from '../../model/tables.ts'
import type { Tables } from '../../engine/tables.ts'

export type Recipients = (topicArn: string) => readonly string[]

/** Subscription ARNs kept over all topics. */
const KEPT_MAX = 200_000

export function createRecipients(tables: Tables, protocols: ReadonlySet<string>): Recipients {
  const known = new Map<string, readonly string[]>()
  let kept = 0
  const forget = (topicArn: string): void => {
    kept -= known.get(topicArn)?.length ?? 0
    known.delete(topicArn)
  }
  tables.watch(Table.subscriptions, (subscriptionArn) => forget(subscriptionArn.slice(0, subscriptionArn.lastIndexOf(':'))))
  tables.watch(Table.topics, forget)
  return (topicArn) => {
    const present = known.get(topicArn)
    if (present !== undefined) return present
    // Subscriptions of a deleted topic of the same name live on for a while and do not count for its successor.
    const since = tables.get(Table.topics, topicArn)?.createdAt ?? 0
    const found = tables
      .range(Table.subscriptions, { prefix: `${topicArn}:` })
      .filter(({ value }) => value.state === 'confirmed' && protocols.has(value.protocol) && value.createdAt >= since)
      .map(({ key }) => key)
    if (known.size >= KEPT_MAX || kept + found.length > KEPT_MAX) {
      known.clear()
      kept = 0
    }
    known.set(topicArn, found)
    kept += found.length
    return found
  }
}
