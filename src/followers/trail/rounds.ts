// Decides what the next log files hold. Between rounds it counts, for each trail and region, what the trail selects; a round turns the
// counts into plans, in one commit with the checkpoint they stand on. What only a trail's own delivery caused opens no file: such
// records are carried over, as rows of their own, until a foreign event comes.
import type { Env } from '../../engine/env.ts'
import type { Transaction } from '../../engine/transaction.ts'
import { LOG_FILE_RECORD_BYTES_MAX, logFileKey, uniquePart } from '../../model/log-file.ts'
import { Table } from '../../model/tables.ts'
import type { CarriedRecord, PlannedFile, TrailSelection } from '../../model/trail.ts'
import type { Frame, Position } from '../../storage/journal.ts'
import { chainOf, settleChains } from './digest-chains.ts'
import { GrowingFile, type GrownFile, GrowthBounds } from './growing-file.ts'
import { carriedRecords } from './log-file-content.ts'
import { carriedKey, fileKey, viewKey } from './plan-keys.ts'
import { type Selected, TrailViews } from './trail-views.ts'

/** A cut comes behind the frame that passes the limit: this much of it may lie beyond. */
const FRAME_BYTES = 4 * 1000 * 1000
/** So many own records open a file by themselves: they come a few to a delivery, so that this happens hardly ever. */
const CARRIED_RECORDS_MAX = 1000
const CARRIED_BYTES_MAX = 1024 * 1024
/** Frames without events for a trail are checkpointed only now and then, so that checkpoints do not beget checkpoints. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
/** However long the interval, a round holds back no more of the journal than this. */
const ROUND_BYTES = 256 * 1024 * 1024
const CHECKPOINT = 'trail'

export interface KeyedPlan {
  readonly key: string
  readonly plan: PlannedFile
  /** The file as it grew while its records were read; without it, it is made from the journal. */
  readonly grown?: Grown
}

export interface Grown {
  readonly file: Promise<GrownFile | undefined>
  /** The file is needed no more. */
  free(): void
}

/** What one trail has selected in one region since the last round. */
interface Pending {
  readonly trail: TrailSelection
  readonly region: string
  isForeign: boolean
  bytes: number
  file: GrowingFile | undefined
  readonly caused: { readonly json: string; readonly committedAt: number }[]
  oldestAt: number
  newestAt: number
}

/** Carried records of one trail and region, numbered without gaps. */
interface Carried {
  readonly trailArn: string
  readonly region: string
  readonly first: number
  readonly last: number
  readonly bytes: number
  readonly oldestAt: number
  readonly newestAt: number
}

export class Rounds {
  readonly #env: Env
  readonly #cutBytes: number
  readonly #views: TrailViews
  /** The views as their rows have them, as JSON. */
  readonly #storedViews = new Map<string, string>()
  readonly #carried = new Map<string, Carried>()
  readonly #lastNumbers = new Map<string, number>()
  readonly #pending = new Map<string, Pending>()
  #newest: Pending | undefined
  readonly #growth = new GrowthBounds()
  /** The views at `#from`. */
  #viewsFrom: ReadonlyMap<string, TrailSelection>
  #from: Position
  #read: Position
  #sawEvents = false
  #bytesRead = 0

  /** Continues where the stored rows stand. */
  constructor(env: Env, fileBytesMax = LOG_FILE_RECORD_BYTES_MAX - FRAME_BYTES) {
    this.#env = env
    this.#cutBytes = fileBytesMax
    const views: TrailSelection[] = []
    const plans: PlannedFile[] = []
    for (const { value } of env.tables.range(Table.trailPlans, {})) {
      if (value.kind === 'file') plans.push(value)
      else if (value.kind === 'carried') this.#addCarried(value)
      else {
        views.push(value.selection)
        this.#storedViews.set(value.selection.trailArn, JSON.stringify(value.selection))
      }
    }
    for (const plan of plans) this.#claim(plan)
    const stored = env.tables.get(Table.checkpoints, CHECKPOINT)?.position
    if (stored !== undefined && stored < env.journal.start)
      env.log.error('events were trimmed before trails could take them', { from: stored, to: env.journal.start })
    this.#from = this.#read = Math.max(stored ?? 0, env.journal.start)
    this.#views = new TrailViews(views)
    this.#viewsFrom = new Map(this.#views.logging)
  }

  /** Everything before it is planned. */
  get from(): Position {
    return this.#from
  }

