// What the queues owe on every backend: random histories, with restarts at any moment, against a plain model; and by hand what a history seldom meets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { JournalTrimmed, type Position } from './journal.ts'
import { MessageGone, type QueueEntry, type Queues } from './queues.ts'
import { openQueues } from './queues/queues.ts'
import type { QueueStore } from './queues/store.ts'

export interface QueuesWorld {
  /** A new handle on the same data; the one before is closed. */
  readonly openStore: () => QueueStore
  readonly remove: () => void
}

/** Frames as a journal keeps them: their entries to replay, and bodies by position. */
export class FakeJournal {
  start: Position = 0
  tail: Position = 0
  #frames: { position: Position; end: Position; entries: QueueEntry[]; payload: Buffer }[] = []
  #reads = 0

  append(entries: QueueEntry[], payload: Buffer): { position: Position; end: Position } {
    const frame = { position: this.tail + 40, end: this.tail + 40 + payload.length, entries, payload }
    this.#frames.push(frame)
    this.tail = frame.end
    return frame
  }

  /** By turns from memory and as from disk. */
  readBytes(position: Position, length: number): Buffer | Promise<Buffer> {
    const read = (): Buffer => {
      const frame = this.#frames.find((each) => each.position <= position && position + length <= each.end)
      if (frame === undefined || position < this.start) throw new JournalTrimmed(`position ${position} is trimmed`)
      return frame.payload.subarray(position - frame.position, position - frame.position + length)
    }
    return this.#reads++ % 2 === 0 ? read() : turn().then(read)
  }

  trim(before: Position): void {
    this.start = before
    this.#frames = this.#frames.filter(({ end }) => end > before)
  }

  /** Frames in groups of up to three, as a flush would make them. */
  replay(queues: Queues, from: Position): void {
    for (const [at, { position, end, entries }] of this.#frames.filter((frame) => frame.end > from).entries()) {
      for (const entry of entries) queues.apply(entry, position)
      if (at % 3 === 2) queues.applied(end)
    }
    queues.applied(this.tail)
  }
}

/** Commits entries: appends, applies at once. Bodies are `QUEUE:SEQUENCE`. */
export class Committer {
  readonly journal: FakeJournal
  queues: Queues

  constructor(journal: FakeJournal, queues: Queues) {
    this.journal = journal
    this.queues = queues
  }

  send(queue: number, now: number, { count = 1, delay = 0, route = 0 }: { count?: number; delay?: number; route?: number } = {}): number[] {
    const bodies: Buffer[] = [Buffer.from('frame head')]
    const entries: QueueEntry[] = []
    let messageOffset = 10
    for (let sent = 0; sent < count; sent++) {
      const sequence = this.queues.nextSequence(queue)
      const body = Buffer.from(`${queue}:${sequence}`)
      entries.push({ kind: 'enqueue', queue, sequence, visibleAt: now + delay, sentAt: now, messageOffset, messageLength: body.length, route })
      bodies.push(body)
      messageOffset += body.length
    }
    this.commit(entries, Buffer.concat(bodies))
    return entries.map((entry) => ('sequence' in entry ? entry.sequence : 0))
  }

  commit(entries: QueueEntry[], payload: Buffer = Buffer.from('frame without bodies')): void {
    const { position, end } = this.journal.append(entries, payload)
    for (const entry of entries) this.queues.apply(entry, position)
    this.queues.applied(end)
  }

  hide(queue: number, sequence: number, visibleAt: number, receives: number, firstReceivedAt: number): void {
    this.commit([{ kind: 'hide', queue, sequence, visibleAt, receives, firstReceivedAt }])
  }

  /** Receives as a service does: takes, and commits that what was taken is hidden. */
  receive(queue: number, max: number, now: number, timeout: number): number[] {
    const taken = this.queues.take(queue, max, now)
    for (const { sequence, receives, firstReceivedAt } of taken) this.hide(queue, sequence, now + timeout, receives + 1, firstReceivedAt || now)
    return taken.map(({ sequence }) => sequence)
  }

  remove(queue: number, sequences: readonly number[]): void {
    this.commit(sequences.map((sequence) => ({ kind: 'remove', queue, sequence })))
  }
}

