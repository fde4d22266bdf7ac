// Queues over a volume that refuses a write or loses its power at any of its calls: no call is answered as if it had been done, and after a
// restart there is what was acknowledged, nothing that was deleted, and a duplicate is still one.
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Random, seededRandom } from '../src/base/random.ts'
import { ServiceError } from '../src/model/service-error.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { JournalFailed } from '../src/storage/journal.ts'
import { type MemoryFiles, memoryFiles } from '../src/storage/memory/files.ts'
import { Ledger } from './crash/queue-ledger.ts'
import { createHarness, type Harness } from './harness.ts'

const FIRST_SEED = Number(process.env['SEALCAST_FAULT_SEED'] ?? 1)
const POINTS = Number(process.env['SEALCAST_QUEUE_FAULTS'] ?? 60)
/** Small, so that calls beside writes (new segments, their names) come to be struck as well. */
const SIZES = { segmentBytes: 24 * 1024, slabBytes: 16 * 1024, ringBytes: 16 * 1024 }
const STEPS = 60
const URL = 'http://sealcast.test:4566/000000000001/'

interface Message {
  readonly Body: string
  readonly ReceiptHandle: string
}

test('what was acknowledged of queues survives any write that fails and any power cut', async () => {
  const seen = { refused: 0, cut: 0, duplicates: 0, deleted: 0 }
  for (let seed = FIRST_SEED; seed < FIRST_SEED + POINTS; seed++) {
    try {
      await strike(seededRandom(seed), seed, seen)
    } catch (error) {
      throw new Error(`SEALCAST_FAULT_SEED=${seed} SEALCAST_QUEUE_FAULTS=1 repeats it`, { cause: error })
    }
  }
  if (POINTS >= 60) for (const [what, count] of Object.entries(seen)) assert.ok(count > POINTS / 10, `${what}: ${count} times`)
})

type Seen = Record<'refused' | 'cut' | 'duplicates' | 'deleted', number>

async function strike(random: Random, seed: number, seen: Seen): Promise<void> {
  const files = memoryFiles({ simulate: true })
  const ledger = new Ledger()
  const open = (life: number): Promise<Harness> =>
    createHarness(() => ({ sqs: createSqs({ notifications: () => Promise.reject(new Error('no topic')) }) }), {
      files,
      sizes: SIZES,
      seed: seed * 2 + life,
    })
  const harness = await open(0)
  await harness.call('sqs', 'CreateQueue', { QueueName: 'plain', Attributes: { VisibilityTimeout: '0' } })
  await harness.call('sqs', 'CreateQueue', { QueueName: 'line.fifo', Attributes: { FifoQueue: 'true', VisibilityTimeout: '0' } })
  const kind = (['ENOSPC', 'EIO', 'cut'] as const)[seed % 3]
  const strikesAt = files.calls + 1 + random.below(80)
  files.fault = ({ number }) => (number === strikesAt || (kind === 'cut' && number > strikesAt) ? kind : undefined)
  const { answered, isRefused } = await workUntilRefused(harness, random, ledger)
  if (isRefused) {
    seen[kind === 'cut' ? 'cut' : 'refused']++
    // From now on nothing that is to be written is done.
    for (const [operation, input] of [
      ['SendMessage', { QueueUrl: `${URL}plain`, MessageBody: 'late' }],
      ['PurgeQueue', { QueueUrl: `${URL}plain` }],
      ['DeleteQueue', { QueueUrl: `${URL}line.fifo` }],
    ] as const)
      await assert.rejects(harness.call('sqs', operation, input), (error: ServiceError) => error.status === 503)
  }
  files.fault = undefined
  recover(files, kind === 'cut', random)
  await lookAt(await open(1), ledger, answered, seen)
}

function recover(files: MemoryFiles, isCut: boolean, random: Random): void {
  if (isCut) files.crash(random)
  else files.restart()
}

interface Answer {
  readonly MessageId: string
  readonly SequenceNumber: string
}
interface FifoAnswer extends Answer {
  readonly body: string
}

interface Work {
  /** What FIFO sends were answered with. */
  readonly answered: readonly FifoAnswer[]
  readonly isRefused: boolean
}

async function workUntilRefused(harness: Harness, random: Random, ledger: Ledger): Promise<Work> {
  const answered: FifoAnswer[] = []
  try {
    for (let step = 0; step < STEPS; step++) {
      const isFifo = random.below(2) === 0
      const QueueUrl = `${URL}${isFifo ? 'line.fifo' : 'plain'}`
      if (random.below(2) === 0) {
        const body = `${step}-${'x'.repeat(random.below(600))}`
        const group = isFifo ? `group-${random.below(2)}` : undefined
        ledger.asksToSend(body, group)
        const answer = await harness.call('sqs', 'SendMessage', sendInput(QueueUrl, body, group))
        ledger.sent(body)
        const { MessageId, SequenceNumber } = answer as unknown as Answer
        if (isFifo) answered.push({ body, MessageId, SequenceNumber })
        continue
      }
      const since = ledger.moment()
      const { Messages = [] } = (await harness.call('sqs', 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 3,
        VisibilityTimeout: 30,
      })) as {
        readonly Messages?: readonly Message[]
      }
      await harness.env.commits.settled()
      ledger.received(
        Messages.map(({ Body }) => Body),
        since,
        step,
      )
      for (const { Body, ReceiptHandle } of Messages) {
        const isDeleted = random.below(3) > 0
        if (isDeleted) ledger.asksToDelete(Body)
        const input = { QueueUrl, ReceiptHandle, ...(!isDeleted && { VisibilityTimeout: 0 }) }
        await harness.call('sqs', isDeleted ? 'DeleteMessage' : 'ChangeMessageVisibility', input)
        if (isDeleted) ledger.deleted(Body)
      }
    }
  } catch (error) {
    const isRefusal = error instanceof JournalFailed || (error instanceof ServiceError && error.status === 503)
    if (!isRefusal) throw error
    return { answered, isRefused: true }
  }
  return { answered, isRefused: false }
}

function sendInput(QueueUrl: string, MessageBody: string, MessageGroupId: string | undefined): object {
  if (MessageGroupId === undefined) return { QueueUrl, MessageBody }
  return { QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId: MessageBody.split('-')[0] }
}

async function lookAt(harness: Harness, ledger: Ledger, answered: readonly FifoAnswer[], seen: Seen): Promise<void> {
  for (const { body, ...answer } of answered.slice(-5)) {
    const { MessageId, SequenceNumber } = (await harness.call(
      'sqs',
      'SendMessage',
      sendInput(`${URL}line.fifo`, body, 'group-0'),
    )) as unknown as Answer
    assert.deepEqual({ MessageId, SequenceNumber }, answer, 'a duplicate of what was acknowledged')
    seen.duplicates++
  }
  harness.clock.advance(60_000)
  for (const name of ['plain', 'line.fifo']) {
    const QueueUrl = `${URL}${name}`
    for (;;) {
      const { Messages = [] } = (await harness.call('sqs', 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 600,
      })) as {
        readonly Messages?: readonly Message[]
      }
      if (Messages.length === 0) break
      const since = ledger.moment()
      ledger.received(
        Messages.map(({ Body }) => Body),
        since,
        0,
      )
      for (const { Body, ReceiptHandle } of Messages) {
        ledger.found(Body)
        ledger.asksToDelete(Body)
        await harness.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle })
      }
    }
  }
  seen.deleted += ledger.counts.deleted
  ledger.close()
  await harness.close()
}
