// Lanes of subscriptions to FIFO topics: within a group a message goes only when the one before it is done, however often that is tried
// again; groups do not wait for each other. What is first in order is in memory, what has no room there follows among the records.
import type { Clock, Timer } from '../../base/clock.ts'
import { orderedPrefix, type PendingDelivery, pendingKey } from '../../model/delivery.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Tables } from '../../engine/tables.ts'
import { type Delivery, type Limits, recordedDelivery } from './lanes.ts'
import type { Guest, Room } from './room.ts'

interface Waiting {
  delivery: Delivery
  dueAt: number
}

interface Lane extends Guest {
  readonly subscriptionArn: string
  /** In order, those under way among them. */
  readonly waiting: Waiting[]
  bytes: number
  /** Groups with one under way. */
  readonly busy: Set<string>
  /** Whatever lies at or before it is in memory or done. */
  loadedUntil: string
  /** There may be records behind it. */
  hasMore: boolean
  /** On their way to the records, in order: what lies behind them there must not overtake them. */
  readonly coming: Set<Delivery>
  timer: { readonly at: number; readonly timer: Timer } | undefined
}

/** Of a lane, in memory. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024
const LOADED_ROWS = 32

/** What was published to a FIFO topic; confirmations are not. */
export function isOrdered({ header }: { readonly header: MessageHeader }): boolean {
  return header.sequence !== undefined
}

export interface OrderedLanesParts {
  readonly clock: Clock
  readonly tables: Tables
  readonly limits: Limits
  readonly room: Room
  /** The host that a subscription shares with others, or undefined. */
  readonly host: (subscriptionArn: string) => string | undefined
  /** Makes one attempt; tells `settled` before it calls `ended`, once, on a later turn. */
  readonly run: (delivery: Delivery, ended: () => void) => void
}

export class OrderedLanes {
  readonly #parts: OrderedLanesParts
  readonly #lanes = new Map<string, Lane>()
  #hasBegun = false
  #isStopped = false

  constructor(parts: OrderedLanesParts) {
    this.#parts = parts
  }

  /** Nothing older than what was told of so far can come any more. Until then nothing is tried. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const lane of this.#lanes.values()) this.#pump(lane)
  }

  /** There are records. */
  expect(subscriptionArn: string): void {
    const lane = this.#lane(subscriptionArn)
    lane.hasMore = true
    this.#pump(lane)
  }

