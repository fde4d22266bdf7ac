// Brings planned log files to their buckets: the object as a call of CloudTrail's own, then the notice to the trail's topic, then one
// commit that ends the plan and says so in the trail's status. A crash anywhere repeats the same plan. A bucket that refuses keeps its
// trail waiting, never another; its files lie finished in the blob store, so that the journal may go.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Timer } from '../../base/clock.ts'
import type { CallResult } from '../../engine/call.ts'
import type { Act } from '../../engine/acts.ts'
import type { Env } from '../../engine/env.ts'
import { readSealedBody, writeSealedBody } from '../../engine/sealed-body.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { parseArn } from '../../model/arn.ts'
import { digestTime } from '../../model/digest.ts'
import type { ServiceError } from '../../model/service-error.ts'
import { sealedBlobBytes } from '../../model/sealed-blob.ts'
import { Table } from '../../model/tables.ts'
import type { PlannedFile, TrailStatus } from '../../model/trail.ts'
import type { Position } from '../../storage/journal.ts'
import { noteDelivered } from './digest-chains.ts'
import { putTrailObject, shownCode, trailCall } from './log-bucket.ts'
import { logFileContent } from './log-file-content.ts'
import { carriedKey } from './plan-keys.ts'
import type { KeyedPlan } from './rounds.ts'
import { changeStatus } from './trail-status.ts'

const RETRY: Backoff = { firstMs: 5_000, maxMs: 300_000 }
/** CloudTrail user guide: an unreachable bucket is tried for 30 days. */
const TRIED_MS_MAX = 30 * 24 * 3600 * 1000
/** A file that comes later than this after its time gets an addendum. */
const DELAYED_MS = 15 * 60 * 1000
/** Trails that are served at once; each may hold a file in memory. */
const STEPS_AT_ONCE = 4
const DEFAULT_SPOOL_BYTES_MAX = 10 * 1024 * 1024 * 1024

/** The files of one trail, oldest first. */
interface Lane {
  readonly waiting: KeyedPlan[]
  failures: number
  /** Set while the lane waits for its next try. */
  timer: Timer | undefined
  /** Files could not be laid aside either: nothing is tried before the timer. */
  isStuck: boolean
  /** A step is under way. */
  isBusy: boolean
  /** The file that it works on. */
  taken: string | undefined
}

interface Failure {
  readonly error: ServiceError
  /** The bucket that did not take the file. */
  readonly bucket: string
  readonly attemptedAt: number
}

interface LogFile {
  readonly content: Readable
  /** Hex SHA-256 of the uncompressed file, once the content was read; only digests need it. */
  hash(): string | undefined
}

interface Step {
  readonly lane: Lane
  take(): Promise<void>
}

export interface DeliveriesOptions {
  readonly spoolBytesMax?: number
  readonly onEnded?: () => void
}

export class Deliveries {
  readonly #env: Env
  readonly #spoolBytesMax: number
  readonly #lanes = new Map<string, Lane>()
  readonly #running = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  readonly #onEnded: () => void

  /** Continues with the plans that are stored. `onEnded`: a file was delivered or given up. */
  constructor(env: Env, { spoolBytesMax = DEFAULT_SPOOL_BYTES_MAX, onEnded = (): void => {} }: DeliveriesOptions = {}) {
    this.#env = env
    this.#spoolBytesMax = spoolBytesMax
    this.#onEnded = onEnded
    for (const { key, value } of env.tables.range(Table.trailPlans, {}))
      if (value.kind === 'file') this.#laneOf(value.trailArn).waiting.push({ key, plan: value })
  }

