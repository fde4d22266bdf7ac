// The trail follower: every interval a round decides the log files of what trails have selected since the last one, and delivery writes
// them. Trails are served by the journal alone, in its order and at least once; no call waits for them.
import type { Timer } from '../../base/clock.ts'
import type { Env } from '../../engine/env.ts'
import type { Follower } from '../../engine/follow.ts'
import type { Frame, Position } from '../../storage/journal.ts'
import { createDigestKeys } from '../../engine/digest-keys.ts'
import { Deliveries } from './delivery.ts'
import { Digests } from './digests.ts'
import { Rounds } from './rounds.ts'

export interface TrailFollowerOptions {
  readonly env: Env
  /** Between two log files of a trail and region. */
  readonly deliveryIntervalSeconds: number
  /** After so many days a key that signs digests gets a successor. */
  readonly digestKeyDays?: number
  /** Finished files that wait for their bucket; beyond, the oldest are given up. */
  readonly spoolBytesMax?: number
  /** Records of one log file, uncompressed; beyond, the next file begins before its time. */
  readonly fileBytesMax?: number
}

/** A step of reading; small, because its records are parsed in one go. */
const BATCH_BYTES = 512 * 1024

export class TrailFollower implements Follower {
  readonly name = 'trail'
  readonly pauseMs = 20
  readonly batchBytesMax = BATCH_BYTES
  readonly #env: Env
  readonly #intervalMs: number
  readonly #rounds: Rounds
  readonly #deliveries: Deliveries
  readonly #digests: Digests
  #checkpoint: Position
  #timer: Timer | undefined
  #closing: Promise<void> | undefined
  #isStopped = false

  constructor({ env, deliveryIntervalSeconds, digestKeyDays = 30, spoolBytesMax, fileBytesMax }: TrailFollowerOptions) {
    this.#env = env
    this.#intervalMs = deliveryIntervalSeconds * 1000
    this.#rounds = new Rounds(env, fileBytesMax)
    this.#digests = new Digests(env, createDigestKeys(env, digestKeyDays))
    this.#deliveries = new Deliveries(env, {
      ...(spoolBytesMax !== undefined && { spoolBytesMax }),
      onEnded: () => this.#digests.look(),
    })
    this.#checkpoint = this.#rounds.from
    this.#deliveries.start()
    this.#digests.look()
    this.#schedule()
  }

  get checkpoint(): Position {
    return Math.min(this.#checkpoint, this.#deliveries.needed)
  }

  /** For health and metrics: files that are planned and not yet in their bucket. */
  get undelivered(): { readonly files: number; readonly oldestPlannedAt: number | undefined } {
    return this.#deliveries.undelivered
  }

  async handle(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) if (this.#rounds.add(frame)) await this.#closeRound()
    await this.#rounds.flush()
  }

  /** Resolves when the round and the deliveries that are under way have come to an end. */
  async settled(): Promise<void> {
    await this.#closing
    await this.#deliveries.settled()
    await this.#digests.settled()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#closing
    this.#rounds.stop()
    await this.#deliveries.stop()
    await this.#digests.stop()
  }

  /** Rounds fall on multiples of the interval, as CloudTrail's files do on multiples of five minutes. */
  #schedule(): void {
    if (this.#isStopped) return
    this.#timer = this.#env.clock.after(this.#intervalMs - (this.#env.clock.now() % this.#intervalMs), () => {
      this.#schedule()
      this.#closeRound().catch((error: unknown) => {
        this.#env.log.warn('a round of log files could not be decided and is tried again', {
          error: error instanceof Error ? error.message : String(error),
        })
      })
    })
  }

  async #closeRound(): Promise<void> {
    const round = this.#rounds.close()
    if (round === undefined) return
    const to = this.#rounds.from
    const closing = round.done.then(() => {
      this.#checkpoint = Math.max(this.#checkpoint, to)
      this.#deliveries.add(round.plans)
      this.#digests.look()
    })
    this.#closing = closing.catch(() => {})
    await closing
  }
}
