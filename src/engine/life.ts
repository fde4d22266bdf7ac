// The server's life on the record: what a start finds, the start itself, a sign of life each minute with the census, turns to read-only and
// back, jumps of the clock, and the stop as its last commit. Beside each act stands the span in which nothing could be recorded
// (Table.acts), from which coverage is told.
import { join } from 'node:path'
import type { Timer } from '../base/clock.ts'
import { Table } from '../model/tables.ts'
import type { Files } from '../storage/files.ts'
import type { Position } from '../storage/journal.ts'
import { removeFile, writeWholeFile } from '../storage/whole-files.ts'
import type { RunningCensus } from './census.ts'
import type { Env } from './env.ts'
import { FAILURE_FILE, findLife, tellFindings } from './life-findings.ts'
import { closeDown, jumpDetails, putDown, putLife } from './life-rows.ts'
import { type Start, tellStart } from './life-start.ts'
import type { Transaction } from './transaction.ts'

export interface LifeParts {
  readonly env: Env
  readonly census: RunningCensus
  readonly files: Files
  /** The data directory; undefined where everything is in memory. */
  readonly folder: string | undefined
}

export interface Life {
  /** The server is about to take calls. Resolves when its start is on the record. */
  begin(start: Start): Promise<void>
  /** The disk came below its mark, or left it. */
  lowDisk(isLow: boolean, freeBytes: number | undefined): void
  /** A write to the journal failed: left in a file for the next start, since nothing can be recorded. */
  failed(failure: Error): void
  /** From here on the journal is needed to count what a crash would leave uncounted. */
  needed(): Position
  /** The last commit of this life, durable when it resolves. A command's life leaves its counts to the next census. */
  end(reason: string): Promise<void>
}

const TICK_MS = 10_000
const ALIVE_MS = 60_000
const CENSUS_MS = 300_000
/** So many calls are told of sooner. */
const CENSUS_CALLS = 100_000
/** A clock that is slewed moves less between two looks. */
const JUMP_MS = 2_000

/** Tells what the last life left behind. Resolves when that is durable. */
export async function openLife(parts: LifeParts): Promise<Life> {
  const { env, files } = parts
  const found = await findLife(parts)
  await env.commits.commit((tx) => tellFindings(tx, parts, found)).done
  for (const path of found.files) removeFile(files, path)
  return new OpenLife(parts)
}

class OpenLife implements Life {
  readonly #parts: LifeParts
  #isRunning = false
  #startedAt = 0
  #timer: Timer | undefined
  #seen: { readonly now: number; readonly monotonic: number }
  #aliveAt: number
  #censusAt: number
  #isLow = false

  constructor(parts: LifeParts) {
    this.#parts = parts
    const { clock } = parts.env
    this.#seen = { now: clock.now(), monotonic: clock.monotonic() }
    this.#aliveAt = this.#censusAt = this.#seen.monotonic
  }

  async begin(start: Start): Promise<void> {
    const { env } = this.#parts
    this.#startedAt = env.clock.now()
    await env.commits.commit((tx) => tellStart(tx, env, start)).done
    this.#isRunning = true
    this.#timer = env.clock.after(TICK_MS, this.#tick)
  }