  /** The oldest position that an undelivered file is still to be made from. */
  get needed(): Position {
    return Math.min(...this.#waiting().map(({ plan }) => (plan.spooled === undefined ? plan.from : Infinity)))
  }

  get undelivered(): { readonly files: number; readonly oldestPlannedAt: number | undefined } {
    const times = this.#waiting().map(({ plan }) => plan.plannedAt)
    return { files: times.length, oldestPlannedAt: times.length === 0 ? undefined : Math.min(...times) }
  }

  add(plans: readonly KeyedPlan[]): void {
    for (const keyed of plans) this.#laneOf(keyed.plan.trailArn).waiting.push(keyed)
    this.start()
  }

  /** Takes up the work, if there is some: a step of each lane at a time, so that a bucket that hangs keeps only its own trail waiting. */
  start(): void {
    while (this.#running.size < STEPS_AT_ONCE) {
      const step = this.#next()
      if (step === undefined) return
      step.lane.isBusy = true
      const running = this.#take(step).finally(() => {
        step.lane.isBusy = false
        step.lane.taken = undefined
        this.#running.delete(running)
        this.start()
      })
      this.#running.add(running)
    }
  }

  /** Resolves when nothing is under way: what still waits, waits for its next try. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    for (const lane of this.#lanes.values()) lane.timer?.cancel()
    await this.settled()
  }

  async #take(step: Step): Promise<void> {
    try {
      await step.take()
    } catch (error) {
      this.#env.log.error('a log file could not be written and is tried again', {
        error: error instanceof Error ? error.message : String(error),
      })
      step.lane.isStuck = true
      if (step.lane.timer === undefined) this.#wait(step.lane)
    }
  }

  /** The next thing to do: a file to deliver, or in a lane that has to wait a file to finish and lay aside. */
  #next(): Step | undefined {
    if (this.#ending.signal.aborted) return undefined
    for (const lane of this.#lanes.values()) {
      const first = lane.waiting[0]
      if (first === undefined || lane.isStuck || lane.isBusy) continue
      if (lane.timer === undefined) return { lane, take: () => this.#deliver(lane, first) }
      const at = lane.waiting.findIndex(({ plan }) => plan.spooled === undefined)
      const unspooled = lane.waiting[at]
      if (unspooled !== undefined) return { lane, take: () => this.#spool(lane, at, unspooled, (status) => status) }
    }
    return undefined
  }

  async #deliver(lane: Lane, keyed: KeyedPlan): Promise<void> {
    const { key, plan } = keyed
    lane.taken = key
    const trail = this.#env.tables.get(Table.trails, plan.trailArn)
    const bucket = trail?.bucketName ?? plan.bucketName
    const file = await this.#fileOf(keyed)
    const put = await this.#putObject(plan, bucket, file.content)
    const attemptedAt = this.#env.clock.now()
    if ('error' in put) return this.#failed(lane, keyed, { error: put.error, bucket, attemptedAt })
    const topicArn = trail === undefined ? plan.snsTopicArn : trail.snsTopicArn
    const notice = topicArn === undefined ? undefined : await this.#notify(plan, bucket, topicArn)
    const { done } = this.#env.commits.commit((tx) => {
      endPlan(tx, key, plan)
      if (attemptedAt - plan.plannedAt > DELAYED_MS) this.#env.acts.tell(tx, delayOf(plan, bucket, attemptedAt))
      noteDelivered(tx, plan, { bucketName: bucket, hash: file.hash() ?? '' })
      changeStatus(tx, plan.trailArn, (status) => ({
        ...status,
        latestDeliveryError: undefined,
        latestDeliveryAt: attemptedAt,
        latestDeliveryAttemptAt: attemptedAt,
        ...(notice !== undefined && noticeStatus(notice, tx.now)),
      }))
    })
    await done
    lane.failures = 0
    keyed.grown?.free()
    this.#leave(lane, keyed)
    this.#onEnded()
    if (plan.spooled !== undefined) await this.#env.blobs.remove(plan.spooled)
  }

  async #failed(lane: Lane, keyed: KeyedPlan, { error, bucket, attemptedAt }: Failure): Promise<void> {
    const env = this.#env
    // A server that stops refuses its own calls too: the plan waits for the next start.
    if (this.#ending.signal.aborted) return
    const isGone = env.tables.get(Table.trails, keyed.plan.trailArn) === undefined
    // Nobody can see the status of a trail that is gone, nor mend what it lacks.
    if (isGone && error.status < 500) return this.#giveUp(lane, keyed, `the trail is deleted, and its bucket answers ${error.code}`)
    if (attemptedAt - keyed.plan.plannedAt > TRIED_MS_MAX)
      return this.#giveUp(lane, keyed, `tried for 30 days; the bucket answers ${error.code}`)
    if (lane.failures === 0)
      env.log.warn('a log file waits, because its bucket cannot be written', {
        trail: keyed.plan.trailArn,
        bucket,
        code: error.code,
        why: error.message,
      })
    const shown = shownCode(env, bucket, error)
    this.#wait(lane)
    await this.#spool(lane, lane.waiting.indexOf(keyed), keyed, (status) => ({
      ...status,
      latestDeliveryAttemptAt: attemptedAt,
      ...(shown !== undefined && { latestDeliveryError: shown }),
    }))
  }

  #wait(lane: Lane): void {
    lane.failures++
    lane.timer = this.#env.clock.after(backoffMs(RETRY, lane.failures, this.#env.random), () => {
      lane.timer = undefined
      lane.isStuck = false
      this.start()
    })
  }

  /** Finishes a file and keeps it as a blob: from then on the journal may forget its records. */
  async #spool(lane: Lane, at: number, keyed: KeyedPlan, change: (status: TrailStatus) => TrailStatus): Promise<void> {
    const env = this.#env
    const { key, plan } = keyed
    lane.taken = key
    const file = plan.spooled === undefined ? await this.#fileOf(keyed) : undefined
    const blob = file === undefined ? undefined : await writeSealedBody(env, file.content)
    const hash = file?.hash()
    const spooled =
      blob === undefined
        ? plan
        : {
            ...plan,
            spooled: blob.blobId,
            spooledBytes: sealedBlobBytes(blob.bytes),
            ...(blob.seal !== undefined && { spooledSeal: blob.seal }),
            ...(hash !== undefined && { spooledHash: hash }),
          }
    const { done } = env.commits.commit((tx) => {
      if (blob !== undefined) tx.put(Table.trailPlans, key, spooled)
      changeStatus(tx, plan.trailArn, change)
    })
    await done
    keyed.grown?.free()
    lane.waiting[at] = { key, plan: spooled }
    lane.taken = undefined
    await this.#boundSpool()
  }

  async #boundSpool(): Promise<void> {
    for (;;) {
      const taken = new Set([...this.#lanes.values()].map((lane) => lane.taken))
      const spooled = this.#waiting().filter(({ key, plan }) => plan.spooled !== undefined && !taken.has(key))
      const bytes = spooled.reduce((sum, { plan }) => sum + (plan.spooledBytes ?? 0), 0)
      const oldest = spooled.toSorted((a, b) => a.plan.plannedAt - b.plan.plannedAt)[0]
      if (bytes <= this.#spoolBytesMax || oldest === undefined) return
      await this.#giveUp(this.#laneOf(oldest.plan.trailArn), oldest, `more than ${this.#spoolBytesMax} bytes of log files wait`)
    }
  }

  async #giveUp(lane: Lane, keyed: KeyedPlan, why: string): Promise<void> {
    const { key, plan } = keyed
    this.#env.log.error('a log file is given up, and its records with it', { trail: plan.trailArn, object: plan.objectKey, why })
    const { done } = this.#env.commits.commit((tx) => {
      endPlan(tx, key, plan)
      this.#env.acts.tell(tx, { name: 'LogFileGivenUp', details: { trailARN: plan.trailArn, objectKey: plan.objectKey, why } })
    })
    await done
    this.#leave(lane, keyed)
    this.#onEnded()
    if (plan.spooled !== undefined) await this.#env.blobs.remove(plan.spooled)
  }

  /** The finished file, from wherever it lies. */
  async #fileOf({ plan, grown }: KeyedPlan): Promise<LogFile> {
    const { spooled, spooledBytes: bytes = 0, spooledSeal: seal, spooledHash } = plan
    if (spooled !== undefined)
      return {
        content: readSealedBody(this.#env, { blobId: spooled, bytes, ...(seal !== undefined && { seal }) }),
        hash: () => spooledHash,
      }
    const file = await grown?.file
    // Validation may have been turned on while it grew.
    const isUsable = plan.digestChain === undefined || file?.hash !== undefined
    if (file !== undefined && isUsable) return { content: Readable.from(file.chunks, { objectMode: false }), hash: () => file.hash }
    const hash = plan.digestChain === undefined ? undefined : createHash('sha256')
    return { content: logFileContent(this.#env, plan, hash), hash: () => hash?.digest('hex') }
  }

  #putObject(plan: PlannedFile, bucketName: string, content: Readable): Promise<CallResult> {
    const { trailArn, account, region, objectKey: key } = plan
    // The key that counts is the one the trail names now.
    const kmsKeyId = this.#env.tables.get(Table.trails, trailArn)?.kmsKeyArn
    const to = { trailArn, account, region, bucketName, key, ...(kmsKeyId !== undefined && { kmsKeyId }) }
    return putTrailObject(this.#env, { ...to, content, signal: this.#ending.signal })
  }

  #notify(plan: PlannedFile, bucket: string, topicArn: string): Promise<CallResult> {
    const region = parseArn(topicArn)?.region ?? plan.region
    return this.#env.invoke({
      ...trailCall(this.#env, plan, region, `sns.${region}.amazonaws.com`),
      service: 'sns',
      operation: 'Publish',
      input: { TopicArn: topicArn, Message: JSON.stringify({ s3Bucket: bucket, s3ObjectKey: [plan.objectKey] }) },
    })
  }

  #laneOf(trailArn: string): Lane {
    let lane = this.#lanes.get(trailArn)
    if (lane === undefined) this.#lanes.set(trailArn, (lane = emptyLane()))
    return lane
  }

  #leave(lane: Lane, { key, plan }: KeyedPlan): void {
    const at = lane.waiting.findIndex((waiting) => waiting.key === key)
    if (at >= 0) lane.waiting.splice(at, 1)
    if (lane.waiting.length === 0 && lane.timer === undefined) this.#lanes.delete(plan.trailArn)
  }

  #waiting(): KeyedPlan[] {
    return [...this.#lanes.values()].flatMap(({ waiting }) => waiting)
  }
}

