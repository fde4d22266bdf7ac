// What drives the followers: each reads the journal in order from its own checkpoint, at least once. They never wait for each other, and
// no commit waits for one of them.
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Frame, Journal, Position } from '../storage/journal.ts'

/** One follower. A follower MUST be harmless when it gets a frame again, and MUST NOT keep a frame's buffers beyond `handle`. */
export interface Follower {
  readonly name: string
  /** Where reading starts, and the oldest position it still needs: what was handled up to here is durably done. */
  readonly checkpoint: Position
  /** The least time between two batches, in ms, while it is close: more frames to a batch against a greater lag. */
  readonly pauseMs?: number
  /** After a quiet time it begins at once; others wait for more even then. */
  readonly isPrompt?: boolean
  /** At most about this many bytes to a batch. */
  readonly batchBytesMax?: number
  /** Takes whole frames in order; resolves when it is ready for the next. A rejection is logged and the same frames come again. */
  handle(frames: readonly Frame[]): Promise<void> | void
  /** Finishes what it has begun, as far as it can at once; then lets go. */
  stop(): Promise<void>
}

export interface FollowState {
  readonly name: string
  readonly read: Position
  readonly checkpoint: Position
  readonly lagBytes: number
  readonly failing: string | undefined
}

const BATCH_BYTES_MAX = 1024 * 1024
const RETRY_MS = 1000

export interface Follows {
  states(): FollowState[]
  /** The oldest position that a follower still needs. */
  needed(): Position
  /** Resolves when every follower has handled all that was durable at the call. */
  caughtUp(): Promise<void>
  stop(): Promise<void>
}

export function startFollowers(parts: {
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  readonly followers: readonly Follower[]
}): Follows {
  const { journal, clock, log } = parts
  const runs = parts.followers.map((follower) => startFollower(follower, journal, clock, log))
  journal.onDurable(() => {
    for (const run of runs) run.wake()
  })
  for (const run of runs) run.wake()
  return {
    states: () => runs.map((run) => run.state()),
    needed: () => Math.min(Infinity, ...runs.map((run) => run.state().checkpoint)),
    async caughtUp() {
      const until = journal.durable
      await Promise.all(runs.map((run) => run.reached(until)))
    },
    async stop() {
      await Promise.all(runs.map((run) => run.stop()))
    },
  }
}

interface Run {
  wake(): void
  state(): FollowState
  reached(position: Position): Promise<void>
  stop(): Promise<void>
}

function startFollower(follower: Follower, journal: Journal, clock: Clock, log: Log): Run {
  const batchBytesMax = follower.batchBytesMax ?? BATCH_BYTES_MAX
  let read = follower.checkpoint
  let endedAt = -Infinity
  let timer: Timer | undefined
  let reading: Promise<void> | undefined
  let stopped = false
  let failing: string | undefined
  const waiters: { readonly position: Position; readonly resolve: () => void }[] = []

  const wake = (): void => {
    if (stopped || timer !== undefined || reading !== undefined || read >= journal.durable) return
    const isBehind = journal.durable - read >= batchBytesMax
    const { pauseMs = 0, isPrompt = false } = follower
    timer = clock.after(isBehind ? 0 : isPrompt ? Math.max(0, endedAt + pauseMs - clock.monotonic()) : pauseMs, begin)
  }
  const begin = (): void => {
    timer = undefined
    reading = readOn().finally(() => {
      reading = undefined
      endedAt = clock.monotonic()
      settle()
      wake()
    })
  }
  /** All that was durable when it began, in batches: a pause comes after the last one. */
  const readOn = async (): Promise<void> => {
    try {
      for (const until = journal.durable; read < until && !stopped;) {
        const frames = await journal.read(read, batchBytesMax)
        const last = frames.at(-1)
        if (last === undefined) return
        await follower.handle(frames)
        journal.release(frames)
        read = last.end
        failing = undefined
        settle()
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (failing !== text) log.error('a follower failed and will try again', { follower: follower.name, error: text })
      failing = text
      await new Promise<void>((resolve) => void (timer = clock.after(RETRY_MS, resolve)))
      timer = undefined
    }
  }
  const settle = (): void => {
    for (let at = waiters.length - 1; at >= 0; at--) {
      const waiter = waiters[at]
      if (waiter !== undefined && read >= waiter.position) {
        waiters.splice(at, 1)
        waiter.resolve()
      }
    }
  }
  return {
    wake,
    state: () => ({
      name: follower.name,
      read,
      checkpoint: follower.checkpoint,
      lagBytes: Math.max(0, journal.durable - read),
      failing,
    }),
    reached: (position) => (read >= position ? Promise.resolve() : new Promise((resolve) => void waiters.push({ position, resolve }))),
    async stop() {
      stopped = true
      timer?.cancel()
      if (failing === undefined) await reading
      await follower.stop()
    },
  }
}
