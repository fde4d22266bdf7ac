// One lane per subscription that has something to deliver: what waits in memory, what waits among the records, how fast it may go. A lane
// takes only its own share, so that a dead endpoint delays nobody else.
import type { Placed } from '../../base/arrival-order.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { type PendingDelivery, pendingPrefix } from '../../model/delivery.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Row, Tables } from '../../engine/tables.ts'
import type { ParkedEndpointStatus } from '../../model/status.ts'
import type { Range } from '../../storage/records.ts'
import { withBody } from './kept-bodies.ts'
import { Breaker, type ParkedEndpoint, type ParkingChange, type Verdict } from './parking.ts'
import type { OpenFrame } from './progress.ts'
import type { Guest, Room } from './room.ts'

/** One message on its way to one subscription. */
export interface Delivery extends Placed {
  readonly id: string
  readonly subscriptionArn: string
  readonly header: MessageHeader
  readonly body: string
  /** Attempts made so far. */
  readonly attempts: number
  /** When it came into memory. */
  readonly takenAt: number
  /** Of one whose endpoint was parked when its next attempt was due: when that was. */
  readonly parkedAt: number | undefined
  /** The frame that remembers it, until a record does. */
  frame: OpenFrame | undefined
  /** Its record's key, once there is one, and that of its body where it stands apart. */
  key: string | undefined
  bodyKey: string | undefined
  isRunning: boolean
}

export interface Limits {
  /** Attempts at the same time, per subscription. */
  readonly perLane: number
  /** Deliveries of one subscription that may wait in memory; more go to the records. */
  readonly waitingPerLane: number
}

/** What the lanes ask of their driver. */
export interface Driver {
  /** The host that a subscription shares with others, or undefined. */
  readonly host: (subscriptionArn: string) => string | undefined
  /** Milliseconds between two attempts for a subscription that throttles, else 0. */
  readonly spacing: (subscriptionArn: string) => number
  /** Makes one attempt; calls `ended` once, on a later turn, when the delivery left memory or waits for its record. */
  readonly run: (delivery: Delivery, ended: (verdict: Verdict) => void) => void
  /** A recorded delivery that is due while its endpoint is parked: recorded anew or ended; its key MUST be released then. */
  readonly pass: (delivery: Delivery, parked: ParkedEndpoint) => void
  readonly changed: (change: ParkingChange) => void
}

interface Lane extends Guest {
  readonly subscriptionArn: string
  /** From the journal, in order. */
  waiting: Delivery[]
  /** From the records, due now. */
  due: Delivery[]
  /** Keys of records whose delivery is in memory. */
  readonly taken: Set<string>
  running: number
  /** When the next record is due that is not in memory, as far as known. */
  nextDueAt: number | undefined
  nextStartAt: number
  readonly breaker: Breaker
  /** After a parking: the records behind this key may be due whatever their time; undefined when all were looked at. */
  drainAfter: string | undefined
  timer: { readonly at: number; readonly timer: Timer } | undefined
}

/** Most endpoints get more soon. */
const LANES_KEPT_MAX = 1000
/** Records of a parked endpoint that are looked at together. */
const PASSED_MAX = 64
/** Before a probe is thought of again that found all attempts taken. */
const PARKED_LOOK_MS = 100

export interface LanesParts {
  readonly clock: Clock
  readonly tables: Tables
  readonly limits: Limits
  readonly room: Room
  readonly driver: Driver
}

export class Lanes {
  readonly #clock: Clock
  readonly #tables: Tables
  readonly #limits: Limits
  readonly #driver: Driver
  readonly #lanes = new Map<string, Lane>()
  readonly #room: Room
  #isStopped = false

