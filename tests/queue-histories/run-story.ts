// Runs a story against the server, tells the reference what was answered, and at the end takes out everything that is left.
import assert from 'node:assert/strict'
import { ServiceError } from '../../src/model/service-error.ts'
import {
  type Batch,
  QUEUE_ARN,
  type ReceiveOutput,
  receiveInput,
  redriveText,
  SECOND,
  type SendOutput,
  settingChange,
  shownOf,
} from './calls.ts'
import { Attempts } from './attempts.ts'
import { type Command, DEAD_LETTERS, type QueueName, type Settings, type Story } from './commands.ts'
import { move } from './moves.ts'
import { received } from './receives.ts'
import { type Handle, type ModelMessage, type ModelQueue, Reference, type Shown } from './reference.ts'
import { draft, isDuplicate } from './sends.ts'
import { openWorld, type QueueWorld } from './world.ts'

/** After a delete a name stays taken for so long, and as long lasts a purge (SQS API Reference, DeleteQueue and PurgeQueue). */
const AFTERMATH_MS = 60 * SECOND
/** Handles of the last receives are worth more to a history than old ones. */
const HANDLES_REMEMBERED = 30
const LONGER_THAN_ANY_HIDDEN_MS = 3700 * SECOND

/** Throws what the server must not do, told in words. */
export async function runStory(story: Story): Promise<void> {
  const run = new StoryRun(await openWorld(), story.cast)
  try {
    for (const [at, name] of story.cast.entries()) {
      const settings = story.settings[story.cast.length - 1 - at]
      if (settings !== undefined) await run.create(name, settings)
    }
    for (const command of story.commands) await run.run(command)
    await run.drain()
  } finally {
    await run.close()
  }
}

type Send = Extract<Command, { kind: 'send' }>

class StoryRun {
  readonly #world: QueueWorld
  readonly #cast: readonly QueueName[]
  readonly #reference = new Reference()
  readonly #attempts = new Attempts()
  #names = 0

  constructor(world: QueueWorld, cast: readonly QueueName[]) {
    this.#world = world
    this.#cast = cast
  }

  async close(): Promise<void> {
    await this.#world.close()
  }

  async run(command: Command): Promise<void> {
    switch (command.kind) {
      case 'pass':
        return this.#world.pass(command.seconds * SECOND)
      case 'checkpoint':
        return this.#world.checkpoint()
      case 'restart':
        return this.#world.restart(command.isKilled)
      default:
    }
    const name = this.#cast[command.queue % this.#cast.length]
    if (name === undefined) return
    if (command.kind === 'create') return this.create(name, command.settings)
    const queue = this.#reference.queues.get(name)
    if (queue === undefined) return this.#isAbsent(name)
    switch (command.kind) {
      case 'set':
        await this.#set(queue, command.settings, command.what)
        break
      case 'deleteQueue':
        return this.#deleteQueue(queue)
      case 'purge':
        await this.#purge(queue)
        break
      case 'send':
        await this.#send(queue, command)
        break
      case 'receive':
        await this.#receive(queue, command.max, command.visibility, queue.isFifo ? command.attempt : undefined)
        break
      case 'move':
        await this.#move(queue, command)
        break
      case 'poll':
        await this.#poll(queue, command)
        break
      case 'receiveAtOnce':
        await this.#receiveAtOnce(queue, command)
        break
      case 'delete':
        await this.#delete(queue, this.#pick(queue, command))
        break
      case 'change':
        await this.#change(queue, this.#pick(queue, command), command.visibility)
        break
      default:
    }
    await this.#checkCounts(queue)
  }

  /** Everything that is left comes out once more, each from where it must be, and once deleted nothing comes back. */
  async drain(): Promise<void> {
    await this.#world.pass(LONGER_THAN_ANY_HIDDEN_MS)
    const sourcesFirst = this.#cast.toSorted((a, b) => Number(DEAD_LETTERS[a] === undefined) - Number(DEAD_LETTERS[b] === undefined))
    for (const isSecondTime of [false, true]) {
      for (const name of sourcesFirst) {
        const queue = this.#reference.queues.get(name)
        if (queue === undefined) continue
        for (let empty = 0; empty < 2;) {
          const shown = await this.#receive(queue, 10, 43_200)
          assert.ok(!isSecondTime || shown.length === 0, `${name} was emptied, and now gives ${shown.map((each) => each.name).join(' ')}`)
          empty = shown.length === 0 ? empty + 1 : 0
          await this.#delete(
            queue,
            shown.map((each) => this.#handleOf(each)),
          )
        }
        await this.#checkCounts(queue)
      }
      await this.#world.restart(true)
    }
  }

