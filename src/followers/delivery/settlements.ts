// What the deliveries have to remember, many to a frame: outcomes, records of what still waits, dead letters, and the checkpoint with them.
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { Table } from '../../model/tables.ts'
import type { Commits, Transaction } from '../../engine/transaction.ts'
import { JournalFailed, JournalFull, type Position } from '../../storage/journal.ts'
import type { OpenFrame, Progress } from './progress.ts'

export interface Settlement {
  /** About how much it adds to a frame. */
  readonly bytes: number
  /** The frame of the journal that need no longer remember the delivery once this is staged. */
  readonly frame: OpenFrame | undefined
  readonly stage: (tx: Transaction) => void
  /** Runs once it is staged, or given up. */
  readonly staged: () => void
}

/** What was delivered is delivered, recorded or not: a crash within it delivers it again, and fewer commits cost each delivery less. */
const COLLECT_MS = 20
const FULL_RETRY_MS = 50
const BATCH_MAX = 512
const BATCH_BYTES_MAX = 512 * 1024
/** Frames without deliveries move the checkpoint too, but are not worth a commit each. */
const UNTOLD_FRAMES_MAX = 1000
const UNTOLD_BYTES_MAX = 8 * 1024 * 1024

export interface SettlementParts {
  readonly name: string
  readonly clock: Clock
  readonly commits: Commits
  readonly log: Log
  readonly progress: Progress
  /** The journal takes nothing any more: what happens from now on cannot be recorded. */
  readonly failed: () => void
}

export class Settlements {
  readonly #parts: SettlementParts
  #waiting: Settlement[] = []
  #timer: Timer | undefined
  #told: Position
  #durable: Position
  #untoldFrames = 0
  #untoldBytes = 0
  #isFailed = false
  /** Fewer to a frame after one that did not fit. */
  #batchMax = BATCH_MAX
  #last: Promise<void> = Promise.resolve()

  constructor(parts: SettlementParts) {
    this.#parts = parts
    this.#told = parts.progress.checkpoint
    this.#durable = this.#told
  }

  /** The checkpoint that survives a crash. */
  get durable(): Position {
    return this.#durable
  }

  get waiting(): number {
    return this.#waiting.length
  }

  add(settlement: Settlement): void {
    this.#waiting.push(settlement)
    if (this.#waiting.length >= BATCH_MAX && this.#timer !== undefined) {
      this.#timer.cancel()
      this.#timer = undefined
      this.#schedule(0)
    } else this.#schedule(COLLECT_MS)
  }

  /** A frame was taken in. */
  passed(bytes: number): void {
    this.#untoldFrames++
    this.#untoldBytes += bytes
    if (this.#untoldFrames >= UNTOLD_FRAMES_MAX || this.#untoldBytes >= UNTOLD_BYTES_MAX) this.#schedule(COLLECT_MS)
  }

  /** Commits all that waits; resolves when it is durable. */
  async finish(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    do this.#commit()
    while (this.#waiting.length > 0 && this.#timer === undefined && !this.#isFailed)
    await this.#last
  }

  #schedule(delay: number): void {
    if (this.#isFailed) return
    this.#timer ??= this.#parts.clock.after(delay, () => {
      this.#timer = undefined
      this.#commit()
      if (this.#waiting.length > 0) this.#schedule(0)
    })
  }

  #commit(): void {
    const { name, commits, progress, log } = this.#parts
    const batch = this.#takeBatch()
    for (const { frame } of batch) if (frame !== undefined) frame.open--
    const checkpoint = progress.checkpoint
    if (batch.length === 0 && checkpoint === this.#told) return
    try {
      const { done } = commits.commit((tx) => {
        for (const settlement of batch) settlement.stage(tx)
        if (checkpoint !== this.#told) tx.put(Table.checkpoints, name, { position: checkpoint })
      })
      this.#told = checkpoint
      this.#untoldFrames = 0
      this.#untoldBytes = 0
      progress.trim()
      // After a failure the same deliveries come again at the next start.
      this.#last = done.then(
        () => void (this.#durable = Math.max(this.#durable, checkpoint)),
        () => this.#fail(),
      )
    } catch (error) {
      for (const { frame } of batch) if (frame !== undefined) frame.open++
      this.#waiting = [...batch, ...this.#waiting]
      if (error instanceof JournalFailed) return this.#fail()
      if (error instanceof RangeError) return this.#tooLarge(batch)
      if (!(error instanceof JournalFull))
        log.error('the outcomes of deliveries cannot be recorded', { error: error instanceof Error ? error.message : String(error) })
      this.#schedule(error instanceof JournalFull ? FULL_RETRY_MS : FULL_RETRY_MS * 20)
      return
    }
    this.#batchMax = BATCH_MAX
    for (const { staged } of batch) staged()
  }

  /** The frame can never fit: one at a time then, and what does not fit alone is given up, so that it does not stop all others. */
  #tooLarge(batch: readonly Settlement[]): void {
    this.#batchMax = 1
    const [only] = batch
    if (batch.length === 1 && only !== undefined) {
      this.#waiting.shift()
      if (only.frame !== undefined) only.frame.open--
      this.#parts.log.error('a delivery is given up: its message does not fit into the journal', { bytes: only.bytes })
      // What comes behind it must not wait for it.
      only.staged()
    }
    this.#schedule(0)
  }

  #fail(): void {
    this.#isFailed = true
    this.#parts.failed()
  }

  #takeBatch(): Settlement[] {
    let bytes = 0
    let count = 0
    for (const settlement of this.#waiting) {
      if (count > 0 && (count >= this.#batchMax || bytes + settlement.bytes > BATCH_BYTES_MAX)) break
      bytes += settlement.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
