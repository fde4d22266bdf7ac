// Drives replays while the server runs: one small step after the other, in turns among all of them, with pauses that leave most of the time
// to calls. What a stop or a crash interrupts goes on at the next start, from the replay's record.
import type { Timer } from '../../base/clock.ts'
import type { Env } from '../../engine/env.ts'
import type { Outgoing } from '../../model/data-protection/outgoing.ts'
import { Table } from '../../model/tables.ts'
import { type ArchivedMessage, type ArchivePlace, TopicArchiveDamaged, type TopicArchives } from '../../storage/topic-archives.ts'
import { failReplay, loseOwed } from './replays.ts'
import type { LatestMessages } from './latest-messages.ts'
import { examineFor } from './protection/examination.ts'
import { readArchived, type ReplayProtection, replaySome, type ReplayStep } from './replay-step.ts'

const STEP_MESSAGES = 64
const STEP_BYTES = 256 * 1024
/** Behind each step, so long as it took twice over: a third of the time at most. */
const PAUSE_SHARE = 2
const PAUSE_MS_MIN = 1
const RETRY_MS = 1000
/** How often one that is to end at a time looks whether it has come. */
const LOOK_MS = 1000

interface Run {
  readonly subscriptionArn: string
  readonly id: string
  readonly archive: number
  place: ArchivePlace | undefined
  /** Read, and not dealt with yet. */
  messages: ArchivedMessage[]
  /** As of the read that found nothing more. */
  newest: number | undefined
  /** In the row of those that have something to do. */
  isReady: boolean
  /** The archive got more since it was last read. */
  isBehind: boolean
  timer: Timer | undefined
  failing: string | undefined
  readonly unfollow: () => void
}

export class ReplayRuns {
  readonly #env: Env
  readonly #archives: TopicArchives
  readonly #latest: LatestMessages
  readonly #refusal: () => string | undefined
  /** By subscription. */
  readonly #runs = new Map<string, Run>()
  readonly #ready: Run[] = []
  readonly #unwatch: readonly (() => void)[]
  #turn: Timer | undefined
  #running: Promise<void> | undefined
  #isStopped = false

  /** `refusal`: why nothing may be written now. Takes up what was left, and from now on what is committed. */
  constructor(env: Env, archives: TopicArchives, latest: LatestMessages, refusal: () => string | undefined) {
    this.#env = env
    this.#archives = archives
    this.#latest = latest
    this.#refusal = refusal
    for (const { key } of env.tables.range(Table.replays, {})) this.#changed(key)
    this.#unwatch = [env.tables.watch(Table.replays, (key) => this.#changed(key)), archives.watch((archive) => this.#appended(archive))]
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const unwatch of this.#unwatch) unwatch()
    this.#turn?.cancel()
    for (const { timer } of this.#runs.values()) timer?.cancel()
    await this.#running
  }

  #changed(key: string): void {
    const replay = this.#env.tables.get(Table.replays, key)
    const known = this.#runs.get(key)
    if (replay === undefined) {
      this.#end(known)
      this.#runs.delete(key)
    } else if (known?.id !== replay.id) {
      this.#end(known)
      const { id, archive } = replay
      const unfollow = this.#latest.follow(replay.topicArn)
      const fresh = {
        place: undefined,
        messages: [],
        newest: undefined,
        isReady: false,
        isBehind: false,
        timer: undefined,
        failing: undefined,
      }
      const run: Run = { subscriptionArn: key, id, archive, unfollow, ...fresh }
      this.#runs.set(key, run)
      this.#makeReady(run)
    } else if (replay.isStopped === true && known.timer !== undefined) this.#makeReady(known)
  }