  /** Counts what the frame holds for the trails. True when a round is due now, because a file is full or much of the journal is held. */
  add(frame: Frame): boolean {
    if (frame.position < this.#read) return false
    let isFull = false
    this.#views.read(frame, (selected) => {
      this.#sawEvents = true
      if (this.#count(selected, frame) >= this.#cutBytes) isFull = true
    })
    this.#read = frame.end
    this.#bytesRead += frame.payload.length
    return isFull || this.#bytesRead >= (this.#sawEvents ? ROUND_BYTES : CHECKPOINT_BYTES)
  }

  /** Resolves when what was added is compressed. */
  async flush(): Promise<void> {
    for (const pending of this.#pending.values()) {
      await pending.file?.flush()
      if (!this.#growth.isPassed) continue
      pending.file?.drop()
      pending.file = undefined
    }
  }

  stop(): void {
    for (const { file } of this.#pending.values()) file?.drop()
    this.#forget()
  }

  /** Commits plans for all that was counted. Undefined when there is nothing worth a commit. Throws what the commit throws. */
  close(): { readonly plans: readonly KeyedPlan[]; readonly done: Promise<void> } | undefined {
    const to = this.#read
    const changedViews = this.#changedViews()
    if (!this.#sawEvents && changedViews.size === 0 && this.#bytesRead < CHECKPOINT_BYTES) return undefined
    this.#addEnding()
    const { result, done } = this.#env.commits.commit((tx) => {
      const plans: KeyedPlan[] = []
      const carried: CarriedRecord[] = []
      settleChains(tx, [...this.#views.logging.keys(), ...changedViews.keys()], this.#views.logging)
      for (const pending of this.#pending.values()) {
        if (this.#opensFile(pending)) plans.push(this.#plan(tx, pending, to))
        else carried.push(...this.#carry(tx, pending))
      }
      for (const [trailArn, selection] of changedViews) {
        if (selection === undefined) tx.delete(Table.trailPlans, viewKey(trailArn))
        else tx.put(Table.trailPlans, viewKey(trailArn), { kind: 'view', selection })
      }
      tx.put(Table.checkpoints, CHECKPOINT, { position: to })
      return { plans, carried }
    })
    for (const [trailArn, selection] of changedViews) {
      if (selection === undefined) this.#storedViews.delete(trailArn)
      else this.#storedViews.set(trailArn, JSON.stringify(selection))
    }
    for (const { plan } of result.plans) this.#claim(plan)
    for (const record of result.carried) this.#addCarried(record)
    this.#forget()
    this.#viewsFrom = new Map(this.#views.logging)
    this.#from = to
    this.#sawEvents = false
    this.#bytesRead = 0
    return { plans: result.plans, done }
  }

  #count({ trail, region, start, end, template, committedAt, isCaused }: Selected, { payload }: Frame): number {
    const pending = this.#pendingOf(trail, region)
    pending.oldestAt = Math.min(pending.oldestAt, committedAt)
    pending.newestAt = Math.max(pending.newestAt, committedAt)
    pending.bytes += end - start + 1
    const isMany = pending.caused.length >= CARRIED_RECORDS_MAX || pending.bytes > CARRIED_BYTES_MAX
    if (!pending.isForeign && (!isCaused || isMany)) this.#open(pending)
    if (pending.isForeign) pending.file?.add(payload, start, end, template)
    else pending.caused.push({ json: payload.toString('utf8', start, end), committedAt })
    return pending.bytes
  }

  #pendingOf(trail: TrailSelection, region: string): Pending {
    // Most events are for whom the last one was.
    const newest = this.#newest
    if (newest?.trail === trail && newest.region === region) return newest
    const name = pairName(trail.trailArn, region)
    let pending = this.#pending.get(name)
    if (pending === undefined) this.#pending.set(name, (pending = emptyPending(trail, region)))
    return (this.#newest = pending)
  }

  #forget(): void {
    this.#pending.clear()
    this.#newest = undefined
  }

  /** From here on there is a file: what was carried into it, what came so far, and all that comes. */
  #open(pending: Pending): void {
    const { trail, region, caused } = pending
    pending.isForeign = true
    if (!this.#growth.isReached) {
      const file = new GrowingFile(this.#growth, trail.digests !== undefined)
      const place = { trailArn: trail.trailArn, region }
      for (const record of carriedRecords(this.#env.tables, place, this.#carried.get(pairName(trail.trailArn, region)))) file.add(record)
      for (const { json } of caused) file.add(Buffer.from(json))
      pending.file = file
    }
    caused.length = 0
  }

  /** What a trail that has stopped still carries goes out with its last files. */
  #addEnding(): void {
    for (const [name, { trailArn, region }] of this.#carried) {
      const trail = this.#viewsFrom.get(trailArn)
      if (trail === undefined || this.#views.logging.has(trailArn) || this.#pending.has(name)) continue
      this.#pending.set(name, { ...emptyPending(trail, region), isForeign: true })
    }
  }

  #opensFile({ trail, region, isForeign, bytes, caused }: Pending): boolean {
    if (isForeign || !this.#views.logging.has(trail.trailArn)) return true
    const carried = this.#carried.get(pairName(trail.trailArn, region))
    if (carried === undefined) return false
    return caused.length + carried.last - carried.first >= CARRIED_RECORDS_MAX || bytes + carried.bytes > CARRIED_BYTES_MAX
  }

  #plan(tx: Transaction, pending: Pending, to: Position): KeyedPlan {
    const { trail: selected, region } = pending
    const { trailArn, account } = selected
    const { bucketName, keyPrefix, snsTopicArn } = tx.get(Table.trails, trailArn) ?? selected
    const selection = this.#viewsFrom.get(trailArn)
    const carried = this.#carried.get(pairName(trailArn, region))
    const digestChain = chainOf(tx, selected, region, this.#views.logging)
    const plan: PlannedFile = {
      kind: 'file',
      trailArn,
      account,
      region,
      bucketName,
      objectKey: logFileKey({ keyPrefix, account, region, deliveredAt: tx.now, unique: uniquePart(this.#env.random) }),
      ...(snsTopicArn !== undefined && { snsTopicArn }),
      from: this.#from,
      to,
      ...(selection !== undefined && { selection }),
      ...(carried !== undefined && { carried: { first: carried.first, last: carried.last } }),
      plannedAt: tx.now,
      ...eventTimes(pending, carried),
      ...(digestChain !== undefined && { digestChain }),
    }
    const key = fileKey(trailArn, tx.nextNumber('trail files'))
    tx.put(Table.trailPlans, key, plan)
    return { key, plan, ...(pending.file !== undefined && { grown: grownOf(pending.file) }) }
  }

  #carry(tx: Transaction, { trail: { trailArn }, region, caused }: Pending): CarriedRecord[] {
    const last = this.#lastNumbers.get(pairName(trailArn, region)) ?? 0
    return caused.map(({ json, committedAt }, at) => {
      const record: CarriedRecord = { kind: 'carried', trailArn, region, number: last + at + 1, committedAt, json }
      tx.put(Table.trailPlans, carriedKey(trailArn, region, record.number), record)
      return record
    })
  }

  #addCarried({ trailArn, region, number, committedAt, json }: CarriedRecord): void {
    const name = pairName(trailArn, region)
    const before = this.#carried.get(name)
    this.#carried.set(name, {
      trailArn,
      region,
      first: before?.first ?? number,
      last: number,
      bytes: (before?.bytes ?? 0) + json.length,
      oldestAt: Math.min(before?.oldestAt ?? Infinity, committedAt ?? Infinity),
      newestAt: Math.max(before?.newestAt ?? -Infinity, committedAt ?? -Infinity),
    })
    // Numbers that a file under way still reads are not given again.
    this.#lastNumbers.set(name, number)
  }

  /** Carried records that a plan names stay out of later plans. */
  #claim(plan: PlannedFile): void {
    const name = pairName(plan.trailArn, plan.region)
    const carried = this.#carried.get(name)
    if (plan.carried === undefined || carried === undefined) return
    if (carried.last <= plan.carried.last) this.#carried.delete(name)
    else this.#carried.set(name, { ...carried, first: Math.max(carried.first, plan.carried.last + 1) })
  }

  #changedViews(): ReadonlyMap<string, TrailSelection | undefined> {
    const changed = new Map<string, TrailSelection | undefined>()
    for (const [trailArn, selection] of this.#views.logging)
      if (this.#storedViews.get(trailArn) !== JSON.stringify(selection)) changed.set(trailArn, selection)
    for (const trailArn of this.#storedViews.keys()) if (!this.#views.logging.has(trailArn)) changed.set(trailArn, undefined)
    return changed
  }
}

function pairName(trailArn: string, region: string): string {
  return `${trailArn} ${region}`
}

function grownOf(file: GrowingFile): Grown {
  return { file: file.end(), free: () => file.free() }
}

function emptyPending(trail: TrailSelection, region: string): Pending {
  return { trail, region, isForeign: false, bytes: 0, file: undefined, caused: [], oldestAt: Infinity, newestAt: -Infinity }
}

function eventTimes(pending: Pending, carried: Carried | undefined): Pick<PlannedFile, 'oldestEventAt' | 'newestEventAt'> {
  const oldest = Math.min(pending.oldestAt, carried?.oldestAt ?? Infinity)
  const newest = Math.max(pending.newestAt, carried?.newestAt ?? -Infinity)
  return { ...(Number.isFinite(oldest) && { oldestEventAt: oldest }), ...(Number.isFinite(newest) && { newestEventAt: newest }) }
}