export function queuesSuite(backend: string, world: () => QueuesWorld, histories: number): void {
  test(`${backend}: ${histories} random histories with checkpoints, failures, releases and restarts agree with a plain model`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const { openStore, remove } = world()
        const history = await History.begin(openStore)
        try {
          for (const each of commands) await history.run(each)
          await history.run({ kind: 'restart' })
          await history.checkBodies()
        } finally {
          await history.close()
          remove()
        }
      }),
      { numRuns: histories },
    )
  })

  const withQueues = async (use: (committer: Committer, reopen: () => Promise<void>, store: () => QueueStore) => Promise<void>): Promise<void> => {
    const { openStore, remove } = world()
    const journal = new FakeJournal()
    let store = openStore()
    const committer = new Committer(journal, await openQueues({ journal, store }))
    const reopen = async (): Promise<void> => {
      await committer.queues.close()
      store = openStore()
      committer.queues = await openQueues({ journal, store })
      journal.replay(committer.queues, committer.queues.checkpointed)
    }
    try {
      await use(committer, reopen, () => store)
    } finally {
      await committer.queues.close()
      remove()
    }
  }

  test(`${backend}: messages are taken in the order they were sent, across chunks`, () =>
    withQueues(async (committer) => {
      const sent = committer.send(1, 1000, { count: 20_000 })
      const taken: number[] = []
      for (let part = committer.queues.take(1, 10, 1000); part.length > 0; part = committer.queues.take(1, 10, 1000)) {
        taken.push(...part.map(({ sequence }) => sequence))
      }
      assert.deepEqual(taken, sent)
    }))

  test(`${backend}: what came back is taken again first, but never starves what is new`, () =>
    withQueues(async (committer) => {
      const [first, second, third] = committer.send(1, 1000, { count: 3 })
      committer.receive(1, 1, 1000, 30)
      assert.deepEqual(committer.queues.take(1, 10, 1030).map(({ sequence }) => sequence), [first, second, third])
      const poison = committer.send(2, 1000, { count: 10 })
      const fresh = committer.send(2, 1000, { count: 40 })
      const seen = new Set(committer.receive(2, 10, 1000, 0))
      for (let round = 0; round < 12; round++) {
        for (const sequence of committer.receive(2, 10, 1001 + round, 0)) seen.add(sequence)
      }
      assert.deepEqual([...seen].sort((a, b) => a - b), [...poison, ...fresh])
    }))

  test(`${backend}: sequences never repeat, not after a restart from a checkpoint nor after a purge`, () =>
    withQueues(async (committer, reopen) => {
      const given = new Set<number>()
      for (let round = 0; round < 4; round++) {
        for (const sequence of committer.send(1, 1000, { count: 5 })) {
          assert.ok(!given.has(sequence))
          given.add(sequence)
        }
        if (round === 1) committer.commit([{ kind: 'drop', queue: 1, before: committer.queues.nextSequence(1) }])
        await committer.queues.checkpoint()
        if (round === 2) committer.remove(1, [...given])
        await reopen()
      }
    }))

  test(`${backend}: a waiter wakes once, on a later turn, and only as many wake as there are messages`, () =>
    withQueues(async (committer) => {
      const woken: string[] = []
      const { queues } = committer
      for (const name of ['a', 'b', 'c']) {
        queues.onceAvailable(1, 1000, () => {
          woken.push(name)
          committer.receive(1, 1, 1000, 30)
        })
      }
      const stop = queues.onceAvailable(1, 1000, () => woken.push('stopped'))
      stop()
      committer.send(1, 1000)
      assert.deepEqual(woken, [])
      await turns()
      assert.deepEqual(woken, ['a'])
      queues.expire(1029)
      await turns()
      assert.deepEqual(woken, ['a'])
      assert.equal(queues.nextVisibleAt(), 1030)
      queues.expire(1030)
      await turns()
      assert.deepEqual(woken, ['a', 'b'])
      committer.commit([{ kind: 'drop', queue: 1, before: Infinity }])
      await turns()
      assert.deepEqual(woken, ['a', 'b', 'c'])
    }))

  test(`${backend}: a message that a woken waiter leaves wakes the next; one that waits already wakes at once`, () =>
    withQueues(async (committer) => {
      const woken: string[] = []
      committer.queues.onceAvailable(1, 1000, () => woken.push('left it'))
      committer.queues.onceAvailable(1, 1000, () => woken.push('took it'))
      committer.send(1, 1000)
      await turns()
      assert.deepEqual(woken, ['left it', 'took it'])
      committer.queues.onceAvailable(1, 1000, () => woken.push('was there'))
      await turns()
      assert.deepEqual(woken, ['left it', 'took it', 'was there'])
    }))

  test(`${backend}: age and expiry look at the sent time, hidden messages included`, () =>
    withQueues(async (committer) => {
      assert.equal(committer.queues.oldest(1), undefined)
      const [first] = committer.send(1, 1000, { delay: 500 })
      const [second, third] = [...committer.send(1, 2000), ...committer.send(1, 3000)]
      assert.equal(committer.queues.oldest(1), 1000)
      assert.equal(committer.queues.firstSentAt(1, 1500), second)
      committer.commit([{ kind: 'drop', queue: 1, before: committer.queues.firstSentAt(1, 2500) }])
      assert.equal(committer.queues.oldest(1), 3000)
      assert.equal(committer.queues.find(1, first ?? 0), undefined)
      committer.remove(1, [third ?? 0])
      assert.equal(committer.queues.oldest(1), undefined)
      assert.equal(committer.queues.nextVisibleAt(), undefined)
    }))

  test(`${backend}: released bodies are read from their copies, and copies go with their messages`, () =>
    withQueues(async (committer, reopen, store) => {
      const { journal } = committer
      const survivors: number[] = []
      for (let at = 0; at < 40; at++) {
        const sent = committer.send(1, 1000, { count: 100 })
        survivors.push(...sent.slice(0, 5))
        committer.remove(1, sent.slice(5))
      }
      committer.send(2, 1000, { count: 300 })
      const before = journal.tail
      const late = committer.send(1, 1000)
      while (!(await committer.queues.release(before))) continue
      await committer.queues.checkpoint()
      journal.trim(before)
      await reopen()
      for (const sequence of [...survivors, ...late]) assert.equal(String(await committer.queues.body(1, sequence)), `1:${sequence}`)
      committer.remove(1, survivors.slice(10))
      committer.commit([{ kind: 'drop', queue: 2, before: Infinity }])
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 10)
      assert.throws(() => committer.queues.body(1, survivors[10] ?? 0), MessageGone)
      committer.commit([{ kind: 'drop', queue: 1, before: late[0] ?? 0 }])
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 0)
    }))

  test(`${backend}: messages that go while their bodies are being copied leave no copy behind`, () =>
    withQueues(async (committer, _, store) => {
      const sent = committer.send(1, 1000, { count: 200 })
      committer.send(2, 1000, { count: 200 })
      const releasing = committer.queues.release(committer.journal.tail)
      for (let at = 0; at < 200; at += 2) {
        committer.remove(1, [sent[at] ?? 0])
        if (at === 100) committer.commit([{ kind: 'drop', queue: 2, before: Infinity }])
        if (at % 8 === 0) await turn()
      }
      assert.equal(await releasing, true)
      await committer.queues.checkpoint()
      assert.equal(copies(store()), 100)
    }))
}