  #end(run: Run | undefined): void {
    run?.timer?.cancel()
    run?.unfollow()
  }

  #appended(archive: number): void {
    for (const run of this.#runs.values()) {
      if (run.archive !== archive) continue
      run.isBehind = true
      if (run.failing === undefined) this.#makeReady(run)
    }
  }

  #makeReady(run: Run): void {
    if (run.isReady) return
    run.timer?.cancel()
    run.timer = undefined
    run.isReady = true
    this.#ready.push(run)
    this.#takeTurns(0)
  }

  #takeTurns(delayMs: number): void {
    if (this.#isStopped || this.#turn !== undefined || this.#running !== undefined || this.#ready.length === 0) return
    this.#turn = this.#env.clock.after(delayMs, () => {
      this.#turn = undefined
      const run = this.#ready.shift()
      if (run === undefined) return
      run.isReady = false
      let pauseMs = 0
      this.#running = this.#step(run)
        .then((tookMs) => void (pauseMs = Math.max(PAUSE_MS_MIN, tookMs * PAUSE_SHARE)))
        .finally(() => {
          this.#running = undefined
          this.#takeTurns(pauseMs)
        })
    })
  }

  /** Gives how long it kept the thread. */
  async #step(run: Run): Promise<number> {
    if (this.#runs.get(run.subscriptionArn) !== run) return 0
    const refusal = this.#refusal()
    if (refusal !== undefined) {
      this.#later(run, refusal)
      return 0
    }
    try {
      await this.#read(run)
      return await this.#commit(run)
    } catch (error) {
      if (error instanceof TopicArchiveDamaged)
        await this.#giveUp(run, error.message).catch((failure: unknown) => this.#later(run, String(failure)))
      else this.#later(run, error instanceof Error ? error.message : String(error))
      return 0
    }
  }

  async #read(run: Run): Promise<void> {
    while (run.messages.length === 0) {
      const replay = this.#env.tables.get(Table.replays, run.subscriptionArn)
      if (replay === undefined) return
      run.isBehind = false
      const newest = this.#archives.newest(run.archive)
      const read = await this.#archives.read(run.archive, { sequence: replay.next, since: replay.from, always: replay.firstNew }, run.place)
      run.newest = read === undefined ? newest : undefined
      if (read === undefined) return
      run.place = read.place
      run.messages = [...read.messages]
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #commit(run: Run): Promise<number> {
    const { clock, commits } = this.#env
    const messages = sliceOf(run.messages)
    const protection = await this.#protect(run, messages)
    const begunAt = clock.monotonic()
    const batch = { id: run.id, messages, newest: run.newest, protection }
    const { result, done } = commits.commit((tx) => replaySome(tx, this.#env, this.#latest, run.subscriptionArn, batch))
    const tookMs = clock.monotonic() - begunAt
    await done
    if (result !== 'again') run.messages.splice(0, messages.length)
    run.failing = undefined
    this.#goOn(run, result)
    return tookMs
  }

  /** In small steps: messages may be long. */
  async #protect(run: Run, messages: readonly ArchivedMessage[]): Promise<ReplayProtection | undefined> {
    const { tables } = this.#env
    const subscription = tables.get(Table.subscriptions, run.subscriptionArn)
    const policy = subscription === undefined ? undefined : tables.get(Table.topics, subscription.topicArn)?.dataProtectionPolicy
    if (policy === undefined || subscription === undefined) return undefined
    const outgoing = new Map<number, Outgoing>()
    for (const { sequence, bytes } of messages) {
      const { header, body } = readArchived(this.#env, bytes)
      const found = await examineFor(policy, subscription, { body, structure: header.structure })
      if (found !== undefined) outgoing.set(sequence, found)
    }
    return { policy, outgoing }
  }

  #goOn(run: Run, step: ReplayStep): void {
    // A replay that was stopped, failed or replaced has a record of its own, or none: the watch tells.
    if (this.#isStopped || this.#runs.get(run.subscriptionArn) !== run) return
    if (step !== 'caught up' || run.isBehind) return this.#makeReady(run)
    const { until } = this.#env.tables.get(Table.replays, run.subscriptionArn) ?? {}
    if (until !== undefined) run.timer = this.#env.clock.after(LOOK_MS, () => this.#makeReady(run))
  }

  /** What the archive lost cannot come; what is published is not held back for it. */
  async #giveUp(run: Run, reason: string): Promise<void> {
    this.#env.log.error('a replay failed', { subscriptionArn: run.subscriptionArn, reason })
    await this.#env.commits.commit((tx) => {
      const replay = tx.get(Table.replays, run.subscriptionArn)
      const topic = replay === undefined ? undefined : tx.get(Table.topics, replay.topicArn)
      const subscription = tx.get(Table.subscriptions, run.subscriptionArn)
      if (replay === undefined || replay.id !== run.id || topic === undefined || subscription === undefined) return
      if (replay.isStopped === true) loseOwed(tx, this.#env, topic, subscription, replay, reason)
      else tx.put(Table.subscriptions, run.subscriptionArn, failReplay(tx, this.#env, topic, subscription, replay, reason))
    }).done
    run.place = undefined
    run.messages = []
    if (this.#runs.get(run.subscriptionArn) === run) this.#makeReady(run)
  }

  #later(run: Run, why: string): void {
    if (this.#isStopped || this.#runs.get(run.subscriptionArn) !== run) return
    if (run.failing !== why) this.#env.log.warn('a replay waits and will go on', { subscriptionArn: run.subscriptionArn, why })
    run.failing = why
    run.timer?.cancel()
    run.timer = this.#env.clock.after(RETRY_MS, () => this.#makeReady(run))
  }
}

/** As many as one step takes, one at least. */
function sliceOf(messages: readonly ArchivedMessage[]): readonly ArchivedMessage[] {
  let bytes = 0
  const end = messages.findIndex((message, at) => at >= STEP_MESSAGES || ((bytes += message.bytes.length) > STEP_BYTES && at > 0))
  return end === -1 ? messages : messages.slice(0, end)
}
