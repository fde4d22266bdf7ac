// Drives message move tasks while the server runs: in small steps, each a commit of its own, paced as the task asks, so that calls go on
// beside them. What a stop or a crash interrupts goes on at the next start, from the task's record.
import type { Timer } from '../../base/clock.ts'
import type { Env } from '../../engine/env.ts'
import { isActive } from '../../model/message-move-task.ts'
import { Table } from '../../model/tables.ts'
import { openDeadLetterSources } from './dead-letter-sources.ts'
import { moveSome, type Step } from './message-move.ts'
import type { KnownBodies } from './redrive.ts'

/** In one step, where the task asks for no pace. */
const STEP_MESSAGES = 64
/** A paced task makes at most so many steps in a second. */
const STEPS_PER_SECOND_MAX = 10
const RETRY_MS = 1000

interface Run {
  readonly key: string
  readonly messagesMax: number
  readonly pauseMs: number
  /** As many as large bodies allow in one step. */
  take: number
  timer: Timer | undefined
  running: Promise<void> | undefined
  failing: string | undefined
}

export class MessageMoveRuns {
  readonly #env: Env
  readonly #refusal: () => string | undefined
  readonly #runs = new Map<string, Run>()
  readonly #unwatch: () => void
  #isStopped = false

  /** `refusal`: why nothing may be written now. Takes up what was left, and from now on what is committed. */
  constructor(env: Env, refusal: () => string | undefined) {
    this.#env = env
    this.#refusal = refusal
    openDeadLetterSources(env.tables)
    for (const { key } of env.tables.range(Table.messageMoveTasks, {})) this.#changed(key)
    this.#unwatch = env.tables.watch(Table.messageMoveTasks, (key) => this.#changed(key))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unwatch()
    for (const { timer } of this.#runs.values()) timer?.cancel()
    await Promise.all([...this.#runs.values()].flatMap(({ running }) => running ?? []))
  }

  #changed(key: string): void {
    const task = this.#env.tables.get(Table.messageMoveTasks, key)
    const run = this.#runs.get(key)
    if (this.#isStopped || (run === undefined && (task === undefined || !isActive(task)))) return
    if (run === undefined) {
      const added = createRun(key, task?.perSecondMax)
      this.#runs.set(key, added)
      this.#schedule(added, added.pauseMs)
    } else if (task?.status !== 'RUNNING' && run.timer !== undefined) {
      // It is to end: no reason to wait for its pace. On a later turn, when what is staged now stands in the journal.
      run.timer.cancel()
      this.#schedule(run, 0)
    }
  }

  #schedule(run: Run, delayMs: number): void {
    if (this.#isStopped) return
    run.timer = this.#env.clock.after(delayMs, () => {
      run.timer = undefined
      run.running = this.#step(run).finally(() => (run.running = undefined))
    })
  }

  async #step(run: Run): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return this.#later(run, refusal)
    try {
      const step = await this.#move(run)
      run.failing = undefined
      run.take = step === 'full' ? Math.max(1, Math.floor(run.take / 2)) : Math.min(run.messagesMax, run.take * 2)
      if (step === 'over') this.#runs.delete(run.key)
      else this.#schedule(run, this.#pauseOf(run))
    } catch (error) {
      this.#later(run, error instanceof Error ? error.message : String(error))
    }
  }

  /** A task that was cancelled meanwhile ends at once. */
  #pauseOf({ key, pauseMs }: Run): number {
    return this.#env.tables.get(Table.messageMoveTasks, key)?.status === 'RUNNING' ? pauseMs : 0
  }

  async #move({ key, take }: Run): Promise<'more' | 'full' | 'over'> {
    for (const known: KnownBodies = new Map(); ;) {
      const { result, done } = this.#env.commits.commit((tx): Step => moveSome(tx, this.#env, key, take, known))
      if (result instanceof Promise) {
        await result
        continue
      }
      await done
      return result
    }
  }

  #later(run: Run, why: string): void {
    if (run.failing !== why) this.#env.log.warn('a message move task waits and will go on', { task: run.key, why })
    run.failing = why
    this.#schedule(run, RETRY_MS)
  }
}

function createRun(key: string, perSecondMax: number | undefined): Run {
  const messagesMax = perSecondMax === undefined ? STEP_MESSAGES : Math.ceil(perSecondMax / STEPS_PER_SECOND_MAX)
  const pauseMs = perSecondMax === undefined ? 0 : Math.ceil((messagesMax * 1000) / perSecondMax)
  return { key, messagesMax, pauseMs, take: messagesMax, timer: undefined, running: undefined, failing: undefined }
}