  hasRoom(subscriptionArn: string): boolean {
    const lane = this.#lanes.get(subscriptionArn)
    return lane === undefined || (!lane.hasMore && lane.coming.size === 0 && this.#hasPlace(lane))
  }

  /** A delivery from the journal, where there is room. */
  push(delivery: Delivery): void {
    const lane = this.#lane(delivery.subscriptionArn)
    append(lane, { delivery, dueAt: 0 })
    this.#pump(lane)
  }

  /** The delivery is to have a record. Whether it stays in memory as well. */
  recorded(delivery: Delivery): boolean {
    const lane = this.#lane(delivery.subscriptionArn)
    if (lane.waiting.some((one) => one.delivery === delivery)) return true
    lane.coming.add(delivery)
    return false
  }

  /** The record of one that is not in memory is there. */
  staged(delivery: Delivery): void {
    const lane = this.#lane(delivery.subscriptionArn)
    lane.coming.delete(delivery)
    lane.hasMore = true
    this.#pump(lane)
  }

  /** An attempt is over. `next`: what is recorded of the following one. */
  settled(delivery: Delivery, next: PendingDelivery | undefined): void {
    const lane = this.#lane(delivery.subscriptionArn)
    const at = lane.waiting.findIndex((one) => one.delivery === delivery)
    const waiting = lane.waiting[at]
    if (waiting === undefined) return
    if (next === undefined) {
      lane.waiting.splice(at, 1)
      lane.bytes -= delivery.body.length
      return
    }
    const { id, subscriptionArn, header, body } = delivery
    waiting.delivery = {
      ...{ id, subscriptionArn, header, body, bodyKey: next.bodyKey, attempts: next.attempts, key: pendingKey(next) },
      ...{ takenAt: this.#parts.clock.now(), parkedAt: undefined, frame: undefined, isRunning: false, place: undefined },
    }
    waiting.dueAt = next.dueAt
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
        ...{ isInLine: false, goOn: () => this.#pump(made) },
        ...{ subscriptionArn, host: this.#parts.host(subscriptionArn), waiting: [], bytes: 0 },
        ...{ loadedUntil: '', hasMore: false, timer: undefined },
        busy: new Set(),
        coming: new Set(),
      }
      this.#lanes.set(subscriptionArn, (lane = made))
    }
    return lane
  }

  #hasPlace({ waiting, bytes }: Lane): boolean {
    return waiting.length < this.#parts.limits.waitingPerLane && bytes < WAITING_BYTES_MAX
  }

  #pump(lane: Lane): void {
    if (this.#isStopped || !this.#hasBegun) return
    const { clock, limits, room } = this.#parts
    const now = clock.now()
    this.#load(lane, now)
    const blocked = new Set(lane.busy)
    let nextDueAt = Infinity
    for (const { delivery, dueAt } of lane.waiting) {
      if (lane.busy.size >= limits.perLane) break
      const group = delivery.header.groupId ?? ''
      if (blocked.has(group)) continue
      blocked.add(group)
      if (dueAt > now) nextDueAt = Math.min(nextDueAt, dueAt)
      else if (room.isFull(lane)) {
        room.wait(lane)
        break
      } else this.#start(lane, delivery, group)
    }
    if (nextDueAt !== Infinity) this.#wakeAt(lane, nextDueAt)
    const isEmpty = lane.waiting.length === 0 && lane.busy.size === 0 && !lane.hasMore && lane.coming.size === 0
    if (isEmpty && !lane.isInLine) {
      lane.timer?.timer.cancel()
      this.#lanes.delete(lane.subscriptionArn)
    }
  }

  /** Takes the next records in, up to what is still on its way there. */
  #load(lane: Lane, now: number): void {
    const [first] = lane.coming
    const before = first?.header.sequence ?? Infinity
    while (lane.hasMore && this.#hasPlace(lane)) {
      const rows = this.#parts.tables.range(Table.pendingDeliveries, {
        prefix: orderedPrefix(lane.subscriptionArn),
        limit: LOADED_ROWS,
        ...(lane.loadedUntil !== '' && { after: lane.loadedUntil }),
      })
      for (const { key, value } of rows) {
        if ((value.header.sequence ?? 0) >= before || !this.#hasPlace(lane)) return
        append(lane, { delivery: recordedDelivery(this.#parts.tables, { key, value }, now), dueAt: value.dueAt })
      }
      lane.hasMore = rows.length === LOADED_ROWS
    }
  }

  #start(lane: Lane, delivery: Delivery, group: string): void {
    const bytes = delivery.body.length
    delivery.isRunning = true
    lane.busy.add(group)
    this.#parts.room.begin(lane, bytes)
    this.#parts.run(delivery, () => {
      lane.busy.delete(group)
      this.#parts.room.end(lane, bytes)
    })
  }

  #wakeAt(lane: Lane, at: number): void {
    if (lane.timer !== undefined && lane.timer.at <= at) return
    lane.timer?.timer.cancel()
    const timer = this.#parts.clock.after(at - this.#parts.clock.now(), () => {
      lane.timer = undefined
      this.#pump(lane)
    })
    lane.timer = { at, timer }
  }
}

function append(lane: Lane, one: Waiting): void {
  const { id, subscriptionArn, header, body, key } = one.delivery
  lane.waiting.push(one)
  lane.bytes += body.length
  lane.loadedUntil = key ?? pendingKey({ subscriptionArn, dueAt: 0, deliveryId: id, header })
}
