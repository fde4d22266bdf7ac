// Which delivery policy holds for a subscription, and when the next attempt is due by it.
import type { Random } from '../../base/random.ts'
import {
  AWS_MANAGED,
  CUSTOMER_MANAGED,
  type EffectivePolicy,
  effectivePolicy,
  httpRetryDelayMs,
  retryDelayMs,
} from '../../model/delivery-policy.ts'
import { Table } from '../../model/tables.ts'
import type { Subscription } from '../../model/topic.ts'
import type { TableReader } from '../../engine/tables.ts'

/** "Amazon SNS message delivery retries": what AWS runs is tried for 23 days; mail, push and SMS for six hours. */
const MANAGED: ReadonlySet<string> = new Set(['sqs', 'lambda', 'firehose'])
const POLICIES_KEPT_MAX = 1000
/** Delays grow by up to this share, so that many who failed together do not come back together. */
const JITTER = 0.1

export type Policies = (subscription: Subscription) => EffectivePolicy

/** Policies in force, parsed once per pair of texts. */
export function createPolicies(tables: TableReader): Policies {
  const http = new Map<string, EffectivePolicy>()
  return ({ protocol, topicArn, attributes }) => {
    if (!isHttp(protocol)) return MANAGED.has(protocol) ? AWS_MANAGED : CUSTOMER_MANAGED
    const own = attributes['DeliveryPolicy']
    const topic = tables.get(Table.topics, topicArn)?.attributes['DeliveryPolicy']
    const key = `${own ?? ''}\n${topic ?? ''}`
    let policy = http.get(key)
    if (policy === undefined) {
      if (http.size >= POLICIES_KEPT_MAX) http.clear()
      http.set(key, (policy = effectivePolicy(own, topic)))
    }
    return policy
  }
}

/** The pause before retry number `retry` (1 = the first) in ms, or undefined when all are spent. `atLeast`: what the endpoint asked for. */
export function pauseBefore(
  { protocol }: Subscription,
  policy: EffectivePolicy,
  retry: number,
  atLeast: number | undefined,
  random: Random,
): number | undefined {
  const delay = delayOf(protocol, policy, retry)
  if (delay === undefined) return undefined
  return Math.max(atLeast ?? 0, Math.round(delay * (1 + (JITTER * random.below(1001)) / 1000)))
}

function delayOf(protocol: string, { retry }: EffectivePolicy, number: number): number | undefined {
  return isHttp(protocol) ? httpRetryDelayMs(retry, number) : retryDelayMs(retry, number)
}

function isHttp(protocol: string): boolean {
  return protocol.startsWith('http')
}