  constructor(parts: LanesParts) {
    this.#clock = parts.clock
    this.#room = parts.room
    this.#tables = parts.tables
    this.#limits = parts.limits
    this.#driver = parts.driver
    parts.tables.watch(Table.subscriptions, (subscriptionArn) => this.#releaseGone(subscriptionArn))
  }

  /** The endpoints at which nothing but probes is tried. */
  parked(): readonly ParkedEndpointStatus[] {
    return [...this.#lanes.values()].flatMap(({ breaker: { parked } }) => {
      if (parked === undefined) return []
      const { subscriptionArn, since, reason, nextProbeAt } = parked
      return [{ subscriptionArn, since, reason, nextProbeAt }]
    })
  }

  isParked(subscriptionArn: string): boolean {
    return this.#lanes.get(subscriptionArn)?.breaker.parked !== undefined
  }

  /** Some of the records were made while the endpoint was parked: they are due now, for who tries it anew. */
  drain(subscriptionArn: string): void {
    const lane = this.#lane(subscriptionArn)
    lane.drainAfter = ''
    lane.nextDueAt = this.#clock.now()
    this.#pump(lane)
  }

  /** Whether the subscription can keep one more in memory. */
  hasRoom(subscriptionArn: string): boolean {
    if (this.isParked(subscriptionArn)) return false
    return (this.#lanes.get(subscriptionArn)?.waiting.length ?? 0) < this.#limits.waitingPerLane
  }

  /** A delivery from the journal. */
  push(delivery: Delivery): void {
    const lane = this.#lane(delivery.subscriptionArn)
    lane.waiting.push(delivery)
    this.#pump(lane)
  }

  /** The delivery has its record now: its lane takes it from there when it is due, unless it is under way. Whether it is. */
  recorded(delivery: Delivery, key: string): boolean {
    const lane = this.#lane(delivery.subscriptionArn)
    if (delivery.isRunning) lane.taken.add(key)
    else lane.waiting = lane.waiting.filter((other) => other !== delivery)
    return delivery.isRunning
  }

  /** A record is staged, due at `dueAt`. */
  expect(subscriptionArn: string, dueAt: number): void {
    const lane = this.#lane(subscriptionArn)
    lane.nextDueAt = Math.min(lane.nextDueAt ?? Infinity, dueAt)
    this.#pump(lane)
  }

  /** A record that was in memory is gone from the table. */
  released(subscriptionArn: string, key: string): void {
    const lane = this.#lanes.get(subscriptionArn)
    lane?.taken.delete(key)
    if (lane?.breaker.parked !== undefined) this.#pump(lane)
    if (lane !== undefined) this.#tidy(lane)
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#isStopped = true
    for (const { timer } of this.#lanes.values()) timer?.timer.cancel()
  }

  #lane(subscriptionArn: string): Lane {
    let lane = this.#lanes.get(subscriptionArn)
    if (lane === undefined) {
      const made: Lane = {
        subscriptionArn,
        host: this.#driver.host(subscriptionArn),
        isInLine: false,
        goOn: () => this.#pump(made),
        waiting: [],
        due: [],
        taken: new Set(),
        running: 0,
        nextDueAt: undefined,
        nextStartAt: 0,
        breaker: new Breaker(subscriptionArn),
        drainAfter: undefined,
        timer: undefined,
      }
      this.#lanes.set(subscriptionArn, (lane = made))
    }
    return lane
  }

  #pump(lane: Lane): void {
    const { parked } = lane.breaker
    if (parked !== undefined) return this.#pumpParked(lane, parked)
    while (!this.#isStopped && lane.running < this.#limits.perLane && this.#hasNext(lane)) {
      if (this.#room.isFull(lane)) return this.#room.wait(lane)
      const now = this.#clock.now()
      const spacing = this.#driver.spacing(lane.subscriptionArn)
      if (spacing > 0 && lane.nextStartAt > now) return this.#wakeAt(lane, lane.nextStartAt)
      const delivery = this.#next(lane, now)
      if (delivery === undefined) continue
      if (spacing > 0) lane.nextStartAt = Math.max(now, lane.nextStartAt) + spacing
      this.#start(lane, delivery)
    }
    if (lane.nextDueAt !== undefined && lane.running < this.#limits.perLane) this.#wakeAt(lane, lane.nextDueAt)
    this.#tidy(lane)
  }

  #hasNext({ waiting, due, nextDueAt }: Lane): boolean {
    return waiting.length > 0 || due.length > 0 || (nextDueAt !== undefined && nextDueAt <= this.#clock.now())
  }

  #pumpParked(lane: Lane, parked: ParkedEndpoint): void {
    if (this.#isStopped) return
    const now = this.#clock.now()
    this.#passDue(lane, parked, now)
    const probeAt = Math.max(parked.nextProbeAt, lane.nextStartAt)
    if (lane.running === 0 && now >= probeAt && !this.#room.isFull(lane)) {
      const delivery = this.#probe(lane, now)
      if (delivery !== undefined) {
        lane.breaker.probing()
        lane.nextStartAt = now + this.#driver.spacing(lane.subscriptionArn)
        return this.#start(lane, delivery)
      }
    }
    // Records that wait are known by when the first of them is spent.
    const hasRecords = lane.nextDueAt !== undefined || lane.waiting.length > 0
    if (lane.running === 0 && hasRecords && now < probeAt) this.#wakeAt(lane, probeAt)
    else if (this.#room.isFull(lane)) this.#wakeAt(lane, now + PARKED_LOOK_MS)
    if (lane.nextDueAt !== undefined && lane.nextDueAt > now) this.#wakeAt(lane, lane.nextDueAt)
  }

  /** Records that are due are not tried: their policies' clock runs on. */
  #passDue(lane: Lane, parked: ParkedEndpoint, now: number): void {
    while (lane.nextDueAt !== undefined && lane.nextDueAt <= now && lane.taken.size < PASSED_MAX) {
      const limit = lane.taken.size + PASSED_MAX
      const rows = this.#records(lane, { limit })
      lane.nextDueAt = rows.length < limit ? undefined : now
      for (const row of rows) {
        if (lane.taken.has(row.key)) continue
        const { parkedAt, dueAt } = row.value
        if (dueAt > now) {
          lane.nextDueAt = dueAt
          break
        }
        this.#driver.pass({ ...this.#taken(lane, row, now), parkedAt: parkedAt ?? dueAt }, parked)
      }
    }
  }

  /** The first that is parked or due. */
  #probe(lane: Lane, now: number): Delivery | undefined {
    const limit = lane.taken.size + this.#limits.perLane
    // In front may lie many that failed a moment ago and are not due; parked ones are spent late, and lie at the end.
    for (const reverse of [false, true])
      for (const row of this.#records(lane, { limit, reverse })) if (mayStart(lane, row, now)) return this.#taken(lane, row, now)
    return lane.waiting.shift()
  }

  #judge(lane: Lane, { id }: Delivery, verdict: Verdict): void {
    const change = lane.breaker.judge(id, verdict, this.#clock)
    if (change === undefined) return
    this.#driver.changed(change)
    // What was loaded waits among the records again.
    for (const { key } of lane.due.splice(0)) if (key !== undefined) lane.taken.delete(key)
    lane.nextDueAt = this.#clock.now()
    lane.drainAfter = change.kind === 'resumed' ? '' : undefined
  }

  /** What waits for the endpoint of a subscription that is no more ends at once. */
  #releaseGone(subscriptionArn: string): void {
    const lane = this.#lanes.get(subscriptionArn)
    if (lane?.breaker.parked === undefined || this.#tables.get(Table.subscriptions, subscriptionArn) !== undefined) return
    lane.breaker.release()
    lane.nextDueAt = this.#clock.now()
    lane.drainAfter = ''
    this.#wakeAt(lane, lane.nextDueAt)
  }

  /** Looks at all records once, in pages, and takes those that were parked. */
  #drain(lane: Lane, now: number): void {
    const limit = this.#limits.perLane * 2
    const after = lane.drainAfter === '' ? undefined : lane.drainAfter
    const rows = this.#records(lane, { limit, after })
    for (const row of rows) {
      if (lane.due.length >= this.#limits.perLane) return
      lane.drainAfter = row.key
      if (mayStart(lane, row, now)) lane.due.push(this.#taken(lane, row, now))
    }
    if (rows.length < limit) lane.drainAfter = undefined
  }

  /** Records first: they are older. */
  #next(lane: Lane, now: number): Delivery | undefined {
    if (lane.due.length === 0 && lane.nextDueAt !== undefined && lane.nextDueAt <= now) this.#load(lane, now)
    return lane.due.shift() ?? lane.waiting.shift()
  }

  #load(lane: Lane, now: number): void {
    if (lane.drainAfter !== undefined) return this.#drain(lane, now)
    const limit = lane.taken.size + this.#limits.perLane + 1
    const rows = this.#records(lane, { limit })
    lane.nextDueAt = rows.length < limit ? undefined : now
    for (const row of rows) {
      if (lane.taken.has(row.key)) continue
      if (row.value.dueAt > now || lane.due.length >= this.#limits.perLane) {
        lane.nextDueAt = row.value.dueAt
        return
      }
      lane.due.push(this.#taken(lane, row, now))
    }
  }

  #records({ subscriptionArn }: Lane, range: Omit<Range, 'prefix'>): Row<PendingDelivery>[] {
    return this.#tables.range(Table.pendingDeliveries, { ...range, prefix: pendingPrefix(subscriptionArn) })
  }

  #taken(lane: Lane, row: Row<PendingDelivery>, now: number): Delivery {
    lane.taken.add(row.key)
    return recordedDelivery(this.#tables, row, now)
  }

  #start(lane: Lane, delivery: Delivery): void {
    delivery.isRunning = true
    lane.running++
    this.#room.begin(lane, delivery.body.length)
    this.#driver.run(delivery, (verdict) => this.#ended(lane, delivery, verdict))
  }

