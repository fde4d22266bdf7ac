// Lets the rules of buckets act: what is due expires, moves to the archive or is aborted. In small steps, each a commit of its own that
// decides anew what it finds, so that calls go on beside it and a crash costs nothing. What a retention or a legal hold protects is left
// alone, whatever a rule says: it is neither removed nor hidden nor moved. Each run is told on the record, and each object that expires.
import type { Timer } from '../../base/clock.ts'
import type { Env } from '../../engine/env.ts'
import type { Transaction } from '../../engine/transaction.ts'
import type { Bucket, ObjectVersion, StoredBlob, StoredObject } from '../../model/bucket.ts'
import {
  abortOf,
  type Due,
  expirationOf,
  type Lifecycle,
  markerExpirationOf,
  noncurrentExpirationOf,
  noncurrentTransitionOf,
  prefixOf,
  transitionOf,
} from '../../model/lifecycle.ts'
import type { LifecycleRun, RuleCounts } from '../../model/lifecycle-run.ts'
import { isDeleteMarker, versionsFrom } from '../../model/object-version.ts'
import { blobsOf } from '../../model/packed-body.ts'
import { Table } from '../../model/tables.ts'
import { createVersionWalk } from '../../model/version-walk.ts'
import { copyToArchive, ownBlobKeys } from './archive.ts'
import { clearParts } from './multipart/uploads.ts'
import { isLocked, lockTime } from './object-lock.ts'
import { changeVersion, currentObject, deleteKey, findVersion, idOf, removeVersion } from './object-versions.ts'
import { discardBlobs, releaseBlobs } from './release-blob.ts'
import { tellOwnEvent } from './tell-event.ts'

const FIRST_MS = 60_000
const PERIOD_MS = 3_600_000
/** Looked at in one step; each may become a change and an event. */
const STEP_ROWS = 50
const TOLD_RULES_MAX = 100

interface Ruled extends Bucket {
  readonly lifecycle: Lifecycle
}

/** What becomes of one bucket in one run. */
interface Progress {
  readonly name: string
  readonly rules: Map<string, RuleCounts>
  locked: number
  failed: number
}

export class LifecycleRuns {
  readonly #env: Env
  readonly #refusal: () => string | undefined
  #timer: Timer | undefined
  #running: Promise<unknown> | undefined
  readonly #stopping = new AbortController()

  /** `refusal`: why nothing may be written now. A run is made every hour, the first a minute after the start. */
  constructor(env: Env, refusal: () => string | undefined) {
    this.#env = env
    this.#refusal = refusal
    this.#schedule(FIRST_MS)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the server stops'))
    this.#timer?.cancel()
    await this.#running
  }

