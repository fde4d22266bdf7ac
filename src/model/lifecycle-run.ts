// What the rules of a bucket did when they last ran.

export interface LifecycleRun {
  readonly ranAt: number
  /** By the rule's id; rules that had nothing to do are left out. */
  readonly rules: Readonly<Record<string, RuleCounts>>
  /** Versions that were due and are protected by a retention or a legal hold. */
  readonly locked: number
  /** Objects that could not be moved to the archive. */
  readonly failed: number
}

export interface RuleCounts {
  /** Current versions that went, or got a delete marker. */
  expired: number
  /** Versions that were not current. */
  versionsRemoved: number
  markersRemoved: number
  archived: number
  /** Of the objects, and what the archive needs for them. */
  archivedBytes: number
  archivedToBytes: number
  uploadsAborted: number
}
