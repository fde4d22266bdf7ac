// The delivery follower: every published message goes to each confirmed subscription outside, every confirmation to its own. The first
// attempt is made straight from the journal; what is not done soon, or failed, becomes a record that needs no journal, so that
// the checkpoint moves on and a restart resumes at the right time with the right count. Own queues were served in the publish's frame.
import { byProtocol } from '../../engine/deliverer.ts'
import type { Timer } from '../../base/clock.ts'
import { deliveryIdOfMessage } from '../../model/delivery-id.ts'
import { pendingKey, type PendingDelivery } from '../../model/delivery.ts'
import type { MessageEntry } from '../../model/entry.ts'
import type { MessageHeader } from '../../model/message.ts'
import { Table } from '../../model/tables.ts'
import type { Frame, Position } from '../../storage/journal.ts'
import { createAttempts, type Attempts, type Next, type Settled } from './attempt.ts'
import { headerOf, type Message, messagesOf, settledIn } from './frames.ts'
import { Fresh } from './fresh.ts'
import { bodyKeyOf, pendingBytes, type Recorded as Row, stagePending } from './kept-bodies.ts'
import { type Delivery, Lanes } from './lanes.ts'
import { createLostLetters } from './lost-letters.ts'
import { DELIVERY_LIMITS, type DeliveryFollower, type DeliveryLimits, type DeliveryOptions, type DeliveryState } from './options.ts'
import { isOrdered, OrderedLanes } from './ordered-lanes.ts'
import { parkingAct, type ParkedEndpoint, type ParkingChange, type Verdict } from './parking.ts'
import { createPolicies } from './policies.ts'
import { type OpenFrame, Progress } from './progress.ts'
import { Recorded } from './recorded.ts'
import { bodyForFilters, createRecipients, type Recipients } from './recipients.ts'
import { hostOf, Room } from './room.ts'
import { Settlements } from './settlements.ts'

const NAME = 'delivery'
/** Many small groups of frames are cheaper to read together. */
const PAUSE_MS = 2
const LOOK_MS = 250
/** Begun in one turn of the event loop: a wide topic must not hold up the calls. */
const TURN_DELIVERIES = 32
const RECOVER_ROWS = 500
const READ_BYTES = 1024 * 1024
const UNRECORDED: Row = { key: undefined, bodyKey: undefined }

export function createDeliveryFollower(options: DeliveryOptions): DeliveryFollower {
  return new Deliveries(options)
}

class Deliveries implements DeliveryFollower {
  readonly name = NAME
  readonly pauseMs = PAUSE_MS
  readonly isPrompt = true
  readonly #env: DeliveryOptions['env']
  readonly #limits: DeliveryLimits
  readonly #progress: Progress
  readonly #settlements: Settlements
  readonly #room: Room
  readonly #lanes: Lanes
  readonly #ordered: OrderedLanes
  readonly #attempts: Attempts
  readonly #recipients: Recipients
  readonly #fresh: Fresh
  /** What was begun of the frame under way, by message: when it comes again, since it could not be taken whole, nothing starts twice. */
  #begun = new Map<string, Set<string>>()
  /** Ids that the journal behind the checkpoint tells of: begun before a restart, and done or recorded since. */
  readonly #settledBefore = new Set<string>()
  #settledUntil: Position = 0
  readonly #recorded = new Recorded()
  #recovered: Promise<void> | undefined
  #look: Timer | undefined
  #isStopped = false
  #isOver = false

