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

/** Of a policy, at n: how long the first n retries take that all fail at once, in ms. */
const schedules = new WeakMap<EffectivePolicy, Float64Array>()

/** Policies in force, parsed once per pair of texts. */
export function createPolicies(tables: TableReader): Policies {
  const http = new Map<string, EffectivePolicy>()
  /** What held for a subscription as it is, and with which text of its topic. */
  const found = new WeakMap<Subscription, { readonly topic: string | undefined; readonly policy: EffectivePolicy }>()
  return (subscription) => {
    const { protocol, topicArn, attributes } = subscription
    if (!isHttp(protocol)) return MANAGED.has(protocol) ? AWS_MANAGED : CUSTOMER_MANAGED
    const topic = tables.get(Table.topics, topicArn)?.attributes['DeliveryPolicy']
    const known = found.get(subscription)
    if (known !== undefined && known.topic === topic) return known.policy
    const own = attributes['DeliveryPolicy']
    const key = `${own ?? ''}\n${topic ?? ''}`
    let policy = http.get(key)
    if (policy === undefined) {
      if (http.size >= POLICIES_KEPT_MAX) http.clear()
      http.set(key, (policy = effectivePolicy(own, topic)))
    }
    found.set(subscription, { topic, policy })
    return policy
  }
}

/** "Amazon SNS message delivery retries": streams of Firehose that throttle are tried as endpoints of customers are. */
export function policyOfThrottled({ protocol }: Subscription, policy: EffectivePolicy): EffectivePolicy {
  return protocol === 'firehose' ? CUSTOMER_MANAGED : policy
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

/** When the retries are spent of a delivery that was tried `attempts` times and is due at `dueAt`, if every attempt fails at once. */
export function spentAt(subscription: Subscription, policy: EffectivePolicy, attempts: number, dueAt: number): number {
  const schedule = scheduleOf(subscription, policy)
  const last = schedule.length - 1
  return dueAt + (schedule[last] ?? 0) - (schedule[Math.min(attempts, last)] ?? 0)
}

/** How often it would have been tried by `now`. */
export function attemptsBy(
  subscription: Subscription,
  policy: EffectivePolicy,
  { attempts, dueAt }: { readonly attempts: number; readonly dueAt: number },
  now: number,
): number {
  const schedule = scheduleOf(subscription, policy)
  const until = (schedule[Math.min(attempts, schedule.length - 1)] ?? 0) + now - dueAt
  let low = attempts
  for (let high = schedule.length - 1; low < high;) {
    const middle = Math.ceil((low + high) / 2)
    if ((schedule[middle] ?? Infinity) <= until) low = middle
    else high = middle - 1
  }
  return low
}

function scheduleOf({ protocol }: Subscription, policy: EffectivePolicy): Float64Array {
  let schedule = schedules.get(policy)
  if (schedule === undefined) {
    const sums = [0]
    for (let retry = 1, delay = delayOf(protocol, policy, 1); delay !== undefined; delay = delayOf(protocol, policy, ++retry))
      sums.push((sums[retry - 1] ?? 0) + delay)
    schedules.set(policy, (schedule = Float64Array.from(sums)))
  }
  return schedule
}

function delayOf(protocol: string, { retry }: EffectivePolicy, number: number): number | undefined {
  return isHttp(protocol) ? httpRetryDelayMs(retry, number) : retryDelayMs(retry, number)
}

function isHttp(protocol: string): boolean {
  return protocol.startsWith('http')
}
