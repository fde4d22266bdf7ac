// Looks at every file of a trail and tells what the bucket's rules, locks and holds make of it. In steps, so that calls go on beside it.
import type { TableReader } from '../../engine/tables.ts'
import type { Bucket, ObjectVersion, StoredObject } from '../../model/bucket.ts'
import {
  type Due,
  expirationOf,
  type LifecycleRule,
  noncurrentExpirationOf,
  noncurrentTransitionOf,
  prefixOf,
  transitionOf,
} from '../../model/lifecycle.ts'
import { logFolder } from '../../model/log-file.ts'
import { isDeleteMarker, versionsFrom } from '../../model/object-version.ts'
import type { KeptFiles, NextDue, RuleRetention, TrailRetention } from '../../model/retention.ts'
import { Table } from '../../model/tables.ts'
import type { Trail } from '../../model/trail.ts'
import { createVersionWalk } from '../../model/version-walk.ts'

const STEP_ROWS = 500

export async function trailRetention(tables: TableReader, trail: Trail, now: number): Promise<TrailRetention> {
  const { trailArn, bucketName } = trail
  const prefix = `${logFolder(trail.keyPrefix, trail.account)}/`
  const bucket = tables.get(Table.buckets, bucketName)
  const place = bucket !== undefined ? 'here' : tables.get(Table.outsideBuckets, bucketName) !== undefined ? 'outside' : 'missing'
  const sums = new Sums(bucket, now)
  if (bucket !== undefined) {
    await eachRow(tables, Table.objects, `${bucketName}/${prefix}`, (version) => sums.current(version as StoredObject))
    const walk = createVersionWalk((key) => tables.get(Table.objects, `${bucketName}/${key}`))
    await eachRow(tables, Table.objectVersions, versionsFrom(bucketName, prefix), (version) => sums.other(version, walk(version)))
  }
  const lastRunAt = tables.get(Table.lifecycleRuns, bucketName)?.ranAt
  return {
    trailArn,
    bucketName,
    prefix,
    place,
    ...sums.told(),
    ...(bucket?.objectLock?.defaultRetention !== undefined && { defaultRetention: bucket.objectLock.defaultRetention }),
    rules: (bucket?.lifecycle?.rules ?? []).flatMap((rule) => ruleFor(rule, prefix)),
    ...(lastRunAt !== undefined && { lastRunAt }),
  }
}

