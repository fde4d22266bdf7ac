// Random histories of queues, run against a plain model after each step: maps of messages that are walked through in full.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Position } from '../journal.ts'
import type { Queues } from '../queues.ts'
import { Committer, FakeJournal } from './committer.suite.ts'
import { openQueues } from './queues.ts'
import type { QueueStore } from './store.ts'

type Command =
  | { kind: 'send'; queue: number; count: number; delay: number; tenant: number }
  | { kind: 'skip'; queue: number; count: number }
  | { kind: 'receive'; queue: number; max: number; timeout: number; outcome: 'hide' | 'untake' | 'leave' }
  | { kind: 'hide'; queue: number; pick: number; timeout: number }
  | { kind: 'remove'; queue: number; pick: number; count: number }
  | { kind: 'purge'; queue: number; part: number }
  | { kind: 'dropQueue'; queue: number }
  | { kind: 'remember'; queue: number; name: number; count: number; time: number; bytes: number }
  | { kind: 'pass'; time: number }
  | { kind: 'checkpoint'; isAwaited: boolean }
  | { kind: 'failingCheckpoint'; after: number }
  | { kind: 'release'; part: number }
  | { kind: 'restart' }

const queue = fc.integer({ min: 1, max: 3 })
/** Queue 1 has no groups, queue 2 fair ones and messages without a group, queue 3 ordered ones. */
const GROUPS: Readonly<Record<number, readonly number[]>> = { 1: [0, 0, 0, 0], 2: [0, -1, -1, -2], 3: [1, 1, 2, 3] }
const tenant = fc.nat(3)
const time = fc.integer({ min: 0, max: 60 })
const pick = fc.nat(1000)
const outcome = fc.constantFrom('hide', 'hide', 'hide', 'untake', 'leave')
const of = <K extends Command['kind'], F extends object>(kind: K, fields: { [N in keyof F]: fc.Arbitrary<F[N]> }): fc.Arbitrary<Command> =>
  fc.record({ kind: fc.constant(kind), ...fields }) as fc.Arbitrary<Command>
