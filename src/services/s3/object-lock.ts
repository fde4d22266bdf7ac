// When a version is locked. A legal hold has no end. A retention ends by the time of the lock clock, which never runs ahead of the time
// that has really passed since the server started: a machine's clock that is set forward under a running server frees nothing, and one
// that is set back keeps locks for longer. What the clock says at the start is believed; a restart also takes up the time that a machine
// slept through.
import type { Clock } from '../../base/clock.ts'
import type { ObjectVersion } from '../../model/bucket.ts'
import { isDeleteMarker } from '../../model/object-version.ts'
import { errors } from './errors.ts'

interface Start {
  readonly now: number
  readonly monotonic: number
}

const starts = new WeakMap<Clock, Start>()

/** Ms since 1970 by which retention is judged. The first call for a clock, at the server's start, is where it counts from. */
export function lockTime(clock: Clock): number {
  let start = starts.get(clock)
  if (start === undefined) starts.set(clock, (start = { now: clock.now(), monotonic: clock.monotonic() }))
  // A second that a clock is ahead after it was corrected by slewing is no mistake.
  return Math.min(clock.now(), Math.ceil(start.now + (clock.monotonic() - start.monotonic)) + SLEW_MS)
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
