// The time of a development server: moved ahead step by step, so that what falls due on the way happens on the way and not all at the end.
import type { AdjustableClock } from '../base/adjustable-clock.ts'
import type { Clock } from '../base/clock.ts'
import type { Env } from '../engine/env.ts'

export interface MovedTime {
  /** Milliseconds since 1970. */
  now(): number
  /** By how many seconds it is ahead of the machine's. */
  aheadSeconds(): number
  /** Resolves when it is that much later, and what fell due on the way was done or has hung for long. One move at a time. */
  move(milliseconds: number): Promise<void>
}

export interface MovedHouse {
  readonly env: Pick<Env, 'commits'>
  /** Deliveries that are being attempted. */
  readonly underWay: () => number
}

/** A move is made of about so many steps at most; none is shorter than a second. */
const STEPS = 1000
const STEP_MS_MIN = 1000
/** Of the machine's time, for what a step began. */
const PATIENCE_MS = 250
/** All steps of a move together; behind it nothing is waited for. */
const WHOLE_PATIENCE_MS = 20_000
const LOOK_MS = 2
const TURNS = 4

export function createMovedTime(clock: AdjustableClock, machine: Clock, house: () => MovedHouse): MovedTime {
  let last: Promise<void> = Promise.resolve()

  async function move(milliseconds: number): Promise<void> {
    const end = clock.ahead + milliseconds
    const stepMs = Math.max(STEP_MS_MIN, milliseconds / STEPS)
    const patienceEnds = machine.monotonic() + WHOLE_PATIENCE_MS
    await settled(patienceEnds)
    for (;;) {
      const left = end - clock.ahead
      if (left <= 0) return
      // Where nothing is due there is nothing to stop for.
      clock.advance(Math.min(left, Math.max(stepMs, clock.untilNext() ?? left)))
      await settled(patienceEnds)
    }
  }

  async function settled(patienceEnds: number): Promise<void> {
    const until = Math.min(patienceEnds, machine.monotonic() + PATIENCE_MS)
    const { env, underWay } = house()
    do {
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (underWay() > 0) await new Promise<void>((resolve) => void machine.after(LOOK_MS, resolve))
    } while (underWay() > 0 && machine.monotonic() < until)
    // A failed commit is told elsewhere.
    await env.commits.settled().catch(() => {})
  }

  return {
    now: () => clock.now(),
    aheadSeconds: () => Math.round(clock.ahead / 1000),
    move(milliseconds) {
      const moved = last.then(() => move(milliseconds))
      last = moved.catch(() => {})
      return moved
    },
  }
}
