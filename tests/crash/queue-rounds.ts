// The promise of queues under SIGKILL: rounds of senders, receivers, deleters and those who give messages back, at standard and FIFO
// queues with dead-letter queues; a kill at a random moment, a restart, and on it goes. Nothing that was acknowledged is lost, nothing
// deleted comes back, a group keeps its order, a duplicate stays one, and each dead letter is in one place.
import assert from 'node:assert/strict'
import { SQS } from '@aws-sdk/client-sqs'
import { type Random, seededRandom } from '../../src/base/random.ts'
import { type TestServer, clientConfig, startTestServer } from '../server.ts'
import { pause, untilTrue } from '../until.ts'
import { type CrashRun, endClean } from './crash-run.ts'
import { Ledger } from './queue-ledger.ts'

export interface QueueCrashOptions extends CrashRun {
  readonly rounds: number
  /** Senders, and as many receivers, of each queue. */
  readonly clients: number
}

export interface QueueCrashReport {
  readonly rounds: number
  readonly sent: number
  readonly received: number
  readonly deleted: number
  readonly duplicates: number
  readonly deadLetters: number
  readonly moveTasks: number
  readonly unansweredKept: number
}

/** Each round does at least so much of each before the kill. */
const WORK_MIN = 20
const KILL_AFTER_MS_SPREAD = 300
const RECEIVES_MAX = 3
const VISIBILITY_SECONDS = 2
const BATCH_MAX = 5
const MOVE_PAUSE_MS = 100
/** Receives that give nothing, though something is counted. */
const EMPTY_MAX = 500
const ARN = 'arn:aws:sqs:us-east-1:000000000000:'

interface Line {
  readonly name: string
  readonly isFifo: boolean
  readonly dead: string | undefined
  /** Of ten messages received so many are deleted; some are given back at once, the others are left to come back by themselves. */
  readonly deletedInTen: number
  readonly ledger: Ledger
}

export async function runQueueCrashRounds(options: QueueCrashOptions): Promise<QueueCrashReport> {
  const { folder, rounds, seed, clients, report } = options
  const random = seededRandom(seed)
  const line = (name: string, deletedInTen: number, dead?: string): Line => ({
    name,
    isFifo: name.endsWith('.fifo'),
    dead,
    deletedInTen,
    ledger: new Ledger({ receivesMax: dead === undefined ? undefined : RECEIVES_MAX }),
  })
  const lines = [
    line('plain', 7),
    line('fragile', 3, 'fragile-dead'),
    line('ordered.fifo', 7),
    line('brittle.fifo', 3, 'brittle-dead.fifo'),
  ]
  const total = (what: keyof Ledger['counts']): number => lines.reduce((sum, { ledger }) => sum + ledger.counts[what], 0)
  let server = await startTestServer({ data: folder })
  const port = ['--port', String(server.port)]
  let duplicates = 0
  let moveTasks = 0
  try {
    await makeQueues(server, lines)
    for (let round = 1; round <= rounds; round++) {
      const run = new Round({ server, round, random, clients })
      const working = run.work(lines)
      await Promise.race([working, untilTrue(`round ${round}: work`, () => run.isBusy(lines))])
      await pause(random.below(KILL_AFTER_MS_SPREAD))
      await server.kill()
      await working
      for (const { ledger } of lines) ledger.killed()
      server = await startTestServer({ data: folder, words: port })
      duplicates += await sendAgain(server, lines, run)
      moveTasks += run.moveTasks
      report(`round ${round}: ${total('sent')} sent, ${total('received')} received, ${total('deleted')} deleted so far`)
    }
    const deadLetters = await lookAtAll(server, lines)
    const unansweredKept = lines.reduce((sum, { ledger }) => sum + ledger.close(), 0)
    await endClean(server, options)
    const counts = { sent: total('sent'), received: total('received'), deleted: total('deleted') }
    return { rounds, ...counts, duplicates, deadLetters, moveTasks, unansweredKept }
  } finally {
    await server.kill().catch(() => {})
  }
}

