// Power cuts, kills and failing calls at random moments over a simulated volume that tears, loses and reorders, again and again over the
// same journal. After each: what was acknowledged is there and unchanged, of what was not a first part or nothing, and nothing that was
// ever cut comes back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../base/clock.ts'
import { type Random, seededRandom } from '../../base/random.ts'
import { type Frame, JournalFailed, JournalFull, type Position } from '../journal.ts'
import { readAll } from '../journal.suite.ts'
import { type MemoryFiles, memoryFiles, PowerCut } from '../memory/files.ts'
import { type JournalOptions, openJournal, type SegmentedJournal } from './journal.ts'

const CRASH_POINTS = Number(process.env['SEALCAST_CRASH_POINTS'] ?? 10_000)
const FIRST_SEED = Number(process.env['SEALCAST_CRASH_SEED'] ?? 1)
const POINTS_PER_VOLUME = 40

type Seen = Record<'cuts' | 'failures' | 'kills' | 'torn' | 'kept' | 'lost' | 'frames' | 'trims' | 'recoveryCuts' | 'seals', number>

interface Written {
  readonly position: Position
  readonly end: Position
  readonly payload: Buffer
}

test(`nothing acknowledged is lost and nothing lost comes back, at ${CRASH_POINTS} crash points`, async () => {
  const seen: Seen = { cuts: 0, failures: 0, kills: 0, torn: 0, kept: 0, lost: 0, frames: 0, trims: 0, recoveryCuts: 0, seals: 0 }
  for (let seed = FIRST_SEED, points = 0; points < CRASH_POINTS; seed++, points += POINTS_PER_VOLUME) {
    try {
      await new World(seed, seen).run(Math.min(POINTS_PER_VOLUME, CRASH_POINTS - points))
    } catch (error) {
      throw new Error(`seed ${seed}: SEALCAST_CRASH_SEED=${seed} SEALCAST_CRASH_POINTS=${POINTS_PER_VOLUME} repeats it`, { cause: error })
    }
  }
  // The simulation is worth something only if all of this happened.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > CRASH_POINTS / 100, `${what}: ${count} times in ${CRASH_POINTS}`)
})

class World {
  readonly #random: Random
  readonly #files: MemoryFiles = memoryFiles({ simulate: true })
  #clock = new SimulatedClock(0)
  readonly #seen: Seen
  #turns: (() => void)[] = []
  /** In order: what must be there, and behind it what may be. */
  #acknowledged: Written[] = []
  #staged: Written[] = []
  #trimmedTo = 0
  #number = 0

  constructor(seed: number, seen: Seen) {
    this.#random = seededRandom(seed)
    this.#seen = seen
    this.#files.makeFolder('/data')
  }