function emptyLane(): Lane {
  return { waiting: [], failures: 0, timer: undefined, isStuck: false, isBusy: false, taken: undefined }
}

function endPlan(tx: Transaction, key: string, { trailArn, region, carried }: PlannedFile): void {
  tx.delete(Table.trailPlans, key)
  if (carried === undefined) return
  for (let number = carried.first; number <= carried.last; number++) tx.delete(Table.trailPlans, carriedKey(trailArn, region, number))
}

/** Records are never changed, so that what is said of their delay is an event of its own. */
function delayOf({ trailArn, region, objectKey, plannedAt, oldestEventAt }: PlannedFile, bucketName: string, deliveredAt: number): Act {
  return {
    name: 'LogFileDelayed',
    details: {
      trailARN: trailArn,
      region,
      bucketName,
      objectKey,
      delaySeconds: Math.round((deliveredAt - plannedAt) / 1000),
      ...(oldestEventAt !== undefined && { oldestEventTime: digestTime(oldestEventAt) }),
    },
    addendum: { reason: 'DELIVERY_DELAY' },
    isCaused: true,
  }
}

/** A notice is tried once with its file; the next file's notice tells whether the topic is back. */
function noticeStatus(notice: CallResult, now: number): TrailStatus {
  return 'error' in notice
    ? { latestNotificationAttemptAt: now, latestNotificationError: notice.error.code }
    : { latestNotificationAttemptAt: now, latestNotificationAt: now, latestNotificationError: undefined }
}