  /** One run over all buckets; resolves when it is on the record. */
  async run(): Promise<void> {
    const { tables, clock } = this.#env
    const startedAt = clock.now()
    const done: Progress[] = []
    for (const { key: name, value } of tables.range(Table.buckets, {})) {
      if (value.lifecycle === undefined) continue
      const progress: Progress = { name, rules: new Map(), locked: 0, failed: 0 }
      done.push(progress)
      await this.#objects(progress)
      await this.#versions(progress)
      await this.#uploads(progress)
      if (this.#mustStop()) break
    }
    if (done.length > 0 && !this.#mustStop()) await this.#tell(done, startedAt)
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return
    this.#timer = this.#env.clock.after(delayMs, () => {
      this.#running = this.run()
        .catch((error: unknown) =>
          this.#env.log.error('a lifecycle run ended early and is made again', {
            error: error instanceof Error ? error.message : String(error),
          }),
        )
        .finally(() => {
          this.#running = undefined
          this.#schedule(PERIOD_MS)
        })
    })
  }

  #mustStop(): boolean {
    return this.#stopping.signal.aborted || this.#refusal() !== undefined
  }

  /** Current versions: they expire and move. */
  async #objects(progress: Progress): Promise<void> {
    const { tables, clock } = this.#env
    const prefix = `${progress.name}/${commonPrefix(this.#bucket(progress.name), (rule) => rule.Expiration ?? rule.Transitions)}`
    for (let after: string | undefined; !this.#mustStop();) {
      const rows = tables.range(Table.objects, { prefix, limit: STEP_ROWS, ...(after !== undefined && { after }) })
      const bucket = this.#bucket(progress.name)
      if (rows.length === 0 || bucket === undefined) return
      const now = lockTime(clock)
      const expired: { readonly object: StoredObject; readonly due: Due }[] = []
      const moved: { readonly object: StoredObject; readonly due: Due }[] = []
      for (const { value: object } of rows) {
        const expiration = dueOf(expirationOf(bucket.lifecycle, object), now)
        const transition = object.storageClass === 'GLACIER_IR' ? undefined : dueOf(transitionOf(bucket.lifecycle, object), now)
        if (expiration === undefined && transition === undefined) continue
        if (isLocked(clock, object)) progress.locked++
        else if (expiration !== undefined) expired.push({ object, due: expiration })
        else if (transition !== undefined) moved.push({ object, due: transition })
      }
      await this.#commit((tx) => expired.flatMap(({ object, due }) => this.#expireCurrent(tx, bucket, object, due, progress)))
      for (const { object, due } of moved) await this.#archive(bucket, object, due, progress)
      after = rows.at(-1)?.key
    }
  }

  /** Versions that are not current, and delete markers, each key's newest first. */
  async #versions(progress: Progress): Promise<void> {
    const { tables, clock } = this.#env
    const prefix = versionsFrom(progress.name, commonPrefix(this.#bucket(progress.name)))
    const walk = createVersionWalk((key) => currentObject(tables, { name: progress.name }, key))
    for (let after: string | undefined; !this.#mustStop();) {
      // One more than is judged: whether a delete marker stands over something.
      const rows = tables.range(Table.objectVersions, {
        prefix,
        limit: STEP_ROWS + 1,
        ...(after !== undefined && { after }),
      })
      const bucket = this.#bucket(progress.name)
      if (rows.length === 0 || bucket === undefined) return
      const now = lockTime(clock)
      const removed: { readonly version: ObjectVersion; readonly due: Due }[] = []
      const moved: { readonly object: StoredObject; readonly due: Due }[] = []
      for (const [at, row] of rows.slice(0, STEP_ROWS).entries()) {
        const version = row.value as ObjectVersion
        const noncurrent = walk(version)
        if (noncurrent === undefined) {
          // The newest of the key: a delete marker, which hides what is older.
          const isAlone = (rows[at + 1]?.value as ObjectVersion | undefined)?.key !== version.key
          const due = isDeleteMarker(version) && isAlone ? dueOf(markerExpirationOf(bucket.lifecycle, version), now) : undefined
          if (due !== undefined) removed.push({ version, due })
          continue
        }
        const ruled = isDeleteMarker(version) ? { ...version, bytes: -1 } : version
        const expiration = dueOf(noncurrentExpirationOf(bucket.lifecycle, ruled, noncurrent), now)
        const object = isDeleteMarker(version) || version.storageClass === 'GLACIER_IR' ? undefined : version
        const transition = object && dueOf(noncurrentTransitionOf(bucket.lifecycle, object, noncurrent), now)
        if (expiration === undefined && transition === undefined) continue
        if (isLocked(clock, version)) progress.locked++
        else if (expiration !== undefined) removed.push({ version, due: expiration })
        else if (object !== undefined && transition !== undefined) moved.push({ object, due: transition })
      }
      await this.#commit((tx) => removed.flatMap(({ version, due }) => this.#remove(tx, bucket, version, due, progress)))
      for (const { object, due } of moved) await this.#archive(bucket, object, due, progress)
      if (rows.length <= STEP_ROWS) return
      after = rows[STEP_ROWS - 1]?.key
    }
  }

  /** Uploads in parts that nobody completes. */
  async #uploads(progress: Progress): Promise<void> {
    const { tables, clock } = this.#env
    const prefix = versionsFrom(
      progress.name,
      commonPrefix(this.#bucket(progress.name), (rule) => rule.AbortIncompleteMultipartUpload),
    )
    for (let after: string | undefined; !this.#mustStop();) {
      const rows = tables.range(Table.multipartUploads, { prefix, limit: STEP_ROWS, ...(after !== undefined && { after }) })
      const bucket = this.#bucket(progress.name)
      if (rows.length === 0 || bucket === undefined) return
      const now = lockTime(clock)
      const aborted = rows.flatMap(({ key, value: upload }) => {
        const due = dueOf(abortOf(bucket.lifecycle, { key: upload.key, startedAt: upload.initiatedAt }), now)
        return due === undefined ? [] : [{ row: key, uploadId: upload.uploadId, due }]
      })
      await this.#commit((tx) => {
        for (const { row, due } of aborted) {
          tx.delete(Table.multipartUploads, row)
          countOf(progress, due).uploadsAborted++
        }
        return []
      })
      for (const { uploadId } of aborted) await clearParts(this.#env, uploadId)
      after = rows.at(-1)?.key
    }
  }

  #expireCurrent(tx: Transaction, bucket: Ruled, object: StoredObject, due: Due, progress: Progress): readonly StoredBlob[] {
    const { clock, random, acts } = this.#env
    // In a bucket that keeps no more versions, the marker would take the place of the null version, which may be an older one.
    const replaced = bucket.versioning === 'Suspended' ? findVersion(tx, bucket, object.key, 'null') : undefined
    if (replaced !== undefined && isLocked(clock, replaced)) {
      progress.locked++
      return []
    }
    const { version = object, released } = deleteKey(this.#env, tx, bucket, object.key)
    const isMarked = isDeleteMarker(version)
    tellOwnEvent(tx, random, bucket, isMarked ? 'LifecycleExpiration:DeleteMarkerCreated' : 'LifecycleExpiration:Delete', version)
    acts.tell(tx, { name: 'ObjectExpired', details: detailsOf(bucket, object, due, isMarked) })
    countOf(progress, due).expired++
    return released
  }

  #remove(tx: Transaction, bucket: Ruled, version: ObjectVersion, due: Due, progress: Progress): readonly StoredBlob[] {
    const { random, acts } = this.#env
    const { released } = removeVersion(this.#env, tx, bucket, version)
    tellOwnEvent(tx, random, bucket, 'LifecycleExpiration:Delete', version)
    acts.tell(tx, { name: 'ObjectExpired', details: detailsOf(bucket, version, due, false) })
    if (isDeleteMarker(version)) countOf(progress, due).markersRemoved++
    else countOf(progress, due).versionsRemoved++
    return released
  }

  async #archive(bucket: Ruled, object: StoredObject, due: Due, progress: Progress): Promise<void> {
    const env = this.#env
    if (this.#mustStop()) return
    try {
      const { blobs, storedBytes } = await copyToArchive(env, bucket, object, ownBlobKeys(env, blobsOf(object)), {
        signal: this.#stopping.signal,
      })
      const { result: released, done } = env.commits.commit((tx) => {
        const present = findVersion(tx, bucket, object.key, idOf(object))
        // It was replaced, removed or locked meanwhile: then it is not ours to move.
        if (present === undefined || isDeleteMarker(present) || !hasBlobs(present, blobsOf(object)) || isLocked(env.clock, present))
          return undefined
        // Commit point: from here on the archive holds the object.
        const change = changeVersion(tx, bucket, present, { blobs, storageClass: 'GLACIER_IR' })
        tellOwnEvent(tx, env.random, bucket, 'LifecycleTransition', present)
        return change.released
      })
      if (released === undefined) return discardBlobs(env, blobs)
      await done
      releaseBlobs(env, released)
      const counts = countOf(progress, due)
      counts.archived++
      counts.archivedBytes += object.bytes
      counts.archivedToBytes += storedBytes
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      progress.failed++
      env.log.error('an object could not be moved to the archive and stays where it is', {
        bucket: bucket.name,
        key: object.key,
        error: error instanceof Error ? error.message : String(error),
      })
    }
  }

  /** A commit of what is due; what it released goes when it is durable. */
  async #commit(work: (tx: Transaction) => readonly StoredBlob[]): Promise<void> {
    const { result: released, done } = this.#env.commits.commit(work)
    await done
    releaseBlobs(this.#env, released)
    // Where there was nothing to do, calls have their turn all the same.
    await new Promise((resolve) => setImmediate(resolve))
  }

  async #tell(done: readonly Progress[], startedAt: number): Promise<void> {
    const { commits, acts, clock } = this.#env
    await commits.commit((tx) => {
      const runs = done.map(({ name, rules, locked, failed }): LifecycleRun & { readonly bucketName: string } => ({
        bucketName: name,
        ranAt: clock.now(),
        rules: Object.fromEntries(rules),
        locked,
        failed,
      }))
      for (const { bucketName, ...run } of runs) tx.put(Table.lifecycleRuns, bucketName, run)
      const acted = runs.flatMap(({ bucketName, rules }) =>
        Object.entries(rules).map(([rule, counts]) => ({ bucketName, rule, ...counts })),
      )
      acts.tell(tx, {
        name: 'RetentionRan',
        details: {
          buckets: runs.length,
          durationMs: clock.now() - startedAt,
          locked: runs.reduce((sum, { locked }) => sum + locked, 0),
          failed: runs.reduce((sum, { failed }) => sum + failed, 0),
          rules: acted.slice(0, TOLD_RULES_MAX),
          ...(acted.length > TOLD_RULES_MAX && { furtherRules: acted.length - TOLD_RULES_MAX }),
        },
      })
    }).done
  }

  #bucket(name: string): Ruled | undefined {
    const bucket = this.#env.tables.get(Table.buckets, name)
    return bucket?.lifecycle === undefined ? undefined : { ...bucket, lifecycle: bucket.lifecycle }
  }
}