  async create(name: QueueName, { visibility, delay, retention, receivesMax }: Settings): Promise<void> {
    const isFifo = name.endsWith('.fifo')
    const target = DEAD_LETTERS[name]
    const redrive =
      target !== undefined && receivesMax !== undefined && this.#reference.queues.has(target) ? { target, receivesMax } : undefined
    const isNew = !this.#reference.queues.has(name)
    const Attributes = {
      VisibilityTimeout: String(visibility),
      DelaySeconds: String(delay),
      MessageRetentionPeriod: String(retention),
      ...(redrive !== undefined && { RedrivePolicy: redriveText(redrive) }),
      ...(isFifo && { FifoQueue: 'true' }),
      ...(name === 'lanes.fifo' && {
        ContentBasedDeduplication: 'true',
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      }),
    }
    const made = await this.#world.tryCall<{ QueueUrl: string }>('CreateQueue', {
      QueueName: name,
      Attributes: isNew ? Attributes : isFifo ? { FifoQueue: 'true' } : {},
    })
    const now = this.#world.now()
    if (made instanceof ServiceError) {
      assert.match(made.code, /QueueDeletedRecently$/, `${name} is not made: ${made.message}`)
      assert.ok(now - (this.#reference.deletedAt.get(name) ?? -Infinity) <= AFTERMATH_MS, `${name} was not deleted recently`)
      return
    }
    if (!isNew) return
    this.#reference.queues.set(name, {
      name,
      url: made.QueueUrl,
      isFifo,
      createdAt: now,
      isContentBased: name === 'lanes.fifo',
      isScopedToGroup: name === 'lanes.fifo',
      settings: { visibilityMs: visibility * SECOND, delayMs: delay * SECOND, retentionMs: retention * SECOND, redrive },
      sent: new Map(),
      purgedAt: -Infinity,
      isGone: false,
      lastSequence: 0n,
    })
  }

  async #isAbsent(name: QueueName): Promise<void> {
    const QueueUrl = `http://sealcast.test:4566/000000000001/${name}`
    const refused = await this.#world.tryCall('ReceiveMessage', { QueueUrl })
    assert.ok(refused instanceof ServiceError, `${name} does not exist, and yet answers`)
    assert.match(refused.code, /NonExistentQueue$/)
  }

  async #set(queue: ModelQueue, given: Settings, what: keyof Settings): Promise<void> {
    const target = DEAD_LETTERS[queue.name as QueueName]
    const { attributes, apply } = settingChange(queue, given, what, target)
    this.#reference.expire(queue, this.#world.now())
    const set = await this.#world.tryCall('SetQueueAttributes', { QueueUrl: queue.url, Attributes: attributes })
    if (!(set instanceof ServiceError)) return apply(queue.settings)
    const isTargetGone = target !== undefined && !this.#reference.queues.has(target)
    assert.ok(
      what === 'receivesMax' && given.receivesMax !== undefined && isTargetGone,
      `${what} of ${queue.name} is refused: ${set.message}`,
    )
  }

  async #deleteQueue(queue: ModelQueue): Promise<void> {
    await this.#world.call('DeleteQueue', { QueueUrl: queue.url })
    this.#reference.emptied(queue)
    queue.isGone = true
    this.#reference.queues.delete(queue.name)
    this.#reference.deletedAt.set(queue.name, this.#world.now())
  }

  async #purge(queue: ModelQueue): Promise<void> {
    const purged = await this.#world.tryCall('PurgeQueue', { QueueUrl: queue.url })
    const now = this.#world.now()
    if (purged instanceof ServiceError) {
      assert.match(purged.code, /PurgeQueueInProgress$/)
      assert.ok(now - queue.purgedAt <= AFTERMATH_MS, `${queue.name} was not purged in the last minute`)
      return
    }
    queue.purgedAt = now
    this.#reference.emptied(queue)
  }

  async #send(queue: ModelQueue, send: Send): Promise<void> {
    const drafts = Array.from({ length: send.count }, () => draft(`m${++this.#names}`, queue, send))
    const inputs = drafts.map(({ input }) => input)
    const outputs =
      inputs.length === 1
        ? [await this.#world.call<SendOutput>('SendMessage', { QueueUrl: queue.url, ...inputs[0] })]
        : await this.#sendBatch(queue, inputs)
    const now = this.#world.now()
    const delayMs = queue.isFifo || send.delay === undefined ? queue.settings.delayMs : send.delay * SECOND
    for (const [at, { message }] of drafts.entries()) {
      const output = outputs[at]
      assert.ok(output !== undefined, `${message.name} has an outcome`)
      if (queue.isFifo && isDuplicate(queue, message, output, now)) continue
      this.#reference.arrived(queue, message, { now, visibleAt: now + delayMs })
    }
  }

  async #sendBatch(queue: ModelQueue, inputs: readonly object[]): Promise<SendOutput[]> {
    const Entries = inputs.map((input, at) => ({ Id: String(at), ...input }))
    const { Successful = [], Failed = [] } = await this.#world.call<Batch<SendOutput>>('SendMessageBatch', { QueueUrl: queue.url, Entries })
    assert.deepEqual(Failed, [])
    return Entries.map(({ Id }) => {
      const output = Successful.find((each) => each.Id === Id)
      assert.ok(output !== undefined, `entry ${Id} of a batch has an outcome`)
      return output
    })
  }

  async #receive(queue: ModelQueue, max: number, visibility: number | undefined, attempt?: number): Promise<readonly Shown[]> {
    const input = {
      ...receiveInput(queue, max, visibility),
      ...(attempt !== undefined && { ReceiveRequestAttemptId: `attempt-${attempt}` }),
    }
    const shown = shownOf(await this.#world.call<ReceiveOutput>('ReceiveMessage', input))
    const times = { now: this.#world.now(), visibilityMs: visibility === undefined ? queue.settings.visibilityMs : visibility * SECOND }
    if (attempt !== undefined && this.#attempts.isRepeat(queue, String(attempt), shown, times)) return shown
    this.#received(queue, max, shown, { visibility })
    if (attempt !== undefined) this.#attempts.given(queue, String(attempt), shown, this.#reference, times)
    return shown
  }

  /** From its dead-letter queue, or from itself; to where its messages came from, or to the first queue of the story. */
  async #move(queue: ModelQueue, { isDirected, isInterrupted }: Extract<Command, { kind: 'move' }>): Promise<void> {
    const dead = this.#reference.queues.get(DEAD_LETTERS[queue.name as QueueName] ?? queue.name)
    const destination = isDirected ? this.#reference.queues.get(this.#cast[0] ?? '') : undefined
    if (dead === undefined || (destination !== undefined && destination.isFifo !== dead.isFifo)) return
    await move(this.#world, this.#reference, { dead, destination, isInterrupted })
    await this.#checkCounts(dead)
  }

  #received(
    queue: ModelQueue,
    max: number,
    shown: readonly Shown[],
    { visibility, isAlone = true }: { readonly visibility?: number | undefined; readonly isAlone?: boolean } = {},
  ): void {
    const visibilityMs = visibility === undefined ? queue.settings.visibilityMs : visibility * SECOND
    const now = this.#world.now()
    received(this.#reference, { queue, now, max, visibilityMs, isAlone, arnOf: ({ name }) => QUEUE_ARN + name }, shown)
  }

  /** Waits for messages; they come with the send, with time, or not at all. */
  async #poll(queue: ModelQueue, { max, wait, isSent }: Extract<Command, { kind: 'poll' }>): Promise<void> {
    const deadline = this.#world.now() + wait * SECOND
    let answer: readonly Shown[] | undefined
    const polling = this.#world
      .call<ReceiveOutput>('ReceiveMessage', { ...receiveInput(queue, max, undefined), WaitTimeSeconds: wait })
      .then((output) => (answer = shownOf(output)))
    // A failure shows where it is awaited.
    polling.catch(() => {})
    await this.#world.settle()
    if (answer === undefined && isSent) {
      this.#received(queue, max, [])
      await this.#send(queue, { kind: 'send', queue: 0, count: 1, delay: undefined, group: 0, deduplication: undefined })
      await this.#world.settle()
    }
    while (answer === undefined && this.#world.now() < deadline) {
      this.#received(queue, max, [])
      await this.#world.passToNext(deadline)
    }
    const shown = await polling
    assert.ok(shown.length > 0 || this.#world.now() >= deadline, `a wait at ${queue.name} ended with nothing before its time`)
    this.#received(queue, max, shown)
  }

  async #receiveAtOnce(queue: ModelQueue, { max, times }: Extract<Command, { kind: 'receiveAtOnce' }>): Promise<void> {
    const input = receiveInput(queue, max, undefined)
    const calls = Array.from({ length: times }, () => this.#world.call<ReceiveOutput>('ReceiveMessage', input))
    for (const output of await Promise.all(calls)) this.#received(queue, max, shownOf(output), { isAlone: false })
  }

  #pick(queue: ModelQueue, { pick, count }: { readonly pick: number; readonly count: number }): Held[] {
    const held: Held[] = []
    for (const message of this.#reference.messages.values())
      for (const handle of message.handles) if (handle.queue === queue) held.push({ message, handle })
    const recent = held.slice(-HANDLES_REMEMBERED)
    const from = recent.length === 0 ? 0 : pick % recent.length
    return recent.slice(from, from + count)
  }

  #handleOf({ name, handle: text }: Shown): Held {
    const message = this.#reference.messages.get(name)
    const handle = message?.handles.find((each) => each.text === text)
    assert.ok(message !== undefined && handle !== undefined)
    return { message, handle }
  }

  async #delete(queue: ModelQueue, held: readonly Held[]): Promise<void> {
    const outcomes = await this.#settleEach('DeleteMessage', queue, held, {})
    const now = this.#world.now()
    for (const [at, { message, handle }] of held.entries())
      if (outcomes[at] === undefined) this.#reference.deleted(message, handle)
      else this.#reference.deleteRefused(message, handle, now)
  }

  async #change(queue: ModelQueue, held: readonly Held[], visibility: number): Promise<void> {
    const outcomes = await this.#settleEach('ChangeMessageVisibility', queue, held, { VisibilityTimeout: visibility })
    const now = this.#world.now()
    // One message may stand twice in a batch: the entries count in their order, and what the first did is not there yet for the second.
    const before = new Map(held.map(({ message }): [ModelMessage, ModelMessage['places']] => [message, message.places]))
    for (const [at, { message, handle }] of held.entries()) {
      message.places = [...message.places, ...(before.get(message) ?? [])].filter((place, index, all) => all.indexOf(place) === index)
      if (outcomes[at] === undefined) this.#reference.visibilityChanged(message, handle, now, now + visibility * SECOND)
      else this.#reference.changeRefused(message, handle, now)
    }
  }

  /** The code of each refusal; undefined where it was done. */
  async #settleEach(operation: string, queue: ModelQueue, held: readonly Held[], more: object): Promise<readonly (string | undefined)[]> {
    const [first] = held
    if (first === undefined) return []
    const QueueUrl = queue.url
    if (held.length === 1) {
      const done = await this.#world.tryCall(operation, { QueueUrl, ReceiptHandle: first.handle.text, ...more })
      return [done instanceof ServiceError ? done.code : undefined]
    }
    const Entries = held.map(({ handle }, at) => ({ Id: String(at), ReceiptHandle: handle.text, ...more }))
    const { Successful = [], Failed = [] } = await this.#world.call<Batch<object>>(`${operation}Batch`, { QueueUrl, Entries })
    assert.equal(Successful.length + Failed.length, Entries.length, 'each entry of a batch has an outcome')
    return Entries.map(({ Id }) => Failed.find((each) => each.Id === Id)?.Code)
  }

  async #checkCounts(queue: ModelQueue): Promise<void> {
    const { Attributes } = await this.#world.call<{ Attributes: Readonly<Record<string, string>> }>('GetQueueAttributes', {
      QueueUrl: queue.url,
      AttributeNames: ['All'],
    })
    const count = (name: string): number => Number(Attributes[`ApproximateNumberOfMessages${name}`])
    this.#reference.checkCounts(queue, this.#world.now(), {
      visible: count(''),
      inFlight: count('NotVisible'),
      delayed: count('Delayed'),
    })
  }
}

interface Held {
  readonly message: ModelMessage
  readonly handle: Handle
}