async function makeQueues({ url }: TestServer, lines: readonly Line[]): Promise<void> {
  const sqs = new SQS(clientConfig(url))
  const Attributes = (isFifo: boolean): Record<string, string> => ({
    VisibilityTimeout: String(VISIBILITY_SECONDS),
    ...(isFifo && { FifoQueue: 'true' }),
  })
  for (const { name, isFifo, dead } of lines) {
    if (dead !== undefined) await sqs.createQueue({ QueueName: dead, Attributes: Attributes(isFifo) })
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: ARN + dead, maxReceiveCount: RECEIVES_MAX })
    await sqs.createQueue({ QueueName: name, Attributes: { ...Attributes(isFifo), ...(dead !== undefined && { RedrivePolicy }) } })
  }
  sqs.destroy()
}

const urlOf = ({ url }: TestServer, name: string): string => `${url}/000000000000/${name}`

interface SentAnswer {
  readonly body: string
  readonly group: string
  readonly messageId: string | undefined
  readonly sequenceNumber: string | undefined
}

interface RoundOptions {
  readonly server: TestServer
  readonly round: number
  readonly random: Random
  readonly clients: number
}

class Round {
  /** What FIFO sends were answered with, newest last, by queue. */
  readonly answers = new Map<string, SentAnswer[]>()
  moveTasks = 0
  readonly #options: RoundOptions
  readonly #sqs: SQS
  readonly #done = { sent: 0, deleted: 0 }
  #numbers = 0

  constructor(options: RoundOptions) {
    this.#options = options
    this.#sqs = new SQS(clientConfig(options.server.url))
  }

  isBusy(lines: readonly Line[]): boolean {
    return this.#done.sent >= WORK_MIN * lines.length && this.#done.deleted >= WORK_MIN
  }

