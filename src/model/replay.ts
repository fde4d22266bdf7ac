// Replays: a subscription gets again what its topic's archive holds ("Amazon SNS message replay for FIFO topic subscribers"). While one
// goes on, what is published is not sent to the subscription but comes by the replay, in its order; so nothing overtakes, nothing is
// lost and nothing comes twice where the two meet.
import { readObject } from './topic-archive.ts'

export type ReplayStatus = 'Pending' | 'In progress' | 'Completed' | 'Failed'

/** Times in ms since 1970, both inclusive. */
export interface ReplaySpan {
  readonly from: number
  /** Undefined: up to what is published now, and on from there. */
  readonly until?: number
}

/** A replay under way, as far as it has come. Sequences are those of the topic. */
export interface Replay extends ReplaySpan {
  readonly id: string
  readonly subscriptionArn: string
  readonly topicArn: string
  /** Number of the archive. */
  readonly archive: number
  /** The route of what is repeated. */
  readonly route: number
  readonly startedAt: number
  /** From here on messages are no repeats: they were published since it began, or were still owed by the replay before. */
  readonly firstNew: number
  /** All before were dealt with. */
  readonly next: number
  /** It is over behind the message before: with an EndingPoint, once that has passed. */
  readonly end?: number
  /** Nothing is repeated any more: what is owed is left. */
  readonly isStopped?: true
  /** Repeats that arrived. */
  readonly replayed: number
}

/** A policy that is none. Its message names the field and the remedy. */
export class ReplayPolicyError extends Error {
  override name = 'ReplayPolicyError'
}

const MEMBERS: ReadonlySet<string> = new Set(['PointType', 'StartingPoint', 'EndingPoint'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** Undefined: the policy is empty. Throws ReplayPolicyError. */
export function parseReplayPolicy(text: string): ReplaySpan | undefined {
  const policy = readObject(text, (problem) => new ReplayPolicyError(problem))
  if (Object.keys(policy).length === 0) return undefined
  const strange = Object.keys(policy).find((name) => !MEMBERS.has(name))
  if (strange !== undefined) throw new ReplayPolicyError(`unknown member ${strange}; the policy has ${[...MEMBERS].join(', ')}, or is {}`)
  if (policy['PointType'] !== 'Timestamp') throw new ReplayPolicyError('PointType must be Timestamp')
  const from = readTime(policy, 'StartingPoint')
  if (policy['EndingPoint'] === undefined) return { from }
  const until = readTime(policy, 'EndingPoint')
  if (until < from) throw new ReplayPolicyError('EndingPoint must not lie before StartingPoint')
  return { from, until }
}

function readTime(policy: Readonly<Record<string, unknown>>, name: string): number {
  const value = policy[name]
  const time = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new ReplayPolicyError(`${name} must be a time in ISO 8601, such as 2026-01-31T00:00:00.000Z`)
  return time
}
