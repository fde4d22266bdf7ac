// A history of commits made at random, and what a store that went through it must hold: for tests that cut, copy or fail it on the way.
import assert from 'node:assert/strict'
import type { Random } from '../src/base/random.ts'
import { FrameBuilder } from '../src/model/entry.ts'
import { Table } from '../src/model/tables.ts'
import { JournalFailed, JournalFull } from '../src/storage/journal.ts'
import type { Queues } from '../src/storage/queues.ts'
import type { Store } from '../src/storage/store.ts'

const QUEUES = 3
const SENT_AT = 1000

/** Its messages are in ordered groups. */
const ORDERED = 3
const KEYS = 6

export interface Message {
  readonly body: string
  readonly group: number
  readonly visibleAt: number
  readonly receives: number
}
/** What the store holds: records by key, messages by `queue/sequence`, memories by `queue/key`. */
export interface State {
  readonly records: Map<string, string>
  readonly messages: Map<string, Message>
  readonly memories: Map<string, string>
}
export interface Operation {
  readonly number: number
  apply(state: State): void
}

export interface Moment {
  readonly state: State
  readonly staged: readonly Operation[]
}

/** Commits at random against a store, and knows what it must hold. */
export class History {
  readonly #random: Random
  readonly #builder = new FrameBuilder()
  #operations = 0
  #acknowledged: State = { records: new Map(), messages: new Map(), memories: new Map() }
  #staged: Operation[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** True when it was staged. */
  commit({ journal, queues }: Store): boolean {
    const frame = this.#builder.reset()
    const number = ++this.#operations
    const changes: ((state: State) => void)[] = []
    const put = (key: string, value: string): void => {
      frame.put(Table.meta, key, JSON.stringify(value))
      changes.push(({ records }) => void records.set(key, value))
    }
    put('operation', String(number))
    for (let change = this.#random.below(3); change > 0; change--) {
      const key = `key ${this.#random.below(12)}`
      if (this.#random.below(3) > 0) put(key, `${number} ${'x'.repeat(this.#random.below(200))}`)
      else {
        frame.delete(Table.meta, key)
        changes.push(({ records }) => void records.delete(key))
      }
    }
    for (let sent = this.#random.below(3); sent > 0; sent--) {
      const queue = 1 + this.#random.below(QUEUES)
      const sequence = queues.nextSequence(queue)
      const body = `${number} ${queue} ${sequence} ${'y'.repeat(this.#random.below(300))}`
      const { offset, length } = frame.message('{}', body)
      const group = queue === ORDERED ? 1 + this.#random.below(3) : queue === 2 ? -this.#random.below(3) : 0
      const message = { messageOffset: offset, messageLength: length, route: 0, group }
      frame.enqueue({ queue, sequence, visibleAt: SENT_AT, sentAt: SENT_AT, ...message })
      changes.push(({ messages }) => void messages.set(`${queue}/${sequence}`, { body, group, visibleAt: SENT_AT, receives: 0 }))
    }
    const present = [...this.#acknowledged.messages.keys()]
    for (let change = this.#random.below(3); change > 0 && present.length > 0; change--) {
      const name = present[this.#random.below(present.length)] ?? ''
      const [queue = 0, sequence = 0] = name.split('/').map(Number)
      if (this.#random.below(2) === 0) {
        frame.remove(queue, sequence)
        changes.push(({ messages }) => void messages.delete(name))
      } else {
        const hidden = { visibleAt: SENT_AT + 1 + this.#random.below(1000), receives: 1 + this.#random.below(5) }
        frame.hide({ queue, sequence, ...hidden, firstReceivedAt: SENT_AT })
        changes.push(({ messages }) => {
          const message = messages.get(name)
          if (message !== undefined) messages.set(name, { ...message, ...hidden })
        })
      }
    }
    if (this.#random.below(3) === 0) {
      const [queue, key] = [1 + this.#random.below(QUEUES), this.#random.below(KEYS)]
      const value = `${number} ${'z'.repeat(this.#random.below(100))}`
      frame.remember({ queue, key: memoryKey(key), until: SENT_AT + 1 + this.#random.below(200_000), value: Buffer.from(value) })
      changes.push(({ memories }) => void memories.set(`${queue}/${key}`, value))
    }
    const operation: Operation = { number, apply: (state) => changes.forEach((change) => change(state)) }
    try {
      journal.append(frame.bytes, frame.entries, (failure) => {
        if (failure !== undefined) return assert.ok(failure instanceof JournalFailed)
        assert.equal(this.#staged.shift(), operation, 'acknowledged in order')
        operation.apply(this.#acknowledged)
        return undefined
      })
      this.#staged.push(operation)
      return true
    } catch (error) {
      this.#operations--
      if (!(error instanceof JournalFull || error instanceof JournalFailed)) throw error
      return false
    }
  }

  /** After a restart: as `check`, and the history goes on from what was found. */
  async resume(store: Store): Promise<{ readonly kept: number; readonly lost: number }> {
    const moment = this.now()
    const found = await this.check(store, moment)
    this.#acknowledged = moment.state
    this.#staged = []
    this.#operations = Number(moment.state.records.get('operation') ?? 0)
    return found
  }

  /** What is acknowledged by now, and what may be there besides. */
  now(): Moment {
    const { records, messages, memories } = this.#acknowledged
    return { state: { records: new Map(records), messages: new Map(messages), memories: new Map(memories) }, staged: [...this.#staged] }
  }

  /** Compares a store that was just opened with what was known at that moment. */
  async check({ records, queues }: Store, { state, staged }: Moment): Promise<{ readonly kept: number; readonly lost: number }> {
    const last = Number(JSON.parse(records.get(Table.meta, 'operation')?.toString() ?? '0'))
    const known = Number(state.records.get('operation') ?? 0)
    assert.ok(last >= known, `operation ${known} was acknowledged, the store is at ${last}`)
    const kept = staged.filter(({ number }) => number <= last)
    for (const operation of kept) operation.apply(state)
    const found = new Map([...records.range(Table.meta, {})].map(({ key, value }) => [key, JSON.parse(value.toString()) as string]))
    assert.deepEqual(found, state.records)
    assert.equal(records.count(Table.meta), found.size)
    const counted = new Map<number, number>()
    for (const [name, { body, visibleAt, receives }] of state.messages) {
      const [queue = 0, sequence = 0] = name.split('/').map(Number)
      const message = queues.find(queue, sequence)
      assert.ok(message, `message ${name} is lost`)
      assert.deepEqual([message.visibleAt, message.receives], [visibleAt, receives], `message ${name}`)
      assert.ok((await queues.body(queue, sequence)).toString().endsWith(body), `the body of ${name}`)
      counted.set(queue, (counted.get(queue) ?? 0) + 1)
    }
    for (let queue = 1; queue <= QUEUES; queue++) {
      const { visible, inFlight, delayed } = queues.counts(queue, SENT_AT)
      assert.equal(visible + inFlight + delayed, counted.get(queue) ?? 0, `messages of queue ${queue}: none came back`)
    }
    checkOrder(queues, state)
    for (let queue = 1; queue <= QUEUES; queue++) {
      for (let key = 0; key < KEYS; key++)
        assert.equal(queues.recall(queue, memoryKey(key), SENT_AT)?.toString(), state.memories.get(`${queue}/${key}`), 'a memory')
    }
    return { kept: kept.length, lost: staged.length - kept.length }
  }
}

function memoryKey(key: number): Buffer {
  return Buffer.alloc(16, key)
}

/** Groups that have nothing in flight give all they have, in order; the others give nothing. */
function checkOrder(queues: Queues, state: State): void {
  const lines = new Map<number, { readonly sequence: number; readonly isVisible: boolean }[]>()
  const ordered = [...state.messages].map(([name, message]) => ({ name: name.split('/').map(Number), message }))
  for (const { name, message } of ordered.sort((a, b) => (a.name[1] ?? 0) - (b.name[1] ?? 0))) {
    const [queue, sequence = 0] = name
    if (queue !== ORDERED) continue
    const line = lines.get(message.group) ?? []
    line.push({ sequence, isVisible: message.visibleAt <= SENT_AT })
    lines.set(message.group, line)
  }
  const free = [...lines.values()].filter((line) => line.every(({ isVisible }) => isVisible))
  const taken = queues.take(ORDERED, 1000, SENT_AT).map(({ sequence }) => sequence)
  for (const line of free) {
    const sequences = line.map(({ sequence }) => sequence)
    assert.deepEqual(
      taken.filter((sequence) => sequences.includes(sequence)),
      sequences,
    )
  }
  assert.equal(taken.length, free.flat().length, 'a locked group gives nothing')
  for (const sequence of taken.toReversed()) queues.untake(ORDERED, sequence)
}