  constructor(options: DeliveryOptions) {
    const { env } = options
    this.#env = env
    this.#limits = { ...DELIVERY_LIMITS, ...options.limits }
    this.#progress = new Progress(Math.max(env.journal.start, env.tables.get(Table.checkpoints, NAME)?.position ?? 0))
    this.#settlements = new Settlements({
      name: NAME,
      clock: env.clock,
      commits: env.commits,
      log: env.log,
      progress: this.#progress,
      failed: () => this.#halt(),
    })
    const deliverers = byProtocol(options.deliverers)
    this.#recipients = createRecipients(env.tables, new Set(deliverers.keys()))
    this.#attempts = createAttempts({
      ...options,
      deliverers,
      policies: createPolicies(env.tables),
      lost: createLostLetters({ clock: env.clock, acts: env.acts, counter: options.lostLetters }),
    })
    this.#fresh = new Fresh(this.#limits)
    this.#room = new Room(this.#limits)
    const shared = { clock: env.clock, tables: env.tables, limits: this.#limits, room: this.#room }
    const host = (subscriptionArn: string): string | undefined => hostOf(env.tables.get(Table.subscriptions, subscriptionArn))
    this.#lanes = new Lanes({
      ...shared,
      driver: {
        host,
        spacing: (subscriptionArn) => this.#attempts.spacing(subscriptionArn),
        run: (delivery, ended) => this.#run(delivery, ended),
        pass: (delivery, parked) => void this.#pass(delivery, parked),
        changed: (change) => this.#tellParking(change),
      },
    })
    this.#ordered = new OrderedLanes({ ...shared, host, run: (delivery, ended) => this.#run(delivery, ended) })
    // Retries go on although nothing new is published.
    setImmediate(() => {
      this.#ready().catch((error: unknown) => env.log.error('waiting deliveries cannot be read', { error: String(error) }))
    })
  }

  get checkpoint(): Position {
    return this.#settlements.durable
  }

  async handle(frames: readonly Frame[]): Promise<void> {
    await this.#ready()
    for (const frame of frames) {
      if (this.#isStopped) return
      if (frame.position < this.#progress.read) continue
      const messages = messagesOf(frame)
      const open = this.#progress.begin(frame.position)
      let isWhole = messages.length === 0
      try {
        if (!isWhole) isWhole = await this.#take(messages, open)
      } finally {
        if (isWhole) {
          this.#progress.end(open, frame.end)
          if (this.#begun.size > 0) this.#begun = new Map()
        } else open.open--
      }
      this.#settlements.passed(frame.payload.length)
      this.#takeUp()
    }
  }

  deliveries(): DeliveryState {
    const oldestAt = Math.min(this.#fresh.oldest?.header.publishedAt ?? Infinity, this.#recorded.oldestAt)
    return {
      running: this.#room.running,
      fresh: this.#fresh.size,
      recorded: this.#recorded.total,
      oldestAt: oldestAt === Infinity ? undefined : oldestAt,
      parked: this.#lanes.parked(),
    }
  }

  async stop(): Promise<void> {
    this.#halt()
    const late = Promise.withResolvers<void>()
    const timer = this.#env.clock.after(this.#limits.stopMs, late.resolve)
    await Promise.race([this.#room.idle(), late.promise])
    timer.cancel()
    await this.#settlements.finish()
    this.#isOver = true
  }

  /** Begins nothing any more. */
  #halt(): void {
    this.#isStopped = true
    this.#look?.cancel()
    this.#lanes.stop()
    this.#ordered.stop()
    this.#fresh.close()
  }

  /** What waited before the start is found once, before anything new begins. */
  #ready(): Promise<void> {
    return (this.#recovered ??= this.#recover().catch((error: unknown) => {
      this.#recovered = undefined
      throw error
    }))
  }

  async #recover(): Promise<void> {
    const { journal, tables } = this.#env
    this.#settledUntil = journal.durable
    for (let at = this.#progress.read; at < this.#settledUntil;) {
      const frames = await journal.read(at, READ_BYTES)
      const last = frames.at(-1)
      if (last === undefined) break
      for (const { payload } of frames) for (const id of settledIn(payload)) this.#settledBefore.add(id)
      at = last.end
    }
    const dueAt = new Map<string, number>()
    const parked = new Set<string>()
    const ordered = new Set<string>()
    this.#recorded.clear()
    for (let after: string | undefined; ;) {
      const rows = tables.range(Table.pendingDeliveries, { after, limit: RECOVER_ROWS })
      for (const { value } of rows) {
        const { subscriptionArn } = value
        this.#recorded.count(value.header, 1)
        if (value.parkedAt !== undefined) parked.add(subscriptionArn)
        if (isOrdered(value)) ordered.add(subscriptionArn)
        else dueAt.set(subscriptionArn, Math.min(dueAt.get(subscriptionArn) ?? Infinity, value.dueAt))
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < RECOVER_ROWS) break
      after = last.key
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const [subscriptionArn, at] of dueAt) {
      if (parked.has(subscriptionArn)) this.#lanes.drain(subscriptionArn)
      else this.#lanes.expect(subscriptionArn, at)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const subscriptionArn of ordered) this.#ordered.expect(subscriptionArn)
    this.#takeUp()
  }

  /** Once all that was begun before the start is read again, nothing older can come any more. */
  #takeUp(): void {
    if (this.#progress.read < this.#settledUntil) return
    this.#settledBefore.clear()
    this.#ordered.begin()
  }

  /** False when it stopped on the way. */
  async #take(messages: readonly MessageEntry[], open: OpenFrame): Promise<boolean> {
    let admitted = 0
    let whole = (): string => ''
    for (const entry of messages) {
      const { header, audience } = headerOf(entry)
      const { topicArn = '' } = header
      const isPublished = header.type === 'Notification' && header.direct === undefined
      while (isPublished && !this.#recipients.knows(topicArn)) await this.#recipients.load(topicArn)
      let text: string | undefined
      const body = (): string => (text ??= entry.body.toString('utf8'))
      let opened: string | undefined
      if (audience?.isCopy !== true) whole = () => (opened ??= bodyForFilters(this.#env, header, body()))
      const recipients = this.#recipients.of(header, whole)
      if (recipients.length === 0) continue
      const message: Message = { header, body: body(), frame: open, begun: this.#begunOf(header) }
      for (const subscriptionArn of recipients) {
        const place = audience === undefined ? 'gets' : this.#recipients.placeIn(audience, subscriptionArn)
        if (place === 'denied') this.#deny(message, subscriptionArn)
        if (place !== 'gets') continue
        if (this.#fresh.isFull) await this.#fresh.room()
        if (this.#isStopped) return false
        this.#admit(message, subscriptionArn)
        if (++admitted % TURN_DELIVERIES === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return true
  }

  /** A delivery that data protection forbids has failed before anybody is asked. */
  #deny(message: Message, subscriptionArn: string): void {
    const { header, body, frame } = message
    const id = this.#begin(message, subscriptionArn)
    if (id === undefined) return
    const ended = this.#attempts.deny({ id, subscriptionArn, header, body })
    if (ended === undefined) return
    frame.open++
    this.#settlements.add({ ...ended, frame, staged() {} })
  }

  #admit(message: Message, subscriptionArn: string): void {
    const { header, body, frame } = message
    const id = this.#begin(message, subscriptionArn)
    if (id === undefined) return
    const delivery: Delivery = {
      id,
      subscriptionArn,
      header,
      body,
      attempts: 0,
      parkedAt: undefined,
      takenAt: this.#env.clock.now(),
      frame,
      key: undefined,
      bodyKey: undefined,
      isRunning: false,
      place: undefined,
    }
    frame.open++
    this.#fresh.add(delivery)
    const lanes = isOrdered(delivery) ? this.#ordered : this.#lanes
    if (!lanes.hasRoom(subscriptionArn)) return this.#record(delivery)
    lanes.push(delivery)
    this.#look ??= this.#env.clock.after(LOOK_MS, () => this.#recordLate())
  }

  /** The id of the delivery, or undefined where it was begun before the frame came again, or before a restart. */
  #begin({ header, begun }: Message, subscriptionArn: string): string | undefined {
    if (begun.has(subscriptionArn)) return undefined
    begun.add(subscriptionArn)
    const id = deliveryIdOfMessage(header.messageId, subscriptionArn)
    return this.#settledBefore.size > 0 && this.#settledBefore.has(id) ? undefined : id
  }

  #begunOf({ messageId }: MessageHeader): Set<string> {
    let begun = this.#begun.get(messageId)
    if (begun === undefined) this.#begun.set(messageId, (begun = new Set()))
    return begun
  }

  /** What is undone for too long must not hold the checkpoint back. */
  #recordLate(): void {
    this.#look = undefined
    for (const delivery of this.#fresh.takenBy(this.#env.clock.now() - this.#limits.recordAfterMs)) this.#record(delivery)
    if (this.#fresh.size > 0 && !this.#isStopped) this.#look = this.#env.clock.after(LOOK_MS, () => this.#recordLate())
  }

  /** Due at once: whether an attempt under way succeeds, only its own process learns. */
  #record(delivery: Delivery): void {
    const now = this.#env.clock.now()
    const isInOrder = isOrdered(delivery)
    const isParked = !isInOrder && !delivery.isRunning && this.#lanes.isParked(delivery.subscriptionArn)
    const dueAt = isParked ? this.#attempts.spentAt(delivery, now) : now
    const pending = pendingOf(delivery, { attempts: delivery.attempts, dueAt, ...(isParked && { parkedAt: now }) })
    const key = pendingKey(pending)
    const { frame } = delivery
    this.#leaveJournal(delivery)
    delivery.key = key
    delivery.bodyKey = pending.bodyKey
    const isKept = isInOrder ? this.#ordered.recorded(delivery) : this.#lanes.recorded(delivery, key)
    this.#recorded.count(delivery.header, 1)
    this.#settlements.add({
      bytes: pendingBytes(this.#env.tables, pending),
      frame,
      stage: (tx) => stagePending(tx, UNRECORDED, pending),
      staged: () => {
        if (isKept) return
        if (isInOrder) this.#ordered.staged(delivery)
        else this.#expect(pending)
      },
    })
  }

  /** Its record is staged. */
  #expect({ subscriptionArn, dueAt, parkedAt }: PendingDelivery): void {
    // The endpoint may have come back since it was decided, and all that was parked been looked at.
    if (parkedAt !== undefined && !this.#lanes.isParked(subscriptionArn)) this.#lanes.drain(subscriptionArn)
    else this.#lanes.expect(subscriptionArn, dueAt)
  }

  #run(delivery: Delivery, ended: (verdict: Verdict) => void): void {
    void this.#attempts.make(delivery).then((settled) => {
      // After the stop nothing can be recorded: journal or record still have the delivery, and it comes again.
      if (!this.#isOver) this.#settle(delivery, settled)
      ended(settled.verdict)
    })
  }

  async #pass(delivery: Delivery, parked: ParkedEndpoint): Promise<void> {
    const settled = await this.#attempts.pass(delivery, parked)
    if (!this.#isOver) this.#settle(delivery, settled)
  }

  #tellParking(change: ParkingChange): void {
    const { clock, acts, log } = this.#env
    const { subscriptionArn, reason } = change.endpoint
    log.warn(change.kind === 'parked' ? 'an endpoint is parked: its deliveries fail' : 'an endpoint takes deliveries again', {
      subscriptionArn,
      reason,
    })
    const act = parkingAct(change, clock.now())
    this.#settlements.add({ bytes: 1000, frame: undefined, stage: (tx) => acts.tell(tx, act), staged() {} })
  }

  #settle(delivery: Delivery, settled: Settled): void {
    const { key, bodyKey, frame, header, subscriptionArn } = delivery
    const next = settled.next === undefined ? undefined : pendingOf(delivery, settled.next)
    if (key === undefined) this.#leaveJournal(delivery)
    this.#recorded.count(header, (next === undefined ? 0 : 1) - (key === undefined ? 0 : 1))
    const isInOrder = isOrdered(delivery)
    if (isInOrder) this.#ordered.settled(delivery, next)
    this.#settlements.add({
      bytes: settled.bytes + (next === undefined ? 0 : pendingBytes(this.#env.tables, next)),
      frame,
      stage: (tx) => {
        settled.stage(tx)
        stagePending(tx, { key, bodyKey }, next)
      },
      staged: () => {
        if (isInOrder) return
        if (key !== undefined) this.#lanes.released(subscriptionArn, key)
        if (next !== undefined) this.#expect(next)
      },
    })
  }

  #leaveJournal(delivery: Delivery): void {
    delivery.frame = undefined
    this.#fresh.delete(delivery)
  }
}

function pendingOf(delivery: Delivery, next: Next): PendingDelivery {
  const { id, subscriptionArn, header, body } = delivery
  const bodyKey = delivery.bodyKey ?? bodyKeyOf(header, body)
  return { deliveryId: id, subscriptionArn, header, body, ...(bodyKey !== undefined && { bodyKey }), ...next }
}
