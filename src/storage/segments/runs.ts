// Stretches of segment files that were read lately. Who asks for one message soon asks for its neighbours, which were written side by side:
// one read serves them all, those that are asked for while it is under way as well.
import { assert } from '../../base/assert.ts'
import type { Position } from '../journal.ts'
import type { Covering } from './decode.ts'

export interface Run {
  readonly from: Position
  readonly until: Position
  /** Rejects with what reading threw. */
  readonly read: Promise<void>
  readonly isRead: boolean
  /** Once it is read: the frame that holds the address, checked; undefined when it is not entirely in here. */
  covering(address: Position): Covering | undefined
}

export interface RunsOptions {
  readonly read: (from: Position, until: Position) => Promise<Buffer>
  readonly find: (bytes: Buffer, from: Position, address: Position) => Covering | undefined
}

const NONE: readonly Run[] = []
const RUNS_KEPT = 8
/** Who asks for what stands so far behind a run reads on. */
const NEAR_BYTES = 64 * 1024

export class Runs {
  readonly #options: RunsOptions
  readonly #runs: OpenRun[] = []

  constructor(options: RunsOptions) {
    this.#options = options
  }

  /** A run that holds these bytes and is none of `tried`, if there is one. */
  find(from: Position, until: Position, tried: readonly Run[] = NONE): Run | undefined {
    const at = this.#runs.findLastIndex((run) => run.from <= from && until <= run.until && !tried.includes(run))
    const run = this.#runs[at]
    if (run !== undefined && at < this.#runs.length - 1) this.#runs.push(...this.#runs.splice(at, 1))
    return run
  }

  /** Whether the bytes at `position` come behind a run: then more of them will be asked for. */
  isBehind(position: Position): boolean {
    return this.#runs.some(({ until }) => position >= until - NEAR_BYTES && position < until + NEAR_BYTES)
  }

  read(from: Position, until: Position): Run {
    const run = new OpenRun(from, until, this.#options, () => this.#drop(run))
    this.#runs.push(run)
    if (this.#runs.length > RUNS_KEPT) this.#runs.shift()
    return run
  }

  #drop(run: OpenRun): void {
    const at = this.#runs.indexOf(run)
    if (at >= 0) this.#runs.splice(at, 1)
  }
}

class OpenRun implements Run {
  readonly from: Position
  readonly until: Position
  readonly #find: RunsOptions['find']
  readonly read: Promise<void>
  #bytes: Buffer | undefined
  /** The frame that was asked for last: a batch's messages lie in one. */
  #last: Covering | undefined

  constructor(from: Position, until: Position, { read, find }: RunsOptions, failed: () => void) {
    this.from = from
    this.until = until
    this.#find = find
    this.read = read(from, until).then(
      (bytes) => {
        this.#bytes = bytes
      },
      (error: unknown) => {
        failed()
        throw error
      },
    )
  }

  get isRead(): boolean {
    return this.#bytes !== undefined
  }

  covering(address: Position): Covering | undefined {
    const bytes = this.#bytes
    assert(bytes !== undefined, 'a run that was read')
    const last = this.#last
    if (last !== undefined && address >= last.payloadPosition && address < last.payloadPosition + last.payload.length) return last
    const found = this.#find(bytes, this.from, address)
    if (found !== undefined) this.#last = found
    return found
  }
}
