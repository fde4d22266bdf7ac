// One lane per subscription that has something to deliver: what waits in memory, what waits among the records, how fast it may go. A lane
// takes only its own share, so that a dead endpoint delays nobody else.
import type { Clock, Timer } from '../../base/clock.ts'
import { type PendingDelivery, pendingPrefix } from '../../model/delivery.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Tables } from '../../engine/tables.ts'
import type { OpenFrame } from './progress.ts'

/** One message on its way to one subscription. */
export interface Delivery {
  readonly id: string
  readonly subscriptionArn: string
  readonly header: MessageHeader
  readonly body: string
  /** Attempts made so far. */
  readonly attempts: number
  /** When it came into memory. */
  readonly takenAt: number
  /** The frame that remembers it, until a record does. */
  frame: OpenFrame | undefined
  /** Its record's key, once there is one. */
  key: string | undefined
  isRunning: boolean
}

export interface Limits {
  /** Attempts at the same time, per subscription. */
  readonly perLane: number
  /** Deliveries of one subscription that may wait in memory; more go to the records. */
  readonly waitingPerLane: number
  /** Attempts at the same time, over all. */
  readonly running: number
  readonly runningBytes: number
}

/** What the lanes ask of their driver. */
export interface Driver {
  /** Milliseconds between two attempts for a subscription that throttles, else 0. */
  readonly spacing: (subscriptionArn: string) => number
  /** Makes one attempt; resolves when the delivery left memory or waits for its record. */
  readonly run: (delivery: Delivery) => Promise<void>
}

interface Lane {
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
  isStarved: boolean
  timer: { readonly at: number; readonly timer: Timer } | undefined
}

export class Lanes {
  readonly #clock: Clock
  readonly #tables: Tables
  readonly #limits: Limits
  readonly #driver: Driver
  readonly #lanes = new Map<string, Lane>()
  /** Lanes that could go on if there were room. */
  readonly #starved: Lane[] = []
  #running = 0
  #runningBytes = 0
  #isStopped = false
  #idle: (() => void)[] = []

  constructor(parts: { readonly clock: Clock; readonly tables: Tables; readonly limits: Limits; readonly driver: Driver }) {
    this.#clock = parts.clock
    this.#tables = parts.tables
    this.#limits = parts.limits
    this.#driver = parts.driver
  }

  get running(): number {
    return this.#running
  }

  /** Whether the subscription can keep one more in memory. */
  hasRoom(subscriptionArn: string): boolean {
    return (this.#lanes.get(subscriptionArn)?.waiting.length ?? 0) < this.#limits.waitingPerLane
  }

  /** A delivery from the journal. */
  push(delivery: Delivery): void {
    const lane = this.#lane(delivery.subscriptionArn)
    lane.waiting.push(delivery)
    this.#pump(lane)
  }

  /** The delivery has its record now: its lane takes it from there when it is due, unless it is under way. */
  recorded(delivery: Delivery, key: string): void {
    const lane = this.#lane(delivery.subscriptionArn)
    if (delivery.isRunning) lane.taken.add(key)
    else lane.waiting = lane.waiting.filter((other) => other !== delivery)
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
    if (lane !== undefined) this.#tidy(lane)
  }

  /** Starts nothing any more. */
  stop(): void {
    this.#isStopped = true
    for (const { timer } of this.#lanes.values()) timer?.timer.cancel()
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  #lane(subscriptionArn: string): Lane {
    let lane = this.#lanes.get(subscriptionArn)
    if (lane === undefined) {
      lane = {
        subscriptionArn,
        waiting: [],
        due: [],
        taken: new Set(),
        running: 0,
        nextDueAt: undefined,
        nextStartAt: 0,
        isStarved: false,
        timer: undefined,
      }
      this.#lanes.set(subscriptionArn, lane)
    }
    return lane
  }

  #pump(lane: Lane): void {
    while (!this.#isStopped && lane.running < this.#limits.perLane) {
      const now = this.#clock.now()
      const hasNext = lane.waiting.length > 0 || lane.due.length > 0 || (lane.nextDueAt !== undefined && lane.nextDueAt <= now)
      if (!hasNext) break
      if (this.#isFull()) {
        if (!lane.isStarved) this.#starved.push(lane)
        lane.isStarved = true
        return
      }
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

  /** Records first: they are older. */
  #next(lane: Lane, now: number): Delivery | undefined {
    if (lane.due.length === 0 && lane.nextDueAt !== undefined && lane.nextDueAt <= now) this.#load(lane, now)
    return lane.due.shift() ?? lane.waiting.shift()
  }

  #load(lane: Lane, now: number): void {
    const limit = lane.taken.size + this.#limits.perLane + 1
    const rows = this.#tables.range(Table.pendingDeliveries, { prefix: pendingPrefix(lane.subscriptionArn), limit })
    lane.nextDueAt = rows.length < limit ? undefined : now
    for (const { key, value } of rows) {
      if (lane.taken.has(key)) continue
      if (value.dueAt > now || lane.due.length >= this.#limits.perLane) {
        lane.nextDueAt = value.dueAt
        return
      }
      lane.taken.add(key)
      lane.due.push(deliveryOf(value, key, now))
    }
  }

  #start(lane: Lane, delivery: Delivery): void {
    const bytes = delivery.body.length
    delivery.isRunning = true
    lane.running++
    this.#running++
    this.#runningBytes += bytes
    void this.#driver.run(delivery).finally(() => {
      lane.running--
      this.#running--
      this.#runningBytes -= bytes
      this.#pump(lane)
      while (this.#starved.length > 0 && !this.#isFull() && !this.#isStopped) {
        const next = this.#starved.shift()
        if (next === undefined) break
        next.isStarved = false
        this.#pump(next)
      }
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  #isFull(): boolean {
    return this.#running >= this.#limits.running || this.#runningBytes >= this.#limits.runningBytes
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

  #tidy(lane: Lane): void {
    const isEmpty =
      lane.running === 0 && lane.waiting.length === 0 && lane.due.length === 0 && lane.taken.size === 0 && lane.nextDueAt === undefined
    if (!isEmpty || lane.isStarved || lane.nextStartAt > this.#clock.now()) return
    lane.timer?.timer.cancel()
    this.#lanes.delete(lane.subscriptionArn)
  }
}

function deliveryOf({ deliveryId, subscriptionArn, header, body, attempts }: PendingDelivery, key: string, now: number): Delivery {
  return { id: deliveryId, subscriptionArn, header, body, attempts, takenAt: now, frame: undefined, key, isRunning: false }
}