  /** Until the server is gone. */
  async work(lines: readonly Line[]): Promise<void> {
    const workers = lines.flatMap((line) => [
      ...Array.from({ length: this.#options.clients }, (_, client) => [this.#sendOn(line, client), this.#receiveOn(line)]).flat(),
      ...(line.dead === undefined ? [] : [this.#bringBack(line.dead)]),
    ])
    const outcomes = await Promise.allSettled(workers)
    this.#sqs.destroy()
    // What a client found wrong, told apart from the end of the server.
    for (const outcome of outcomes)
      if (outcome.status === 'rejected' && outcome.reason instanceof assert.AssertionError) throw outcome.reason
  }

  async #sendOn(line: Line, client: number): Promise<never> {
    const { round, server, random } = this.#options
    const QueueUrl = urlOf(server, line.name)
    for (;;) {
      const count = 1 + random.below(BATCH_MAX)
      // One client a group: the order in which it sends is the group's.
      const group = line.isFifo ? `group-${client}` : undefined
      const bodies = Array.from({ length: count }, () => `${line.name} ${round}-${client}-${this.#numbers++}`)
      for (const body of bodies) line.ledger.asksToSend(body, group)
      const Entries = bodies.map((body, at) => entryOf(body, group, at))
      const { Successful = [], Failed = [] } = await this.#sqs.sendMessageBatch({ QueueUrl, Entries })
      assert.deepEqual(Failed, [])
      for (const { Id, MessageId, SequenceNumber } of Successful) {
        const body = bodies[Number(Id)] ?? ''
        line.ledger.sent(body)
        this.#done.sent++
        if (group === undefined) continue
        const answers = this.answers.get(line.name) ?? []
        answers.push({ body, group, messageId: MessageId, sequenceNumber: SequenceNumber })
        this.answers.set(line.name, answers)
      }
    }
  }

  /** Move tasks, one behind another. */
  async #bringBack(dead: string): Promise<never> {
    for (;;) {
      if (await isDone(this.#sqs.startMessageMoveTask({ SourceArn: ARN + dead }))) this.moveTasks++
      await pause(MOVE_PAUSE_MS)
    }
  }

  async #receiveOn(line: Line): Promise<never> {
    const { round, server, random } = this.#options
    const QueueUrl = urlOf(server, line.name)
    for (;;) {
      const since = line.ledger.moment()
      const { Messages = [] } = await this.#sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 })
      const bodies = Messages.map(({ Body }) => Body ?? '')
      line.ledger.received(bodies, since, round)
      // Deleting in order, up to where one is kept, is what keeps a group in order.
      let isKept = false
      for (const { Body: body = '', ReceiptHandle } of Messages) {
        const choice = random.below(10)
        if (choice < line.deletedInTen && !(isKept && line.isFifo)) {
          line.ledger.asksToDelete(body)
          // A client that is late finds its handle expired, or its message with another.
          if (await isDone(this.#sqs.deleteMessage({ QueueUrl, ReceiptHandle }))) {
            line.ledger.deleted(body)
            this.#done.deleted++
          }
          continue
        }
        isKept = true
        if (choice % 2 === 0) await isDone(this.#sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
      }
    }
  }
}

/** False when it was refused; throws when the server is gone. */
async function isDone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    const { httpStatusCode = 0 } = (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata ?? {}
    if (httpStatusCode >= 400 && httpStatusCode < 500) return false
    throw error
  }
}

function entryOf(body: string, group: string | undefined, at: number) {
  return {
    Id: String(at),
    MessageBody: body,
    ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: body.replaceAll(' ', '-') }),
  }
}

/** Duplicates stay what they were, through the kill: what was answered is answered so again, and what was not comes to be there once. */
async function sendAgain(server: TestServer, lines: readonly Line[], { answers }: Round): Promise<number> {
  const sqs = new SQS(clientConfig(server.url))
  let duplicates = 0
  for (const { name, isFifo, ledger } of lines) {
    if (!isFifo) continue
    const QueueUrl = urlOf(server, name)
    for (const { body, group, messageId, sequenceNumber } of (answers.get(name) ?? []).slice(-10)) {
      const { Id: _, ...again } = entryOf(body, group, 0)
      const { MessageId, SequenceNumber } = await sqs.sendMessage({ QueueUrl, ...again })
      assert.deepEqual([MessageId, SequenceNumber], [messageId, sequenceNumber], `${body} is the same message again`)
      duplicates++
    }
    for (const { body, group } of ledger.inDoubt()) {
      const { Id: _, ...again } = entryOf(body, group, 0)
      await sqs.sendMessage({ QueueUrl, ...again })
      ledger.sent(body)
    }
  }
  sqs.destroy()
  return duplicates
}

/** Everything comes out, from where it is; returns how many were dead letters. */
async function lookAtAll(server: TestServer, lines: readonly Line[]): Promise<number> {
  const sqs = new SQS(clientConfig(server.url))
  for (const { dead } of lines) if (dead !== undefined) await untilTrue(`no move of ${dead} under way`, () => isAtRest(sqs, dead))
  await pause((VISIBILITY_SECONDS + 1) * 1000)
  let deadLetters = 0
  for (const { name, dead, ledger } of lines) {
    await empty(sqs, urlOf(server, name), ledger)
    if (dead !== undefined) deadLetters += await empty(sqs, urlOf(server, dead), ledger)
  }
  sqs.destroy()
  return deadLetters
}

async function isAtRest(sqs: SQS, dead: string): Promise<boolean> {
  const { Results = [] } = await sqs.listMessageMoveTasks({ SourceArn: ARN + dead, MaxResults: 10 })
  return Results.every(({ Status }) => Status !== 'RUNNING')
}

async function empty(sqs: SQS, QueueUrl: string, ledger: Ledger): Promise<number> {
  let count = 0
  for (let empty = 0; empty < EMPTY_MAX; empty++) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 })
    for (const { Body } of Messages) ledger.found(Body ?? '')
    count += Messages.length
    if (Messages.length === 0 && (await isEmpty(sqs, QueueUrl))) return count
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
    if (Entries.length === 0) continue
    empty = 0
    const { Failed = [] } = await sqs.deleteMessageBatch({ QueueUrl, Entries })
    assert.deepEqual(Failed, [])
  }
  throw new assert.AssertionError({ message: `${QueueUrl} counts messages that never come` })
}

/** A receive that only moved dead letters away gives nothing, though there is more. */
async function isEmpty(sqs: SQS, QueueUrl: string): Promise<boolean> {
  const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
  return Attributes?.['ApproximateNumberOfMessages'] === '0'
}
