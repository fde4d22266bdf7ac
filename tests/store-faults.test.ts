// The composed store under faults: the journal over a simulated volume that tears, loses and fails, and everything on a real disk, copied
// at random moments as a crash would leave it. After each recovery through openStore the records and queues are those of all that was
// acknowledged, and of a first part of what was not. Lost and aged parts are rebuilt or refused by name.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { SimulatedClock } from '../src/base/clock.ts'
import { type Random, seededRandom } from '../src/base/random.ts'
import { Table } from '../src/model/tables.ts'
import { sts } from '../src/services/sts/index.ts'
import { type Journal, JournalDamaged } from '../src/storage/journal.ts'
import { type MemoryFiles, memoryFiles } from '../src/storage/memory/files.ts'
import { memoryRecords } from '../src/storage/memory/records.ts'
import { memoryQueueStore } from '../src/storage/queues/memory-store.ts'
import { openQueues } from '../src/storage/queues/queues.ts'
import type { QueueStore } from '../src/storage/queues/store.ts'
import type { Records } from '../src/storage/records.ts'
import { openJournal } from '../src/storage/segments/journal.ts'
import { openStore, type Store, StoreRefused } from '../src/storage/store.ts'
import { createHarness } from './harness.ts'
import { startTestServer, temporaryFolder } from './server.ts'
import { makeFolder, openFolder } from './storage-folder.ts'
import { History } from './store-history.ts'

const CRASH_POINTS = Number(process.env['SEALCAST_STORE_CRASH_POINTS'] ?? 3000)
const COPIES = Number(process.env['SEALCAST_STORE_COPIES'] ?? 300)
const FIRST_SEED = Number(process.env['SEALCAST_CRASH_SEED'] ?? 1)
const POINTS_PER_VOLUME = 20

const root = temporaryFolder()
after(() => root.remove())

test(`records and queues are those of what was acknowledged, at ${CRASH_POINTS} crash points`, async () => {
  const seen = { cuts: 0, failures: 0, refusals: 0, kept: 0, lost: 0, trims: 0, replays: 0, freshRecords: 0, kills: 0 }
  for (let seed = FIRST_SEED, points = 0; points < CRASH_POINTS; seed++, points += POINTS_PER_VOLUME) {
    try {
      await new Volume(seededRandom(seed), seen).run(POINTS_PER_VOLUME)
    } catch (error) {
      throw new Error(`seed ${seed}: SEALCAST_CRASH_SEED=${seed} SEALCAST_STORE_CRASH_POINTS=${POINTS_PER_VOLUME} repeats it`, {
        cause: error,
      })
    }
  }
  // The simulation is worth something only if all of this happened.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > CRASH_POINTS / 200, `${what}: ${count} times in ${CRASH_POINTS}`)
})

type Seen = Record<'cuts' | 'failures' | 'refusals' | 'kept' | 'lost' | 'trims' | 'replays' | 'freshRecords' | 'kills', number>

/** A simulated volume for the journal; records and checkpoints of queues survive as they are, each write of theirs whole. */
class Volume {
  readonly #random: Random
  readonly #seen: Seen
  readonly #files: MemoryFiles = memoryFiles({ simulate: true })
  readonly #history: History
  #records: Records = memoryRecords()
  readonly #queueStore = memoryQueueStore()
  #turns: (() => void)[] = []
  #life = 0

  constructor(random: Random, seen: Seen) {
    this.#random = random
    this.#seen = seen
    this.#history = new History(random)
    this.#files.makeFolder('/data')
  }