  #ended(lane: Lane, delivery: Delivery, verdict: Verdict): void {
    this.#judge(lane, delivery, verdict)
    lane.running--
    this.#room.end(lane, delivery.body.length)
  }

  #wakeAt(lane: Lane, at: number): void {
    if (lane.timer !== undefined && lane.timer.at <= at) return
    lane.timer?.timer.cancel()
    const timer = this.#clock.after(at - this.#clock.now(), () => {
      lane.timer = undefined
      this.#pump(lane)
    })
    lane.timer = { at, timer }
  }

  /** A lane with nothing to do is kept, with what its breaker knows, unless they are many. */
  #tidy(lane: Lane): void {
    const isOneTooMany = this.#lanes.size > LANES_KEPT_MAX
    if (lane.timer === undefined && !isOneTooMany) return
    const isEmpty =
      lane.running === 0 && lane.waiting.length === 0 && lane.due.length === 0 && lane.taken.size === 0 && lane.nextDueAt === undefined
    if (
      !isEmpty ||
      lane.isInLine ||
      lane.drainAfter !== undefined ||
      lane.breaker.parked !== undefined ||
      lane.nextStartAt > this.#clock.now()
    )
      return
    lane.timer?.timer.cancel()
    lane.timer = undefined
    if (isOneTooMany) this.#lanes.delete(lane.subscriptionArn)
  }
}

/** Whether one that is tried anew, or a probe, may be this: it is parked or due, and not in memory. */
function mayStart({ taken }: Lane, { key, value: { parkedAt, dueAt } }: Row<PendingDelivery>, now: number): boolean {
  return !taken.has(key) && (parkedAt !== undefined || dueAt <= now)
}

/** A delivery as its record has it. */
export function recordedDelivery(tables: Tables, { key, value }: Row<PendingDelivery>, now: number): Delivery {
  const { deliveryId: id, subscriptionArn, header, body, bodyKey, attempts, parkedAt } = withBody(tables, value)
  return {
    ...{ id, subscriptionArn, header, body, bodyKey, attempts, parkedAt, takenAt: now },
    ...{ frame: undefined, key, isRunning: false, place: undefined },
  }
}
