// What keeps a server well while it runs: an eye on the disk, checkpoints and trimming, and the sweeps of what has run out.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Files } from '../storage/files.ts'
import type { Position } from '../storage/journal.ts'
import type { Store } from '../storage/store.ts'

const FREE_CHECK_MS = 1_000
const TIDY_MS = 30_000
const FIRST_TIDY_MS = 5_000
/** So much journal is checkpointed at once: what is not would be replayed after a crash, at about a second for a gigabyte. */
const TIDY_BYTES = 256 * 1024 * 1024
const SWEEP_MS = 3_600_000

export interface FreeSpace {
  isLow(): boolean
  /** Undefined without a folder. */
  bytes(): number | undefined
  stop(): void
}

/** Writes stop before the disk is full, and go on by themselves when there is room again. Without a folder nothing is ever low. */
export function watchFreeSpace(parts: {
  readonly files: Files
  readonly folder: string | undefined
  readonly bytesMin: number
  readonly clock: Clock
  readonly log: Log
  readonly onTurn: (isLow: boolean, freeBytes: number) => void
}): FreeSpace {
  const { files, folder, bytesMin, clock, log, onTurn } = parts
  if (folder === undefined) return { isLow: () => false, bytes: () => undefined, stop: () => {} }
  let free = files.free(folder)
  let isLow = free < bytesMin
  let timer = clock.after(FREE_CHECK_MS, check)
  function check(): void {
    timer = clock.after(FREE_CHECK_MS, check)
    try {
      free = files.free(folder ?? '')
    } catch (error) {
      // A volume that is gone has no room; the journal's next write will say the rest.
      if (free > 0) log.error('the data directory cannot be looked at', { error: error instanceof Error ? error.message : String(error) })
      free = 0
    }
    const nowLow = free < bytesMin
    if (nowLow && !isLow) log.error('the disk is nearly full; calls are refused until there is room', { freeBytes: free })
    if (!nowLow && isLow) log.info('there is room on the disk again; calls are taken', { freeBytes: free })
    if (nowLow !== isLow) onTurn(nowLow, free)
    isLow = nowLow
  }
  return { isLow: () => isLow, bytes: () => free, stop: () => timer.cancel() }
}

export interface UpkeepParts {
  readonly clock: Clock
  readonly log: Log
  readonly store: Store
  readonly sweeps: readonly (() => Promise<unknown>)[]
  /** The oldest position a follower needs; undefined while nothing may be touched. */
  readonly needed: () => Position | undefined
}

export interface Upkeep {
  /** Resolves when nothing that was begun before the call is under way. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Checkpoints and trims at intervals, sooner when much was written, and sweeps every hour. */
export function startUpkeep({ clock, log, store, sweeps, needed }: UpkeepParts): Upkeep {
  let running: Promise<void> | undefined
  let isOver = false
  let timer = clock.after(FIRST_TIDY_MS, begin)
  let sweptAt = -Infinity
  let tidiedAt = store.journal.durable
  store.journal.onDurable(() => {
    if (running === undefined && !isOver && store.journal.durable - tidiedAt >= TIDY_BYTES) begin()
  })
  function begin(): void {
    timer.cancel()
    running ??= tidy()
      .catch((error: unknown) =>
        log.error('upkeep failed and will be tried again', { error: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => {
        running = undefined
        if (!isOver) timer = clock.after(TIDY_MS, begin)
      })
  }
  async function tidy(): Promise<void> {
    const before = needed()
    if (before === undefined) return
    tidiedAt = store.journal.durable
    // A server that nobody calls lets go of what is over, too.
    store.queues.expire(clock.now())
    await store.tidy(before)
    if (clock.monotonic() - sweptAt < SWEEP_MS) return
    sweptAt = clock.monotonic()
    for (const sweep of sweeps) await sweep()
  }
  return {
    idle: () => running ?? Promise.resolve(),
    async stop() {
      isOver = true
      timer.cancel()
      await running
    },
  }
}
