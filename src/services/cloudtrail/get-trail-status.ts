// GetTrailStatus: what the trail follower last achieved and what it last failed at.
import type { Operation } from '../../engine/operation.ts'
import { findTrail, resolveTrailArn } from './trail-name.ts'

interface Output {
  readonly IsLogging: boolean
  readonly LatestDeliveryError?: string
  readonly LatestNotificationError?: string
  readonly LatestDeliveryTime?: Date
  readonly LatestNotificationTime?: Date
  readonly LatestDigestDeliveryTime?: Date
  readonly LatestDigestDeliveryError?: string
  readonly StartLoggingTime?: Date
  readonly StopLoggingTime?: Date
  readonly LatestDeliveryAttemptTime: string
  readonly LatestNotificationAttemptTime: string
  readonly LatestNotificationAttemptSucceeded: string
  readonly LatestDeliveryAttemptSucceeded: string
  readonly TimeLoggingStarted: string
  readonly TimeLoggingStopped: string
}

export const getTrailStatus: Operation<{ readonly Name: string }, Output> = {
  name: 'GetTrailStatus',
  access: 'read',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.Name),
  run(tx, input, call) {
    const { isLogging, startedAt, stoppedAt, status } = findTrail(tx, call, input.Name)
    return {
      IsLogging: isLogging,
      ...(status.latestDeliveryError !== undefined && { LatestDeliveryError: status.latestDeliveryError }),
      ...(status.latestNotificationError !== undefined && { LatestNotificationError: status.latestNotificationError }),
      ...(status.latestDeliveryAt !== undefined && { LatestDeliveryTime: new Date(status.latestDeliveryAt) }),
      ...(status.latestNotificationAt !== undefined && { LatestNotificationTime: new Date(status.latestNotificationAt) }),
      ...(status.latestDigestDeliveryAt !== undefined && { LatestDigestDeliveryTime: new Date(status.latestDigestDeliveryAt) }),
      ...(status.latestDigestDeliveryError !== undefined && { LatestDigestDeliveryError: status.latestDigestDeliveryError }),
      ...(startedAt !== undefined && { StartLoggingTime: new Date(startedAt) }),
      ...(stoppedAt !== undefined && { StopLoggingTime: new Date(stoppedAt) }),
      // Quirk: no longer of use, and still there as texts (GetTrailStatus, "no longer in use").
      LatestDeliveryAttemptTime: secondsText(status.latestDeliveryAttemptAt),
      LatestNotificationAttemptTime: secondsText(status.latestNotificationAttemptAt),
      LatestNotificationAttemptSucceeded: secondsText(status.latestNotificationAt),
      LatestDeliveryAttemptSucceeded: secondsText(status.latestDeliveryAt),
      TimeLoggingStarted: secondsText(startedAt),
      TimeLoggingStopped: secondsText(stoppedAt),
    }
  },
}

function secondsText(time: number | undefined): string {
  return time === undefined ? '' : `${new Date(time).toISOString().slice(0, 19)}Z`
}
