// How many filter policies a topic and an account in a region may have, where AWS's counts hold. Who has none is no matter of theirs.
import { Table } from '../../model/tables.ts'
import type { Topic } from '../../model/topic.ts'
import type { Call } from '../../engine/operation.ts'
import { filterPolicyLimitExceeded } from './errors.ts'
import type { SnsParts } from './operation.ts'

/** MUST have resolved before `checkFilterRoom` is asked about the topic. */
export async function loadFilterCounts({ limits }: SnsParts, topicArn: string | undefined, { env }: Call): Promise<void> {
  if (limits === undefined || topicArn === undefined || env.tables.get(Table.topics, topicArn) === undefined) return
  await limits.filterPolicies.load(accountPrefix(topicArn))
}

/** Throws when there is no room for one more. */
export function checkFilterRoom({ limits, subscribers }: SnsParts, topic: Topic): void {
  if (limits === undefined) return
  const { filterPolicies, filterPoliciesPerTopicMax, filterPoliciesMax } = limits
  if (subscribers.of(topic).filterPolicies >= filterPoliciesPerTopicMax)
    throw filterPolicyLimitExceeded(filterPoliciesPerTopicMax, 'a topic')
  if (filterPolicies.of(accountPrefix(topic.topicArn)) >= filterPoliciesMax)
    throw filterPolicyLimitExceeded(filterPoliciesMax, 'an account')
}

/** Of the account's subscriptions in the region. */
function accountPrefix(topicArn: string): string {
  return topicArn.slice(0, topicArn.lastIndexOf(':') + 1)
}