export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: of('send', { queue, count: fc.constantFrom(1, 1, 2, 10, 70), delay: fc.constantFrom(0, 0, 0, 20), tenant }) },
  { weight: 1, arbitrary: of('skip', { queue, count: fc.constantFrom(1, 3, 8150) }) },
  { weight: 8, arbitrary: of('receive', { queue, max: fc.constantFrom(1, 3, 10, 80), timeout: fc.constantFrom(0, 30, 30), outcome }) },
  { weight: 3, arbitrary: of('hide', { queue, pick, timeout: time }) },
  { weight: 6, arbitrary: of('remove', { queue, pick, count: fc.constantFrom(1, 1, 10, 60) }) },
  { weight: 1, arbitrary: of('purge', { queue, part: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 1, arbitrary: of('dropQueue', { queue }) },
  {
    weight: 3,
    arbitrary: of('remember', {
      queue,
      name: fc.nat(5),
      count: fc.constantFrom(1, 1, 2, 90),
      time: fc.constantFrom(0, 30, 60_000, 100_000),
      bytes: fc.constantFrom(0, 40, 1024),
    }),
  },
  { weight: 3, arbitrary: of('pass', { time }) },
  { weight: 1, arbitrary: of('pass', { time: fc.constantFrom(50_000, 70_000) }) },
  { weight: 3, arbitrary: of('checkpoint', { isAwaited: fc.boolean() }) },
  { weight: 2, arbitrary: of('failingCheckpoint', { after: fc.nat(3) }) },
  { weight: 2, arbitrary: of('release', { part: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: of('restart', {}) },
)

interface ModelMessage {
  readonly sentAt: number
  readonly route: number
  readonly group: number
  visibleAt: number
  receives: number
  firstReceivedAt: number
  isReserved: boolean
}

export class History {
  readonly #openStore: () => QueueStore
  readonly #journal = new FakeJournal()
  readonly #model = new Map<number, Map<number, ModelMessage>>()
  readonly #memories = new Map<string, { readonly queue: number; readonly key: Buffer; readonly until: number; readonly value: Buffer }>()
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
        const group = GROUPS[command.queue]?.[command.tenant] ?? 0
        for (const sequence of committer.send(command.queue, this.#now, { ...command, route, group })) {
          const times = { sentAt: this.#now, visibleAt: this.#now + command.delay, firstReceivedAt: 0 }
          this.#messages(command.queue).set(sequence, { ...times, route, group, receives: 0, isReserved: false })
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
        for (const [sequence, message] of this.#pick(command.queue, command.pick, 1)) {
          this.#hide(command.queue, sequence, message, command.timeout)
        }
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
        for (const [name, memory] of this.#memories) if (memory.queue === command.queue) this.#memories.delete(name)
        break
      case 'remember':
        for (let at = command.name; at < command.name + command.count; at++) this.#remember(command, at)
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
      for (const sequence of messages.keys()) {
        assert.equal(String(await this.#committer.queues.body(number, sequence)), `${number}:${sequence}`)
      }
    }
  }

  async close(): Promise<void> {
    await this.#checkpointing
    await this.#committer.queues.close()
  }

  #receive({ queue: number, max, timeout, outcome }: Extract<Command, { kind: 'receive' }>): void {
    const { queues } = this.#committer
    const messages = this.#messages(number)
    const free = this.#free(number)
    const taken = queues.take(number, max, this.#now)
    assert.equal(taken.length, Math.min(max, free.length))
    if (number === 3) this.#checkOrder(taken, free)
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

  /** What may be taken, by group in order. */
  #free(number: number): (readonly [number, ModelMessage])[] {
    const messages = [...this.#messages(number)]
    const ordered = Map.groupBy(messages, ([sequence, { group }]) => (group > 0 ? group : -sequence))
    return [...ordered.values()].flatMap((line) => {
      if (line.some(([, message]) => !this.#isVisible(message) && (message.isReserved || message.receives > 0))) return []
      const hidden = line.findIndex(([, message]) => !this.#isVisible(message))
      return hidden < 0 ? line : line.slice(0, hidden)
    })
  }

  /** Each group from its first on, and all of it before the next. */
  #checkOrder(taken: readonly { readonly sequence: number }[], free: readonly (readonly [number, ModelMessage])[]): void {
    const groups = new Map(free.map(([sequence, { group }]) => [sequence, group]))
    const ordered = Map.groupBy(free, ([, { group }]) => group)
    const seen = [...new Set(taken.map(({ sequence }) => groups.get(sequence) ?? 0))]
    const expected = seen.flatMap((group) => ordered.get(group)?.map(([sequence]) => sequence) ?? []).slice(0, taken.length)
    assert.deepEqual(
      taken.map(({ sequence }) => sequence),
      expected,
    )
  }

  #remember({ queue: number, time: ms, bytes }: Extract<Command, { kind: 'remember' }>, name: number): void {
    // Not all keys of a queue differ in the bytes that tables look at first.
    const key = Buffer.alloc(16, name >> 1)
    key.writeUInt8(name, 8)
    const memory = { queue: number, key, until: this.#now + ms, value: Buffer.alloc(bytes, this.#now) }
    this.#committer.commit([{ kind: 'remember', ...memory }])
    this.#memories.set(`${number} ${name}`, memory)
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
        const { sentAt, route, receives, firstReceivedAt, isReserved } = message
        const isHidden = !message.isReserved && message.visibleAt > this.#now
        if (isHidden) next = Math.min(next, message.visibleAt)
        counts[this.#isVisible(message) ? 'visible' : message.isReserved || receives > 0 ? 'inFlight' : 'delayed']++
        const found = queues.find(number, sequence)
        const expected = { sequence, sentAt, route, receives, firstReceivedAt, visibleAt: message.visibleAt, isReserved }
        assert.deepEqual(found, expected, `message ${sequence} of queue ${number}`)
      }
      assert.deepEqual(queues.counts(number, this.#now), counts, `counts of queue ${number}`)
      assert.equal(queues.oldest(number), messages.values().next().value?.sentAt)
    }
    const told = queues.nextVisibleAt() ?? Infinity
    assert.ok(told <= next && (told === next || told > this.#now), `the next is at ${next}, not at ${told}`)
    for (const [name, { queue: number, key, until, value }] of this.#memories)
      assert.deepEqual(queues.recall(number, key, this.#now), until > this.#now ? value : undefined, `memory ${name}`)
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
