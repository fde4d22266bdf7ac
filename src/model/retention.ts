// What is kept until when, and by which rule: the report of `sealcast retention`. Times in milliseconds since 1970.
import type { DefaultRetention } from './bucket.ts'

export interface RetentionReport {
  readonly at: number
  readonly trails: readonly TrailRetention[]
  readonly stores: readonly StoreRetention[]
}

/** The files of one trail, by what the bucket says. */
export interface TrailRetention {
  readonly trailArn: string
  readonly bucketName: string
  /** In the bucket; ends with a slash. */
  readonly prefix: string
  /** `outside`: in a bucket of another S3, whose rules count. `missing`: there is no such bucket. */
  readonly place: 'here' | 'outside' | 'missing'
  readonly logFiles: KeptFiles
  readonly digests: KeptFiles
  /** Versions that were replaced or deleted and are still there. */
  readonly oldVersions: number
  /** What no rule and no caller can remove before its time. */
  readonly locked: {
    readonly versions: number
    readonly held: number
    readonly firstEndsAt?: number
    readonly lastEndsAt?: number
  }
  /** Of new files. */
  readonly defaultRetention?: DefaultRetention
  /** Those of the bucket that may apply to the trail's files. */
  readonly rules: readonly RuleRetention[]
  readonly nextRemoval?: NextDue
  readonly nextMove?: NextDue
  readonly lastRunAt?: number
}

export interface KeptFiles {
  readonly files: number
  readonly bytes: number
  /** Of these, in the archive. */
  readonly archived: number
  readonly oldestAt?: number
  readonly newestAt?: number
}

export interface RuleRetention {
  readonly ruleId: string
  readonly prefix: string
  /** Other files than those under `prefix`, or with other tags or sizes, are not meant. */
  readonly isForAll: boolean
  readonly expiresAfterDays?: number
  readonly expiresAt?: number
  readonly movesAfterDays?: number
  readonly movesAt?: number
  readonly oldVersionsExpireAfterDays?: number
  readonly oldVersionsKept?: number
}

export interface NextDue {
  readonly at: number
  readonly key: string
  readonly ruleId: string
}

/** A store of the data directory. */
export interface StoreRetention {
  readonly store: string
  readonly bytes: number
  /** In words: how long, and by which setting. */
  readonly kept: string
}