  async run(points: number): Promise<void> {
    let store = await this.#open()
    for (let point = 0; point < points; point++) {
      const cutAt = this.#files.calls + 1 + this.#random.below(20)
      const failsAt = this.#random.below(4) === 0 ? this.#files.calls + 1 + this.#random.below(20) : Infinity
      let cut = false
      this.#files.fault = ({ number }) => {
        if (number >= cutAt) {
          cut = true
          return 'cut'
        }
        if (number !== failsAt) return undefined
        this.#seen.failures++
        return this.#random.below(2) === 0 ? 'EIO' : 'ENOSPC'
      }
      for (let step = 0; !cut && step < 60; step++) await this.#act(store)
      if (cut) this.#seen.cuts++
      store = await this.#recover()
      const { kept, lost } = await this.#drive(this.#history.resume(store))
      if (kept > 0) this.#seen.kept++
      if (lost > 0) this.#seen.lost++
      if (store.recovered.frames > 0) this.#seen.replays++
    }
  }

  async #act(store: Store): Promise<void> {
    const choice = this.#random.below(12)
    if (choice < 5 && !this.#history.commit(store)) this.#seen.refusals++
    if (choice >= 5 && choice < 11) this.#turns.shift()?.()
    if (choice !== 11 || this.#random.below(3) > 0) return
    const start = store.journal.start
    await this.#drive(store.tidy(store.journal.durable).catch(() => {}))
    if (store.journal.start > start) this.#seen.trims++
  }

  /** The process is dead: nothing of it may go on to write. */
  async #recover(): Promise<Store> {
    this.#life++
    this.#turns = []
    this.#files.fault = undefined
    if (this.#random.below(4) === 0) {
      this.#files.restart()
      this.#seen.kills++
    } else {
      this.#files.crash(this.#random)
    }
    return this.#open()
  }

  /** Lets turns pass while something is awaited. */
  async #drive<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = promise.finally(() => (isDone = true))
    done.catch(() => {})
    while (!isDone) {
      this.#turns.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return done
  }

  async #open(): Promise<Store> {
    const life = this.#life
    const journal = await openJournal({
      files: this.#files,
      folder: '/data/journal',
      random: this.#random,
      clock: new SimulatedClock(0),
      writer: 'inline',
      segmentBytes: 6 * 1024,
      slabBytes: 4 * 1024,
      ringBytes: 4 * 1024,
      schedule: (run) => void this.#turns.push(() => life === this.#life && run()),
      ...(this.#records.flushed > 0 && { checkedFrom: this.#records.flushed }),
    })
    // Records that the journal can still rebuild from its very beginning.
    if (journal.start === 0 && this.#random.below(8) === 0) {
      this.#records = memoryRecords()
      this.#seen.freshRecords++
    }
    const queues = await openQueues({ journal, store: mortal(this.#queueStore, () => life === this.#life) })
    return this.#drive(openStore({ journal, records: this.#records, queues }))
  }
}

function mortal(store: QueueStore, isAlive: () => boolean): QueueStore {
  const guard = (bytes: QueueStore['index']): QueueStore['index'] => ({
    ...bytes,
    write: (changes) => (isAlive() ? bytes.write(changes) : new Promise(() => {})),
  })
  return { ...store, index: guard(store.index), bodies: guard(store.bodies) }
}

test(`${COPIES} copies of a data directory, taken at random moments, all open to what was acknowledged`, async () => {
  const random = seededRandom(FIRST_SEED)
  const history = new History(random)
  const folder = join(root.path, 'copied')
  const copy = join(root.path, 'copy')
  let open = await openFolder(folder)
  const seen = { trims: 0, replays: 0, copiedBodies: 0 }
  for (let taken = 0; taken < COPIES; taken++) {
    for (let commits = random.below(12); commits > 0; commits--) {
      history.commit(open.store)
      if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const start = open.store.journal.start
    const tidying = random.below(4) === 0 ? open.store.tidy(open.store.journal.durable) : undefined
    for (let turns = random.below(12); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    const moment = history.now()
    copyFolder(folder, copy)
    const reopened = await openFolder(copy)
    await history.check(reopened.store, moment)
    if (reopened.store.recovered.frames > 0) seen.replays++
    if (reopened.store.queues.bytes().coldBodies > 12_288) seen.copiedBodies++
    await reopened.close()
    rmSync(copy, { recursive: true })
    await tidying
    if (open.store.journal.start > start) seen.trims++
    if (random.below(20) > 0) continue
    await open.close()
    open = await openFolder(folder)
    await history.resume(open.store)
  }
  await open.close()
  for (const [what, count] of Object.entries(seen)) assert.ok(count > COPIES / 50, `${what}: ${count} times`)
})

/** As a crash would leave it: files that lmdb's own thread is writing are copied until they stood still. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  for (const name of ['records', 'queues/index', 'queues/bodies']) {
    const file = join(name, 'data.mdb')
    for (let before = readFileSync(join(to, file)), now = readFileSync(join(from, file)); !before.equals(now);) {
      writeFileSync(join(to, file), now)
      before = now
      now = readFileSync(join(from, file))
    }
  }
}

suite('a part that was lost or is older than the others', () => {
  test('is rebuilt where the journal reaches back to it', async () => {
    const folder = join(root.path, 'young')
    const history = new History(seededRandom(3))
    const early = join(root.path, 'young-early')
    let open = await openFolder(folder)
    for (let commits = 0; commits < 10; commits++) history.commit(open.store)
    await open.close()
    cpSync(folder, early, { recursive: true })
    open = await openFolder(folder)
    await history.resume(open.store)
    for (let commits = 0; commits < 15; commits++) history.commit(open.store)
    await open.close()
    const strikes: ((part: string) => void)[] = [
      (part) => rmSync(join(folder, part), { recursive: true }),
      (part) => {
        rmSync(join(folder, part), { recursive: true })
        cpSync(join(early, part), join(folder, part), { recursive: true })
      },
    ]
    for (const strike of strikes) {
      for (const part of ['records', 'queues', 'queues/index', 'queues/bodies']) {
        strike(part)
        const rebuilt = await openFolder(folder)
        await history.resume(rebuilt.store)
        await rebuilt.close()
      }
    }
  })

  test('is refused by name where the journal was trimmed, and nothing is served with a hole', async () => {
    const early = join(root.path, 'early')
    const late = join(root.path, 'late')
    const folder = join(root.path, 'aged')
    const young = await openFolder(early)
    await young.commit((frame) => frame.put(Table.meta, 'early', '1'))
    await young.close()
    await makeFolder(late)
    const refused = async (strike: () => void, named: RegExp, kind: new (message: string) => Error): Promise<void> => {
      cpSync(late, folder, { recursive: true })
      strike()
      await assert.rejects(
        openFolder(folder),
        (error: Error) => {
          assert.match(error.message, named)
          assert.ok(error instanceof kind, error.name)
          return true
        },
        String(named),
      )
      rmSync(folder, { recursive: true })
    }
    for (const [part, named, kind] of [
      ['records', /the journal starts at position \d+, but the records had only reached \d+/, StoreRefused],
      ['queues/index', /the journal starts at position \d+, but the queue index had only reached \d+/, StoreRefused],
      ['queues/bodies', /the journal starts at position \d+, but bodies of messages had only been copied up to 0/, StoreRefused],
      ['journal', /the journal ends at position \d+, but \d+ had been reached/, JournalDamaged],
    ] as const) {
      await refused(() => rmSync(join(folder, part), { recursive: true }), named, kind)
      await refused(
        () => {
          rmSync(join(folder, part), { recursive: true })
          cpSync(join(early, part), join(folder, part), { recursive: true })
        },
        named,
        kind,
      )
    }
  })

  test('and a file of a native library that was cut, emptied or struck is named by the server, which never dies of it', async () => {
    const whole = join(root.path, 'native')
    await makeFolder(whole)
    const folder = join(root.path, 'struck')
    const lmdb = ['records/data.mdb', 'queues/index/data.mdb', 'queues/bodies/data.mdb']
    const strikes: readonly (readonly [file: string, strike: (path: string) => void, named: RegExp])[] = [
      ...lmdb.map((file) => [file, (path: string) => truncateSync(path, 8192 + 100), new RegExp(`${file} is damaged: page \\d+`)] as const),
      ...lmdb.map((file) => [file, (path: string) => overwrite(path, 2 * 4096), /is damaged: page \d+|fails its checksum/] as const),
      ['records/data.mdb', (path) => truncateSync(path, 0), /but the records had only reached 0/],
      ['lake/parquet/imported-0-0.parquet', (path) => rmSync(path), /imported-0-0.parquet is missing/],
      ['lake/parquet/imported-0-0.parquet', (path) => truncateSync(path, 50), /imported-0-0.parquet has 50 bytes/],
      ['lake', (path) => rmSync(path, { recursive: true }), /the lake ends at position 0, but the journal starts at/],
      ['root.key', (path) => rmSync(path), /no root key is at hand/],
    ]
    for (const [file, strike, named] of strikes) {
      cpSync(whole, folder, { recursive: true })
      strike(join(folder, file))
      await assert.rejects(
        startTestServer({ data: folder }).then((server) => server.stop()),
        (error: Error) => {
          assert.match(error.message, named)
          assert.match(error.message, /ended with code 1/)
          return true
        },
        file,
      )
      rmSync(folder, { recursive: true })
    }
    // Locks of lmdb hold nothing.
    cpSync(whole, folder, { recursive: true })
    for (const file of lmdb) rmSync(join(folder, file.replace('data.mdb', 'lock.mdb')))
    const server = await startTestServer({ data: folder })
    assert.equal(await server.stop(), 0)
  })
})

/** Everything from there on, so that no good page is left. */
function overwrite(path: string, from: number): void {
  const bytes = readFileSync(path)
  bytes.fill(0xa5, from)
  writeFileSync(path, bytes)
}

suite('a write that fails', () => {
  for (const code of ['ENOSPC', 'EIO'] as const) {
    test(`${code} at each call: nothing is acknowledged that is not there after a restart, and nothing more is accepted`, async () => {
      for (let at = 1; at <= 40; at++) {
        const files = memoryFiles({ simulate: true })
        files.makeFolder('/data')
        const records = memoryRecords()
        const queueStore = memoryQueueStore()
        const history = new History(seededRandom(at))
        const open = async (): Promise<Store> => {
          const journal: Journal = await openJournal({
            files,
            folder: '/data/journal',
            random: seededRandom(1),
            clock: new SimulatedClock(0),
            writer: 'inline',
            segmentBytes: 6 * 1024,
            slabBytes: 4 * 1024,
            ringBytes: 4 * 1024,
          })
          return openStore({ journal, records, queues: await openQueues({ journal, store: queueStore }) })
        }
        const store = await open()
        const failsAt = files.calls + at
        files.fault = ({ number }) => (number === failsAt ? code : undefined)
        let failed = false
        store.journal.onFailure(() => (failed = true))
        for (let commits = 0; commits < 60 && !failed; commits++) {
          history.commit(store)
          await new Promise((resolve) => setImmediate(resolve))
        }
        if (failed) assert.equal(history.commit(store), false, 'refused from now on')
        files.fault = undefined
        files.restart()
        await history.resume(await open())
      }
    })
  }

  test('turns the server read-only: calls get 503 and none is answered as if it had been done', async () => {
    const files = memoryFiles({ simulate: true })
    const harness = await createHarness(() => ({ sts }), { files })
    const call = () => harness.call('sts', 'GetCallerIdentity')
    await call()
    files.fault = ({ name }) => (name === 'write' ? 'ENOSPC' : undefined)
    const is503 = (error: { status?: number }): boolean => error.status === 503
    await assert.rejects(call(), is503)
    files.fault = undefined
    await assert.rejects(call(), is503)
    assert.equal((await harness.events()).length, 1, 'the one that was answered')
  })
})
