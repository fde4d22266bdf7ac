// Runs a story against the server, tells the reference what was answered, and at the end takes out everything that is left.
import assert from 'node:assert/strict'
import { type Batch, QUEUE_ARN, type ReceiveOutput, receiveInput, SECOND, type SendOutput, shownOf } from './calls.ts'
import { Attempts } from './attempts.ts'
import { type Command, DEAD_LETTERS, type QueueName, type Settings, type Story } from './commands.ts'
import { changeHeld, deleteHeld, heldOf, pickHeld } from './held.ts'
import { move } from './moves.ts'
import { createQueue, deleteQueue, assertAbsent, purge, setQueue } from './queue-lives.ts'
import { received } from './receives.ts'
import { type ModelQueue, Reference, type Shown } from './reference.ts'
import { draft, isDuplicate } from './sends.ts'
import { openWorld, type QueueWorld } from './world.ts'

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
    if (queue === undefined) return assertAbsent(this.#world, name)
    switch (command.kind) {
      case 'set':
        await setQueue(this.#world, this.#reference, queue, command.settings, command.what)
        break
      case 'deleteQueue':
        return deleteQueue(this.#world, this.#reference, queue)
      case 'purge':
        await purge(this.#world, this.#reference, queue)
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
        await deleteHeld(this.#world, this.#reference, queue, pickHeld(this.#reference, queue, command))
        break
      case 'change':
        await changeHeld(this.#world, this.#reference, queue, pickHeld(this.#reference, queue, command), command.visibility)
        break
      default:
    }
    await this.#checkCounts(queue)
  }

  create(name: QueueName, settings: Settings): Promise<void> {
    return createQueue(this.#world, this.#reference, name, settings)
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
          const held = shown.map((each) => heldOf(this.#reference, each))
          await deleteHeld(this.#world, this.#reference, queue, held)
        }
        await this.#checkCounts(queue)
      }
      await this.#world.restart(true)
    }
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
