// Sends what buckets have to tell queues and topics: from the records, where the commit that put or removed the object has left it, so that
// nothing is lost by a crash and no upload waits. At least once, in the order of events for each key; a destination that refuses delays
// only itself, and is tried for as long as SQS itself keeps a message by default.
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Timer } from '../base/clock.ts'
import type { WaitingBucketEvent } from '../model/bucket-event.ts'
import { parseArn } from '../model/arn.ts'
import { Table } from '../model/tables.ts'
import type { BucketEventStatus } from '../model/status.ts'
import { sendAsS3 } from '../engine/bucket-sender.ts'
import type { Env } from '../engine/env.ts'

const RETRY: Backoff = { firstMs: 1_000, maxMs: 300_000 }
const TRIED_MS_MAX = 4 * 24 * 3600 * 1000
/** Sent beside each other, one for each key. */
const BATCH_ROWS = 64
const COUNTED_ROWS = 1000

/** What waits for one destination. */
interface Lane {
  readonly destinationArn: string
  waiting: number
  failures: number
  failing: string | undefined
  timer: Timer | undefined
  running: Promise<void> | undefined
}

interface Row {
  readonly key: string
  readonly value: WaitingBucketEvent
}

export class BucketEventSender {
  readonly #env: Env
  readonly #lanes = new Map<string, Lane>()
  #isStopped = false

  /** Takes up what was left, and from now on what is committed. */
  constructor(env: Env) {
    this.#env = env
    for (let after: string | undefined; ;) {
      const rows = env.tables.range(Table.bucketEvents, { limit: COUNTED_ROWS, ...(after !== undefined && { after }) })
      for (const { key } of rows) this.#laneOf(key).waiting++
      after = rows.at(-1)?.key
      if (after === undefined) break
    }
    env.tables.watch(Table.bucketEvents, (key) => this.#changed(key))
    for (const lane of this.#lanes.values()) this.#start(lane)
  }

  /** For health and metrics: the destinations for which something waits. */
  status(): readonly BucketEventStatus[] {
    return [...this.#lanes.values()].map(({ destinationArn, waiting, failing }) => ({
      destinationArn,
      waiting,
      ...(failing !== undefined && { failing }),
    }))
  }

  /** Resolves when nothing is under way: what still waits, waits for its next try. */
  async settled(): Promise<void> {
    for (let running = this.#running(); running.length > 0; running = this.#running()) await Promise.all(running)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const lane of this.#lanes.values()) lane.timer?.cancel()
    await Promise.all(this.#running())
  }

  #running(): Promise<void>[] {
    return [...this.#lanes.values()].flatMap(({ running }) => (running === undefined ? [] : [running]))
  }

  #changed(key: string): void {
    const lane = this.#laneOf(key)
    const isNew = this.#env.tables.get(Table.bucketEvents, key) !== undefined
    lane.waiting += isNew ? 1 : -1
    if (isNew) this.#start(lane)
  }

  #start(lane: Lane): void {
    if (this.#isStopped || lane.running !== undefined || lane.timer !== undefined) return
    // On a later turn: what is staged at this moment is not committed yet.
    lane.timer = this.#env.clock.after(0, () => {
      lane.timer = undefined
      lane.running = this.#work(lane)
        .catch((error: unknown) => this.#failed(lane, error instanceof Error ? error.message : String(error)))
        .finally(() => {
          lane.running = undefined
          if (lane.waiting === 0 && lane.timer === undefined) this.#lanes.delete(lane.destinationArn)
          else this.#start(lane)
        })
    })
  }

  async #work(lane: Lane): Promise<void> {
    while (!this.#isStopped) {
      const rows = this.#env.tables.range(Table.bucketEvents, { prefix: `${lane.destinationArn}/`, limit: BATCH_ROWS })
      if (rows.length === 0) return
      // One of a key at a time keeps their order, whatever becomes of each.
      const first = [...Map.groupBy(rows, ({ value }) => `${value.bucket}/${value.objectKey}`).values()].flatMap(([row]) => row ?? [])
      const refusals = await Promise.all(first.map((row) => this.#send(lane, row)))
      const sent = first.filter((_, at) => refusals[at] === undefined)
      const refused = first.filter((_, at) => refusals[at] !== undefined)
      const given = refused.filter(({ value }) => this.#env.clock.now() - value.at > TRIED_MS_MAX)
      await this.#settle(lane, sent, given)
      if (given.length < refused.length) return this.#failed(lane, refusals.find((why) => why !== undefined) ?? '')
      lane.failures = 0
      lane.failing = undefined
    }
  }

  /** Undefined when it arrived, else why not. */
  async #send(lane: Lane, { value }: Row): Promise<string | undefined> {
    const env = this.#env
    // A bucket may be gone by now; what happened in it is told all the same.
    const bucket = env.tables.get(Table.buckets, value.bucket)
    const { region = '', account = '' } = parseArn(lane.destinationArn) ?? {}
    const from = bucket ?? { name: value.bucket, owner: account, region }
    const result = await sendAsS3(env, from, lane.destinationArn, value.message, value.causedByTrail)
    return 'error' in result ? `${result.error.code}: ${result.error.message}` : undefined
  }

  async #settle(lane: Lane, sent: readonly Row[], given: readonly Row[]): Promise<void> {
    if (sent.length + given.length === 0) return
    const { commits, acts, log } = this.#env
    if (given.length > 0)
      log.error('events of buckets are given up after four days', { destination: lane.destinationArn, events: given.length })
    await commits.commit((tx) => {
      for (const { key } of [...sent, ...given]) tx.delete(Table.bucketEvents, key)
      if (given.length > 0)
        acts.tell(tx, { name: 'BucketEventsGivenUp', details: { destinationArn: lane.destinationArn, events: given.length } })
    }).done
  }

  #failed(lane: Lane, why: string): void {
    const { clock, random, log } = this.#env
    if (this.#isStopped) return
    if (lane.failures === 0)
      log.warn('events of buckets wait, because their destination refuses', { destination: lane.destinationArn, why })
    lane.failures++
    lane.failing = why
    lane.timer = clock.after(backoffMs(RETRY, lane.failures, random), () => {
      lane.timer = undefined
      this.#start(lane)
    })
  }

  #laneOf(row: string): Lane {
    const destinationArn = row.slice(0, row.lastIndexOf('/'))
    let lane = this.#lanes.get(destinationArn)
    if (lane === undefined) {
      lane = { destinationArn, waiting: 0, failures: 0, failing: undefined, timer: undefined, running: undefined }
      this.#lanes.set(destinationArn, lane)
    }
    return lane
  }
}
