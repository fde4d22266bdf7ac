// When a version is locked. A legal hold has no end. A retention ends by the earlier of two times: the machine's clock, and the time at
// which the server started plus what has really passed since. So a clock that is set forward under a running server frees nothing, and one
// that is set back keeps locks for longer. A default retention counts from the later of the two, so that it is not cut short by a clock
// that was set back. What the clock says when the server starts is believed; a restart also takes up the time a machine slept through.
import type { Clock } from '../../base/clock.ts'
import type { ObjectVersion } from '../../model/bucket.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { errors } from './errors.ts'

interface Start {
  readonly now: number
  readonly monotonic: number
}

const starts = new WeakMap<Clock, Start>()

/** Where the time of locks counts from: to be called when the server starts, before any call. */
export function startLockTime(clock: Clock): void {
  elapsedTime(clock)
}

/** Ms since 1970 by which the end of a retention is judged. */
export function lockTime(clock: Clock): number {
  // A second that a clock is ahead after it was corrected by slewing is no mistake.
  return Math.min(clock.now(), elapsedTime(clock) + SLEW_MS)
}

/** Ms since 1970 from which a default retention counts. */
export function retentionStart(clock: Clock): number {
  return Math.max(clock.now(), elapsedTime(clock))
}

function elapsedTime(clock: Clock): number {
  let start = starts.get(clock)
  if (start === undefined) starts.set(clock, (start = { now: clock.now(), monotonic: clock.monotonic() }))
  return Math.floor(start.now + (clock.monotonic() - start.monotonic))
}

const SLEW_MS = 1000

export interface Unlocking {
  /** The caller asked for x-amz-bypass-governance-retention and may. MUST NOT be set otherwise. */
  readonly bypassesGovernance?: boolean
}

export function isLocked(clock: Clock, version: ObjectVersion, { bypassesGovernance = false }: Unlocking = {}): boolean {
  if (isDeleteMarker(version)) return false
  if (version.hasLegalHold === true) return true
  const { retention } = version
  if (retention === undefined || lockTime(clock) >= retention.until) return false
  return retention.mode === 'COMPLIANCE' || !bypassesGovernance
}

/** Throws AccessDenied for a version that is locked, whoever asks. */
export function checkUnlocked(clock: Clock, version: ObjectVersion, unlocking?: Unlocking): void {
  if (isLocked(clock, version, unlocking)) throw errors.objectLocked()
}
