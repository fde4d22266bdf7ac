// What AWS limits of an account in a region: counts and rates ("Amazon SNS endpoints and quotas"). They hold with limits.profile=aws
// alone; without it there is no SnsLimits at all.
import type { Clock } from '../../base/clock.ts'
import { createRateLimit } from '../../engine/rate-limit.ts'
import type { AnyOperation, Call } from '../../engine/operation.ts'
import type { Tables } from '../../engine/tables.ts'
import { Table } from '../../model/tables.ts'
import { throttled, throttling } from './errors.ts'
import { createRowCount, type RowCount } from './row-count.ts'

export interface SnsLimits {
  readonly topicsMax: number
  readonly fifoTopicsMax: number
  readonly subscriptionsMax: number
  readonly fifoSubscriptionsMax: number
  readonly filterPoliciesPerTopicMax: number
  readonly filterPoliciesMax: number
  readonly sandboxNumbersMax: number
  /** Between two times that a number may be opted in. */
  readonly optInPauseMs: number
  /** Standard topics by the prefix of their ARNs. */
  readonly topics: RowCount
  readonly fifoTopics: RowCount
  /** Subscriptions with a filter policy, by the prefix of their ARNs. */
  readonly filterPolicies: RowCount
  /** The operation at its rate. */
  paced(operation: AnyOperation): AnyOperation
}

const DAY_MS = 24 * 3600 * 1000

export function createSnsLimits({ tables, clock }: { readonly tables: Tables; readonly clock: Clock }): SnsLimits {
  return {
    topicsMax: 100_000,
    fifoTopicsMax: 1000,
    subscriptionsMax: 12_500_000,
    fifoSubscriptionsMax: 100,
    filterPoliciesPerTopicMax: 200,
    filterPoliciesMax: 10_000,
    sandboxNumbersMax: 10,
    optInPauseMs: 30 * DAY_MS,
    topics: createRowCount(tables, Table.topics, ({ fifo }) => fifo === undefined),
    fifoTopics: createRowCount(tables, Table.topics, ({ fifo }) => fifo !== undefined),
    filterPolicies: createRowCount(tables, Table.subscriptions, ({ attributes }) => attributes['FilterPolicy'] !== undefined),
    paced(operation) {
      const perSecond = CALLS_PER_SECOND[operation.name]
      if (perSecond === undefined) return operation
      const rate = createRateLimit({ clock, perSecond })
      const refusal = /SMS|PhoneNumber|OriginationNumbers/.test(operation.name) ? throttled : throttling
      return {
        ...operation,
        // Before anything is done for the call, be it outside.
        prepare(call: Call, input: unknown) {
          if (!rate.take(`${call.account}/${call.region}`)) throw refusal()
          return operation.prepare?.(call, input) as unknown
        },
      }
    },
  }
}

const CALLS_PER_SECOND: Readonly<Record<string, number>> = {
  CheckIfPhoneNumberIsOptedOut: 50,
  CreateSMSSandboxPhoneNumber: 1,
  DeleteSMSSandboxPhoneNumber: 1,
  GetSMSAttributes: 20,
  GetSMSSandboxAccountStatus: 10,
  ListEndpointsByPlatformApplication: 30,
  ListOriginationNumbers: 1,
  ListPhoneNumbersOptedOut: 10,
  ListPlatformApplications: 15,
  ListSMSSandboxPhoneNumbers: 10,
  ListSubscriptions: 30,
  ListSubscriptionsByTopic: 30,
  ListTagsForResource: 10,
  ListTopics: 30,
  OptInPhoneNumber: 20,
  SetSMSAttributes: 1,
  Subscribe: 100,
  TagResource: 10,
  Unsubscribe: 100,
  UntagResource: 10,
  VerifySMSSandboxPhoneNumber: 1,
}