  lowDisk(isLow: boolean, freeBytes: number | undefined): void {
    if (isLow === this.#isLow || !this.#isRunning) return
    this.#isLow = isLow
    const { acts } = this.#parts.env
    this.#try((tx) => {
      const details = { reason: 'low disk', ...(freeBytes !== undefined && { freeBytes }) }
      acts.tell(tx, { name: isLow ? 'ReadOnlyEntered' : 'ReadOnlyLeft', details })
      if (isLow) putDown(tx, { from: tx.now, cause: 'read-only', what: 'low disk' })
      else closeDown(tx, tx.now)
    })
  }

  failed(failure: Error): void {
    const { files, folder, env } = this.#parts
    this.#timer?.cancel()
    if (folder === undefined) return
    try {
      const note = { at: env.clock.now(), reason: failure.message }
      writeWholeFile(files, join(folder, FAILURE_FILE), Buffer.from(`${JSON.stringify(note)}\n`))
    } catch (error) {
      env.log.warn('the failure could not be noted for the next start', { error: textOf(error) })
    }
  }

  needed(): Position {
    const alive = this.#parts.env.tables.get(Table.acts, 'alive')
    return alive?.kind === 'alive' ? alive.uncounted : Infinity
  }

  async end(reason: string): Promise<void> {
    this.#timer?.cancel()
    const { env } = this.#parts
    const wasRunning = this.#isRunning
    this.#isRunning = false
    await this.#commit((tx) => {
      if (!wasRunning) return this.#leaveCounts(tx)
      if (this.#hasCounted()) this.#tellCensus(tx)
      const uptimeSeconds = Math.round((tx.now - this.#startedAt) / 1000)
      env.acts.tell(tx, { name: 'ServerStopped', details: { reason, uptimeSeconds } })
      putLife(tx, { state: 'stopped', since: tx.now })
      putDown(tx, { from: tx.now, cause: 'stopped', what: reason })
    })
  }

  readonly #tick = (): void => {
    const { env, census } = this.#parts
    this.#timer = env.clock.after(TICK_MS, this.#tick)
    this.#lookAtClock()
    const now = env.clock.monotonic()
    const { aws, own, unsigned, refusedSignature } = census.counts()
    const isMany = aws + own + unsigned + refusedSignature >= CENSUS_CALLS
    const isDue = this.#hasCounted() && (isMany || now - this.#censusAt >= CENSUS_MS)
    if (!isDue && now - this.#aliveAt < ALIVE_MS) return
    this.#aliveAt = now
    if (isDue) this.#censusAt = now
    this.#try((tx) => (isDue ? this.#tellCensus(tx) : this.#putAlive(tx)))
  }

  #lookAtClock(): void {
    const { env } = this.#parts
    const seen = { now: env.clock.now(), monotonic: env.clock.monotonic() }
    const expected = Math.round(this.#seen.now + seen.monotonic - this.#seen.monotonic)
    this.#seen = seen
    const jumped = seen.now - expected
    if (Math.abs(jumped) < JUMP_MS) return
    env.log.warn('the clock jumped', { seconds: jumped / 1000 })
    this.#try((tx) => {
      env.acts.tell(tx, { name: 'ClockJumped', details: jumpDetails(expected, seen.now) })
      if (jumped > 0 && !this.#isLow) putDown(tx, { from: expected, to: seen.now, cause: 'clock jumped' })
    })
  }

  #hasCounted(): boolean {
    return Object.values(this.#parts.census.counts()).some((count) => count > 0)
  }

  #tellCensus(tx: Transaction): void {
    const { env, census } = this.#parts
    census.tell(tx, env.acts, env.journal.tail)
    tx.put(Table.acts, 'alive', { kind: 'alive', at: tx.now, uncounted: env.journal.tail })
  }

  #leaveCounts(tx: Transaction): void {
    if (!this.#hasCounted()) return
    this.#parts.census.carry(tx)
    tx.put(Table.acts, 'alive', { kind: 'alive', at: tx.now, uncounted: this.#parts.env.journal.tail })
  }

  #putAlive(tx: Transaction): void {
    const { env } = this.#parts
    const uncounted = this.#hasCounted() ? this.needed() : env.journal.tail
    tx.put(Table.acts, 'alive', { kind: 'alive', at: tx.now, uncounted: Math.min(uncounted, env.journal.tail) })
  }

  /** What cannot be recorded is left out and logged: a full journal must not end the server. */
  #try(work: (tx: Transaction) => void): void {
    this.#commit(work).catch((error: unknown) =>
      this.#parts.env.log.warn('an act of the server could not be recorded', { error: textOf(error) }),
    )
  }

  async #commit(work: (tx: Transaction) => void): Promise<void> {
    const { env, census } = this.#parts
    const before = this.needed()
    const { done } = env.commits.commit(work)
    // All counts went with a census: what is counted from now on stands behind it.
    if (this.needed() !== before) census.taken()
    await done
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
