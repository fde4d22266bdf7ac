// The lifecycle of a bucket's objects as the records keep it: the rules in the API's own shape, dates as milliseconds since 1970.

export interface Lifecycle {
  readonly rules: readonly LifecycleRule[]
  /** Objects under 128 KiB stay where they are, unless a rule's own filter names a size (TransitionDefaultMinimumObjectSize). */
  readonly keepsSmallObjects: boolean
}

export interface LifecycleRule {
  readonly ID: string
  readonly Status: 'Enabled' | 'Disabled'
  /** The older form of a filter; one of both, in the form in which it was put. */
  readonly Prefix?: string
  readonly Filter?: LifecycleFilter
  readonly Expiration?: { readonly Date?: number; readonly Days?: number; readonly ExpiredObjectDeleteMarker?: boolean }
  readonly Transitions?: readonly { readonly Date?: number; readonly Days?: number; readonly StorageClass: 'GLACIER_IR' }[]
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number; readonly NewerNoncurrentVersions?: number }
  readonly NoncurrentVersionTransitions?: readonly {
    readonly NoncurrentDays: number
    readonly NewerNoncurrentVersions?: number
    readonly StorageClass: 'GLACIER_IR'
  }[]
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

export interface LifecycleFilter extends LifecycleConditions {
  readonly Tag?: LifecycleTag
  readonly And?: LifecycleConditions & { readonly Tags?: readonly LifecycleTag[] }
}

interface LifecycleConditions {
  readonly Prefix?: string
  readonly ObjectSizeGreaterThan?: number
  readonly ObjectSizeLessThan?: number
}

export interface LifecycleTag {
  readonly Key: string
  readonly Value: string
}

export const DAY_MS = 86_400_000
const SMALL_BYTES = 128 * 1024

/** What of an object the rules look at. */
export interface RuledObject {
  readonly key: string
  readonly bytes: number
  readonly tags?: Readonly<Record<string, string>>
  readonly modifiedAt: number
  readonly storageClass?: string
}

/** A version that is not current: since when, and how many that are not current either are newer. */
export interface Noncurrent {
  readonly since: number
  readonly newer: number
}

/** When something becomes of an object, and by which rule. */
export interface Due {
  /** Milliseconds since 1970: a midnight (UTC). */
  readonly at: number
  readonly ruleId: string
}

/** The prefix that every object has to which the rule applies. */
export function prefixOf({ Prefix: prefix, Filter: filter }: LifecycleRule): string {
  return prefix ?? filter?.Prefix ?? filter?.And?.Prefix ?? ''
}

/** When the current version expires: by the rule that says so first. */
export function expirationOf({ rules }: Lifecycle, object: RuledObject): Due | undefined {
  return earliest(rules, (rule) => {
    const { Date: at, Days: days } = rule.Expiration ?? {}
    return applies(rule, object) ? (at ?? dayAfter(object.modifiedAt, days)) : undefined
  })
}

/** When the current version moves to the archive. */
export function transitionOf({ rules, keepsSmallObjects }: Lifecycle, object: RuledObject): Due | undefined {
  return earliest(rules, (rule) => {
    const [transition] = rule.Transitions ?? []
    if (transition === undefined || !applies(rule, object) || isTooSmall(rule, keepsSmallObjects, object)) return undefined
    return transition.Date ?? dayAfter(object.modifiedAt, transition.Days)
  })
}

/** When a version that is not current expires. */
export function noncurrentExpirationOf({ rules }: Lifecycle, object: RuledObject, noncurrent: Noncurrent): Due | undefined {
  return earliest(rules, (rule) => {
    const { NoncurrentDays: days, NewerNoncurrentVersions: kept = 0 } = rule.NoncurrentVersionExpiration ?? {}
    return days !== undefined && noncurrent.newer >= kept && applies(rule, object) ? dayAfter(noncurrent.since, days) : undefined
  })
}

/** When a version that is not current moves to the archive. */
export function noncurrentTransitionOf(
  { rules, keepsSmallObjects }: Lifecycle,
  object: RuledObject,
  noncurrent: Noncurrent,
): Due | undefined {
  return earliest(rules, (rule) => {
    const { NoncurrentDays: days, NewerNoncurrentVersions: kept = 0 } = rule.NoncurrentVersionTransitions?.[0] ?? {}
    if (days === undefined || noncurrent.newer < kept || !applies(rule, object)) return undefined
    return isTooSmall(rule, keepsSmallObjects, object) ? undefined : dayAfter(noncurrent.since, days)
  })
}

/** When a delete marker goes that stands over nothing: at once by a rule that asks for it, else when it is as old as objects may get. */
export function markerExpirationOf({ rules }: Lifecycle, marker: { readonly key: string; readonly modifiedAt: number }): Due | undefined {
  return earliest(rules, (rule) => {
    const { Date: at, Days: days, ExpiredObjectDeleteMarker: isAsked } = rule.Expiration ?? {}
    // A delete marker has neither tags nor a size.
    if (!applies(rule, { ...marker, bytes: -1 })) return undefined
    return isAsked === true ? marker.modifiedAt : (at ?? dayAfter(marker.modifiedAt, days))
  })
}

/** When an upload in parts that nobody completes is aborted. */
export function abortOf({ rules }: Lifecycle, upload: { readonly key: string; readonly startedAt: number }): Due | undefined {
  return earliest(rules, (rule) => {
    const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation
    return days !== undefined && rule.Status === 'Enabled' && upload.key.startsWith(prefixOf(rule))
      ? dayAfter(upload.startedAt, days)
      : undefined
  })
}

function earliest(rules: readonly LifecycleRule[], dueAt: (rule: LifecycleRule) => number | undefined): Due | undefined {
  let first: Due | undefined
  for (const rule of rules) {
    const at = dueAt(rule)
    if (at !== undefined && (first === undefined || at < first.at)) first = { at, ruleId: rule.ID }
  }
  return first
}

/** S3 adds the days and goes on to the next midnight (S3 user guide, "Lifecycle rules: based on an object's age"). */
function dayAfter(from: number, days: number | undefined): number | undefined {
  return days === undefined ? undefined : Math.ceil((from + days * DAY_MS) / DAY_MS) * DAY_MS
}

function applies(rule: LifecycleRule, { key, bytes, tags }: Pick<RuledObject, 'key' | 'bytes' | 'tags'>): boolean {
  if (rule.Status !== 'Enabled' || !key.startsWith(prefixOf(rule))) return false
  const { Filter: filter } = rule
  if (filter === undefined) return true
  const { ObjectSizeGreaterThan: over, ObjectSizeLessThan: under } = filter.And ?? filter
  if (over !== undefined && bytes <= over) return false
  if (under !== undefined && (bytes < 0 || bytes >= under)) return false
  const wanted = filter.And?.Tags ?? (filter.Tag === undefined ? [] : [filter.Tag])
  return wanted.every(({ Key, Value }) => tags?.[Key] === Value)
}

function isTooSmall({ Filter: filter }: LifecycleRule, keepsSmallObjects: boolean, { bytes }: RuledObject): boolean {
  const { ObjectSizeGreaterThan: over, ObjectSizeLessThan: under } = filter?.And ?? filter ?? {}
  return keepsSmallObjects && over === undefined && under === undefined && bytes < SMALL_BYTES
}
