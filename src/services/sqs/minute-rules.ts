// What AWS lets happen to a queue once a minute: a purge, and a deletion before a new queue of the same name. Rates like these count with
// the limits of AWS alone (limits.profile), and are kept in memory: after a restart the minute is over.
import { purgeQueueInProgress, queueDeletedRecently } from './errors.ts'

export interface MinuteRules {
  /** Throws PurgeQueueInProgress. */
  checkPurge(queueArn: string, now: number): void
  purged(queueArn: string, now: number): void
  /** Throws QueueDeletedRecently. */
  checkCreate(queueArn: string, now: number): void
  deleted(queueArn: string, now: number): void
}

const MINUTE_MS = 60_000
const REMEMBERED_MAX = 10_000

export const NO_MINUTE_RULES: MinuteRules = { checkPurge: () => {}, purged: () => {}, checkCreate: () => {}, deleted: () => {} }

export function createMinuteRules(): MinuteRules {
  const purges = new Map<string, number>()
  const deletions = new Map<string, number>()
  const isWithin = (times: ReadonlyMap<string, number>, arn: string, now: number): boolean =>
    now - (times.get(arn) ?? -Infinity) < MINUTE_MS
  const remember = (times: Map<string, number>, arn: string, now: number): void => {
    times.delete(arn)
    for (const [oldest, at] of times) {
      if (now - at < MINUTE_MS && times.size < REMEMBERED_MAX) break
      times.delete(oldest)
    }
    times.set(arn, now)
  }
  return {
    checkPurge(arn, now) {
      if (isWithin(purges, arn, now)) throw purgeQueueInProgress(arn.slice(arn.lastIndexOf(':') + 1))
    },
    purged: (arn, now) => remember(purges, arn, now),
    checkCreate(arn, now) {
      if (isWithin(deletions, arn, now)) throw queueDeletedRecently()
    },
    deleted: (arn, now) => remember(deletions, arn, now),
  }
}