type Command =
  | { kind: 'send'; queue: number; count: number; delay: number }
  | { kind: 'skip'; queue: number; count: number }
  | { kind: 'receive'; queue: number; max: number; timeout: number; outcome: 'hide' | 'untake' | 'leave' }
  | { kind: 'hide'; queue: number; pick: number; timeout: number }
  | { kind: 'remove'; queue: number; pick: number; count: number }
  | { kind: 'purge'; queue: number; part: number }
  | { kind: 'dropQueue'; queue: number }
  | { kind: 'pass'; time: number }
  | { kind: 'checkpoint'; isAwaited: boolean }
  | { kind: 'failingCheckpoint'; after: number }
  | { kind: 'release'; part: number }
  | { kind: 'restart' }

const queue = fc.integer({ min: 1, max: 3 })
const time = fc.integer({ min: 0, max: 60 })
const pick = fc.nat(1000)
const of = <K extends Command['kind'], F extends object>(kind: K, fields: { [N in keyof F]: fc.Arbitrary<F[N]> }): fc.Arbitrary<Command> =>
  fc.record({ kind: fc.constant(kind), ...fields }) as fc.Arbitrary<Command>
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: of('send', { queue, count: fc.constantFrom(1, 1, 2, 10, 70), delay: fc.constantFrom(0, 0, 0, 20) }) },
  { weight: 1, arbitrary: of('skip', { queue, count: fc.constantFrom(1, 3, 8150) }) },
  { weight: 8, arbitrary: of('receive', { queue, max: fc.constantFrom(1, 3, 10, 80), timeout: fc.constantFrom(0, 30, 30), outcome: fc.constantFrom('hide', 'hide', 'hide', 'untake', 'leave') }) },
  { weight: 3, arbitrary: of('hide', { queue, pick, timeout: time }) },
  { weight: 6, arbitrary: of('remove', { queue, pick, count: fc.constantFrom(1, 1, 10, 60) }) },
  { weight: 1, arbitrary: of('purge', { queue, part: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 1, arbitrary: of('dropQueue', { queue }) },
  { weight: 3, arbitrary: of('pass', { time }) },
  { weight: 3, arbitrary: of('checkpoint', { isAwaited: fc.boolean() }) },
  { weight: 2, arbitrary: of('failingCheckpoint', { after: fc.nat(3) }) },
  { weight: 2, arbitrary: of('release', { part: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: of('restart', {}) },
)

interface ModelMessage {
  readonly sentAt: number
  readonly route: number
  readonly delay: number
  visibleAt: number
  receives: number
  firstReceivedAt: number
  isReserved: boolean
}

/** The model: maps of messages, walked through in full each time. */
class History {
  readonly #openStore: () => QueueStore
  readonly #journal = new FakeJournal()
  readonly #model = new Map<number, Map<number, ModelMessage>>()
  #committer: Committer
  #failWritesAfter = Infinity
  #checkpointing: Promise<unknown> = Promise.resolve()
  #now = 1000

  private constructor(openStore: () => QueueStore, queues: Queues) {
    this.#openStore = openStore
    this.#committer = new Committer(this.#journal, queues)
  }

  static async begin(openStore: () => QueueStore): Promise<History> {
    const history = new History(openStore, await openQueues({ journal: new FakeJournal(), store: openStore() }))
    await history.run({ kind: 'restart' })
    return history
  }

  async run(command: Command): Promise<void> {
    const committer = this.#committer
    switch (command.kind) {
      case 'send': {
        const route = command.count
        for (const sequence of committer.send(command.queue, this.#now, { ...command, route })) {
          this.#messages(command.queue).set(sequence, {
            sentAt: this.#now, route, delay: command.delay, visibleAt: this.#now + command.delay, receives: 0, firstReceivedAt: 0, isReserved: false,
          })
        }
        break
      }
      case 'skip':
        for (let at = 0; at < command.count; at++) committer.queues.nextSequence(command.queue)
        break
      case 'receive':
        this.#receive(command)
        break
      case 'hide':
        for (const [sequence, message] of this.#pick(command.queue, command.pick, 1)) this.#hide(command.queue, sequence, message, command.timeout)
        break
      case 'remove': {
        const picked = this.#pick(command.queue, command.pick, command.count).map(([sequence]) => sequence)
        committer.remove(command.queue, [...picked, 999_999])
        for (const sequence of picked) this.#messages(command.queue).delete(sequence)
        break
      }
      case 'purge': {
        const sequences = [...this.#messages(command.queue).keys()]
        const before = sequences[Math.floor((sequences.length * command.part) / 4)] ?? committer.queues.nextSequence(command.queue)
        committer.commit([{ kind: 'drop', queue: command.queue, before }])
        for (const sequence of sequences) if (sequence < before) this.#messages(command.queue).delete(sequence)
        break
      }
      case 'dropQueue':
        committer.commit([{ kind: 'drop', queue: command.queue, before: Infinity }])
        this.#model.delete(command.queue)
        break
      case 'pass':
        this.#now += command.time
        break
      case 'checkpoint':
        this.#checkpointing = committer.queues.checkpoint()
        if (command.isAwaited) await this.#checkpointing
        break
      case 'failingCheckpoint':
        await this.#checkpointing
        this.#failWritesAfter = command.after
        await committer.queues.checkpoint().catch((failure: Error) => assert.match(failure.message, /disk full/))
        this.#failWritesAfter = Infinity
        break
      case 'release':
        await this.#checkpointing
        await this.#release(Math.floor((committer.queues.checkpointed * command.part) / 4))
        break
      case 'restart':
        await this.#restart()
        break
    }
    this.#check()
  }

  async checkBodies(): Promise<void> {
    for (const [number, messages] of this.#model) {
      for (const sequence of messages.keys()) assert.equal(String(await this.#committer.queues.body(number, sequence)), `${number}:${sequence}`)
    }
  }

  async close(): Promise<void> {
    await this.#checkpointing
    await this.#committer.queues.close()
  }

  #receive({ queue: number, max, timeout, outcome }: Extract<Command, { kind: 'receive' }>): void {
    const { queues } = this.#committer
    const messages = this.#messages(number)
    const visible = [...messages.values()].filter((message) => this.#isVisible(message)).length
    const taken = queues.take(number, max, this.#now)
    assert.equal(taken.length, Math.min(max, visible))
    for (const { sequence, ...fields } of taken) {
      const message = messages.get(sequence)
      assert.ok(message !== undefined && this.#isVisible(message), `message ${sequence} is free to take`)
      const { sentAt, route, receives, firstReceivedAt } = message
      assert.deepEqual(fields, { sentAt, route, receives, firstReceivedAt })
      message.isReserved = true
    }
    for (const { sequence } of taken) {
      const message = messages.get(sequence)
      if (message === undefined || outcome === 'leave') continue
      if (outcome === 'hide') this.#hide(number, sequence, message, timeout, 1)
      else {
        queues.untake(number, sequence)
        queues.untake(number, sequence)
        message.isReserved = false
      }
    }
  }

  #hide(number: number, sequence: number, message: ModelMessage, timeout: number, received = 0): void {
    message.visibleAt = this.#now + timeout
    message.receives += received
    if (message.receives > 0) message.firstReceivedAt ||= this.#now
    message.isReserved = false
    this.#committer.hide(number, sequence, message.visibleAt, message.receives, message.firstReceivedAt)
  }

  async #release(before: Position): Promise<void> {
    const { queues } = this.#committer
    while (!(await queues.release(before))) continue
    this.#journal.trim(before)
  }

  async #restart(): Promise<void> {
    await this.#checkpointing
    await this.#committer.queues.close()
    const queues = await openQueues({ journal: this.#journal, store: this.#failing(this.#openStore()) })
    this.#journal.replay(queues, queues.checkpointed)
    // A second replay of the same frames, as after a crash between them and their checkpoint.
    if (this.#now % 2 === 0) this.#journal.replay(queues, queues.checkpointed)
    this.#committer.queues = queues
    for (const messages of this.#model.values()) for (const message of messages.values()) message.isReserved = false
  }

  #failing(store: QueueStore): QueueStore {
    const write = async (changes: Parameters<QueueStore['index']['write']>[0]): Promise<void> => {
      if (this.#failWritesAfter-- <= 0) throw new Error('disk full')
      await store.index.write(changes)
    }
    return { ...store, index: { ...store.index, write } }
  }

  #check(): void {
    const { queues } = this.#committer
    let next = Infinity
    for (const number of [1, 2, 3]) {
      const messages = this.#messages(number)
      const counts = { visible: 0, inFlight: 0, delayed: 0 }
      for (const [sequence, message] of messages) {
        const { sentAt, route, receives, firstReceivedAt } = message
        const isHidden = !message.isReserved && message.visibleAt > this.#now
        if (isHidden) next = Math.min(next, message.visibleAt)
        counts[this.#isVisible(message) ? 'visible' : message.isReserved || receives > 0 ? 'inFlight' : 'delayed']++
        const found = queues.find(number, sequence)
        assert.deepEqual(found, { sequence, sentAt, route, receives, firstReceivedAt, visibleAt: message.visibleAt }, `message ${sequence} of queue ${number}`)
      }
      assert.deepEqual(queues.counts(number, this.#now), counts, `counts of queue ${number}`)
      assert.equal(queues.oldest(number), messages.values().next().value?.sentAt)
    }
    assert.equal(queues.nextVisibleAt(), next === Infinity ? undefined : next)
  }

  #isVisible({ isReserved, visibleAt }: ModelMessage): boolean {
    return !isReserved && visibleAt <= this.#now
  }

  #pick(number: number, at: number, count: number): [number, ModelMessage][] {
    const messages = [...this.#messages(number)]
    const from = messages.length === 0 ? 0 : at % messages.length
    return messages.slice(from, from + count)
  }

  #messages(number: number): Map<number, ModelMessage> {
    const present = this.#model.get(number)
    if (present !== undefined) return present
    const made = new Map<number, ModelMessage>()
    this.#model.set(number, made)
    return made
  }
}

async function turns(): Promise<void> {
  for (let at = 0; at < 5; at++) await turn()
}

/** Copied bodies in the store; their keys have twelve bytes. */
function copies(store: QueueStore): number {
  return store.bodies.entries(Buffer.alloc(1), Buffer.alloc(13, 255)).filter(({ key }) => key.length === 12).length
}