  async run(points: number): Promise<void> {
    let journal = await this.#open()
    for (let point = 0; point < points; point++) {
      const failsAt = this.#random.below(4) === 0 ? this.#files.calls + 1 + this.#random.below(30) : Infinity
      const cutAt = this.#files.calls + 1 + this.#random.below(30)
      let cut = false
      this.#files.fault = ({ number }) => {
        if (number >= cutAt) {
          cut = true
          return 'cut'
        }
        if (number === failsAt) {
          this.#seen.failures++
          return this.#random.below(2) === 0 ? 'EIO' : 'ENOSPC'
        }
        return this.#random.below(20) === 0 ? 'short' : undefined
      }
      for (let step = 0; !cut && step < 200; step++) this.#act(journal)
      if (cut) this.#seen.cuts++
      // Callbacks that the cut left behind must not acknowledge anything.
      this.#turns = []
      journal = await this.#recover()
      await this.#check(journal)
    }
    this.#files.fault = undefined
    const closing = journal.close()
    while (this.#turns.length > 0) {
      this.#turn()
      await Promise.resolve()
    }
    await closing
    await this.#check(await this.#open())
  }

  #act(journal: SegmentedJournal): void {
    switch (this.#random.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#append(journal)
      case 5:
        return void (this.#random.below(8) === 0 && this.#trim(journal))
      case 6:
        if (this.#random.below(4) === 0) this.#clock.advance(100)
        return
      default:
        return this.#turn()
    }
  }

  #append(journal: SegmentedJournal): void {
    const bytes = this.#random.below(10) === 0 ? this.#random.below(1900) : this.#random.below(300)
    const payload = Buffer.alloc(bytes, `${this.#number++} of ${this.#files.calls} `)
    let written: Written | undefined
    try {
      const position = journal.append(payload, 1, (failure) => {
        if (failure !== undefined) return assert.ok(failure instanceof JournalFailed)
        assert.equal(this.#staged.shift(), written, 'settled in order')
        if (written !== undefined) this.#acknowledged.push(written)
      })
      written = { position, end: journal.tail, payload }
      this.#staged.push(written)
      this.#seen.frames++
    } catch (error) {
      if (!(error instanceof JournalFull || error instanceof JournalFailed)) throw error
    }
  }

  #trim(journal: SegmentedJournal): void {
    const index = this.#acknowledged.length - 1 - this.#random.below(40)
    const before = this.#random.below(8) === 0 ? journal.durable : this.#acknowledged[index]?.position
    if (before === undefined) return
    const start = journal.start
    journal.trim(before)
    assert.ok(journal.start <= Math.max(start, before))
    this.#trimmedTo = Math.max(this.#trimmedTo, journal.start)
    if (journal.start > start) this.#seen.trims++
  }

  #turn(): void {
    this.#turns.shift()?.()
  }

  async #recover(): Promise<SegmentedJournal> {
    for (;;) {
      if (this.#random.below(4) === 0) {
        this.#files.restart()
        this.#seen.kills++
      } else {
        this.#files.crash(this.#random)
      }
      const cutAt = this.#random.below(5) === 0 ? this.#files.calls + 1 + this.#random.below(3) : Infinity
      this.#files.fault = ({ number }) => (number >= cutAt ? 'cut' : undefined)
      try {
        return await this.#open()
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error
        this.#seen.recoveryCuts++
        this.#turns = []
      }
    }
  }

  async #check(journal: SegmentedJournal): Promise<void> {
    assert.ok(journal.start <= this.#trimmedTo, `kept from ${journal.start} on, trimmed only to ${this.#trimmedTo}`)
    const found = await this.#readAll(journal)
    const expected = [...this.#acknowledged.filter(({ position }) => position >= journal.start), ...this.#staged]
    const acknowledged = expected.length - this.#staged.length
    assert.ok(found.length >= acknowledged, `${found.length} frames of ${acknowledged} acknowledged`)
    let end = found[0]?.position ?? 0
    for (const [index, frame] of found.entries()) {
      const wanted = expected[index]
      assert.ok(wanted, `a frame at ${frame.position} that was never written there`)
      assert.equal(frame.position, wanted.position)
      assert.ok(frame.payload.equals(wanted.payload), `the payload at ${frame.position}`)
      assert.ok(frame.position >= end)
      if (frame.position > end) this.#seen.seals++
      end = frame.end
    }
    const kept = found.length - acknowledged
    if (kept > 0) this.#seen.kept++
    if (kept > 0 && kept < this.#staged.length) this.#seen.torn++
    if (kept < this.#staged.length) this.#seen.lost++
    // Whoever reads it believes it from now on.
    this.#acknowledged.push(...this.#staged.slice(0, kept))
    this.#staged = []
    if (this.#acknowledged.length > 500) this.#acknowledged = this.#acknowledged.filter(({ position }) => position >= this.#trimmedTo)
  }

  /** What a crash brought back of trimmed segments is no business of ours. */
  #readAll(journal: SegmentedJournal): Promise<Frame[]> {
    return readAll(journal, Math.max(journal.start, this.#acknowledged[0]?.position ?? 0))
  }

  #open(): Promise<SegmentedJournal> {
    // A process that died has no timers left.
    this.#clock = new SimulatedClock(0)
    const known = this.#acknowledged.filter(({ position }) => position >= this.#trimmedTo)
    const one = known[known.length - 1 - this.#random.below(Math.min(known.length, 10))]
    const checkedFrom = [undefined, one?.position, one?.end][this.#random.below(3)]
    const options: JournalOptions = {
      files: this.#files,
      folder: '/data/journal',
      random: this.#random,
      clock: this.#clock,
      writer: 'inline',
      segmentBytes: 6 * 1024,
      slabBytes: 4 * 1024,
      ringBytes: 4 * 1024,
      aheadBytes: this.#random.below(2) * 2048,
      schedule: (run) => void this.#turns.push(run),
      ...(checkedFrom === undefined ? {} : { checkedFrom }),
    }
    return openJournal(options)
  }
}