async function eachRow(
  tables: TableReader,
  table: typeof Table.objects | typeof Table.objectVersions,
  prefix: string,
  see: (version: ObjectVersion) => void,
): Promise<void> {
  for (let after: string | undefined; ;) {
    const rows = tables.range(table, { prefix, limit: STEP_ROWS, ...(after !== undefined && { after }) })
    for (const { value } of rows) see(value as ObjectVersion)
    after = rows.at(-1)?.key
    if (after === undefined) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

type Kept = { -readonly [Member in keyof KeptFiles]: KeptFiles[Member] }

class Sums {
  readonly #bucket: Bucket | undefined
  readonly #now: number
  readonly #logFiles: Kept = { files: 0, bytes: 0, archived: 0 }
  readonly #digests: Kept = { files: 0, bytes: 0, archived: 0 }
  readonly #locked: { versions: number; held: number; firstEndsAt?: number; lastEndsAt?: number } = { versions: 0, held: 0 }
  #oldVersions = 0
  #nextRemoval: NextDue | undefined
  #nextMove: NextDue | undefined

  constructor(bucket: Bucket | undefined, now: number) {
    this.#bucket = bucket
    this.#now = now
  }

  current(object: StoredObject): void {
    const kept = object.key.includes('/CloudTrail-Digest/') ? this.#digests : this.#logFiles
    kept.files++
    kept.bytes += object.bytes
    if (object.storageClass !== undefined) kept.archived++
    kept.oldestAt = Math.min(kept.oldestAt ?? Infinity, object.modifiedAt)
    kept.newestAt = Math.max(kept.newestAt ?? 0, object.modifiedAt)
    const { lifecycle } = this.#bucket ?? {}
    const free = this.#freeAt(object)
    if (lifecycle === undefined || free === undefined) return
    this.#dueFor(object, free, expirationOf(lifecycle, object), transitionOf(lifecycle, object))
  }

  other(version: ObjectVersion, noncurrent: { readonly since: number; readonly newer: number } | undefined): void {
    if (isDeleteMarker(version)) return
    this.#oldVersions++
    const { lifecycle } = this.#bucket ?? {}
    const free = this.#freeAt(version)
    if (lifecycle === undefined || free === undefined || noncurrent === undefined) return
    const move = noncurrentTransitionOf(lifecycle, version, noncurrent)
    this.#dueFor(version, free, noncurrentExpirationOf(lifecycle, version, noncurrent), move)
  }

  told(): Pick<TrailRetention, 'logFiles' | 'digests' | 'oldVersions' | 'locked' | 'nextRemoval' | 'nextMove'> {
    return {
      logFiles: this.#logFiles,
      digests: this.#digests,
      oldVersions: this.#oldVersions,
      locked: this.#locked,
      ...(this.#nextRemoval !== undefined && { nextRemoval: this.#nextRemoval }),
      ...(this.#nextMove !== undefined && { nextMove: this.#nextMove }),
    }
  }

  /** From when rules may touch a version; undefined: not while it is held. */
  #freeAt({ hasLegalHold, retention }: StoredObject): number | undefined {
    const locked = this.#locked
    if (hasLegalHold === true) locked.held++
    const until = retention !== undefined && retention.until > this.#now ? retention.until : undefined
    if (until !== undefined) {
      locked.versions++
      locked.firstEndsAt = Math.min(locked.firstEndsAt ?? Infinity, until)
      locked.lastEndsAt = Math.max(locked.lastEndsAt ?? 0, until)
    }
    return hasLegalHold === true ? undefined : (until ?? 0)
  }

  #dueFor(object: StoredObject, free: number, removal: Due | undefined, move: Due | undefined): void {
    const due = (of: Due): NextDue => ({ at: Math.max(of.at, free), key: object.key, ruleId: of.ruleId })
    if (removal !== undefined) this.#nextRemoval = earlier(this.#nextRemoval, due(removal))
    const isGoneBefore = removal !== undefined && move !== undefined && removal.at <= move.at
    if (move !== undefined && !isGoneBefore && object.storageClass === undefined) this.#nextMove = earlier(this.#nextMove, due(move))
  }
}

function earlier(one: NextDue | undefined, other: NextDue): NextDue {
  return one === undefined || other.at < one.at ? other : one
}

function ruleFor(rule: LifecycleRule, folder: string): readonly RuleRetention[] {
  const prefix = prefixOf(rule)
  if (rule.Status !== 'Enabled' || !(folder.startsWith(prefix) || prefix.startsWith(folder))) return []
  const { Expiration: expiration, Transitions: transitions, NoncurrentVersionExpiration: noncurrent, Filter: filter } = rule
  const { Tag, And, ObjectSizeGreaterThan: over, ObjectSizeLessThan: under } = filter ?? {}
  const hasConditions = [Tag, over, under, And?.ObjectSizeGreaterThan, And?.ObjectSizeLessThan].some((value) => value !== undefined)
  const [transition] = transitions ?? []
  if (expiration?.Days === undefined && expiration?.Date === undefined && transition === undefined && noncurrent === undefined) return []
  return [
    {
      ruleId: rule.ID,
      prefix,
      isForAll: folder.startsWith(prefix) && !hasConditions && (And?.Tags ?? []).length === 0,
      ...(expiration?.Days !== undefined && { expiresAfterDays: expiration.Days }),
      ...(expiration?.Date !== undefined && { expiresAt: expiration.Date }),
      ...(transition?.Days !== undefined && { movesAfterDays: transition.Days }),
      ...(transition?.Date !== undefined && { movesAt: transition.Date }),
      ...(noncurrent !== undefined && { oldVersionsExpireAfterDays: noncurrent.NoncurrentDays }),
      ...(noncurrent?.NewerNoncurrentVersions !== undefined && { oldVersionsKept: noncurrent.NewerNoncurrentVersions }),
    },
  ]
}