function dueOf(due: Due | undefined, now: number): Due | undefined {
  return due !== undefined && due.at <= now ? due : undefined
}

/** What the keys of all rules that may act have in common: nothing else need be read. */
function commonPrefix(bucket: Ruled | undefined, acts: (rule: Lifecycle['rules'][number]) => unknown = () => true): string {
  const prefixes = (bucket?.lifecycle.rules ?? []).filter((rule) => rule.Status === 'Enabled' && acts(rule)).map(prefixOf)
  const [first = '', ...others] = prefixes
  let length = first.length
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}

function countOf({ rules }: Progress, { ruleId }: Due): RuleCounts {
  let counts = rules.get(ruleId)
  if (counts === undefined) {
    counts = { expired: 0, versionsRemoved: 0, markersRemoved: 0, archived: 0, archivedBytes: 0, archivedToBytes: 0, uploadsAborted: 0 }
    rules.set(ruleId, counts)
  }
  return counts
}

function detailsOf(bucket: Bucket, version: ObjectVersion, { ruleId }: Due, isMarked: boolean): Readonly<Record<string, unknown>> {
  return {
    bucketName: bucket.name,
    key: version.key,
    ...(bucket.versioning !== undefined && { versionId: idOf(version) }),
    rule: ruleId,
    ...(isMarked && { deleteMarkerCreated: true }),
    ...(isDeleteMarker(version) && { deleteMarkerRemoved: true }),
  }
}

function hasBlobs(object: StoredObject, blobs: readonly StoredBlob[]): boolean {
  const own = blobsOf(object)
  return own.length === blobs.length && own.every(({ blobId }, at) => blobId === blobs[at]?.blobId)
}
