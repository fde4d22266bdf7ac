// needs: sqs-consumer
// sqs-consumer, unchanged: messages one by one and in batches, handlers that fail or take long, dead letters, and the order of FIFO groups.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from '../file-server.ts'
import { clientConfig } from '../server.ts'
import { pause, untilTrue } from '../until.ts'

interface Message {
  readonly Body?: string
  readonly Attributes?: Readonly<Record<string, string>>
}
interface Consumer {
  start(): void
  stop(options: { readonly abort: boolean }): void
  on(event: 'error' | 'processing_error', listener: (error: Error) => void): void
}
interface Options {
  readonly handleMessage?: (message: Message) => Promise<Message | undefined>
  readonly handleMessageBatch?: (messages: readonly Message[]) => Promise<readonly Message[]>
  readonly batchSize?: number
  readonly visibilityTimeout?: number
  readonly heartbeatInterval?: number
  readonly terminateVisibilityTimeout?: boolean
}
const packages = createRequire(join(process.env['TEST_PACKAGES'] ?? import.meta.dirname, 'package.json'))

const { server } = await startFileServer()
const sqs = new SQS(clientConfig(server.url))
const consumers: Consumer[] = []
after(async () => {
  for (const consumer of consumers) consumer.stop({ abort: true })
})

/** Errors of the handlers themselves are told apart from those of the queue, of which there must be none. */
function startConsumer(queueUrl: string, options: Options): { readonly failures: readonly Error[] } {
  const failures: Error[] = []
  const { Consumer: kind } = packages('sqs-consumer') as { readonly Consumer: { create(options: object): Consumer } }
  const consumer = kind.create({
    queueUrl,
    sqs,
    waitTimeSeconds: 5,
    messageSystemAttributeNames: ['All'],
    suppressFifoWarning: true,
    ...options,
  })
  consumer.on('error', (error) => failures.push(error))
  consumer.on('processing_error', (error) => {
    if (!error.message.includes('as the test wants it')) failures.push(error)
  })
  consumers.push(consumer)
  consumer.start()
  return { failures }
}

async function makeQueue(QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sqs.createQueue({ QueueName, Attributes })).QueueUrl ?? ''
}

async function sendAll(QueueUrl: string, bodies: readonly string[], groupOf?: (at: number) => string): Promise<void> {
  for (let from = 0; from < bodies.length; from += 10) {
    const { Failed } = await sqs.sendMessageBatch({
      QueueUrl,
      Entries: bodies.slice(from, from + 10).map((MessageBody, at) => ({
        Id: String(at),
        MessageBody,
        ...(groupOf !== undefined && { MessageGroupId: groupOf(from + at), MessageDeduplicationId: MessageBody.replace(' ', '-') }),
      })),
    })
    assert.deepEqual(Failed ?? [], [])
  }
}

function isEmpty(QueueUrl: string): () => Promise<boolean> {
  return async () => {
    const { Attributes = {} }: { Attributes?: Record<string, string> } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })
    return ['', 'NotVisible', 'Delayed'].every((kind) => Attributes[`ApproximateNumberOfMessages${kind}`] === '0')
  }
}

const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `message ${at}`)

test('sqs-consumer: batches are handled, those that are kept back come again, and the queue is empty in the end', async () => {
  const queueUrl = await makeQueue('batches')
  const bodies = numbered(100)
  const done = new Map<string, number>()
  const refused = new Set<string>()
  const { failures } = startConsumer(queueUrl, {
    batchSize: 10,
    visibilityTimeout: 3,
    async handleMessageBatch(messages) {
      // Of each batch the first is kept back once.
      const [first] = messages
      const isKeptBack = refused.size < 5 && !refused.has(first?.Body ?? '')
      if (isKeptBack) refused.add(first?.Body ?? '')
      const handled = isKeptBack ? messages.slice(1) : messages
      for (const { Body = '' } of handled) done.set(Body, (done.get(Body) ?? 0) + 1)
      return handled
    },
  })
  await sendAll(queueUrl, bodies)
  await untilTrue('every message', () => done.size === bodies.length)
  await untilTrue('an empty queue', isEmpty(queueUrl))
  assert.equal(refused.size, 5)
  assert.deepEqual([...new Set(done.values())], [1], 'what was handled and deleted did not come again')
  assert.deepEqual(failures, [])
})

test('sqs-consumer: a handler that takes long keeps its message, one that fails gets it again, and then it is a dead letter', async () => {
  const dead = await makeQueue('slow-and-broken-dead')
  const deadLetterTargetArn = 'arn:aws:sqs:us-east-1:000000000000:slow-and-broken-dead'
  const queueUrl = await makeQueue('slow-and-broken', { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 3 }) })
  const runs: string[] = []
  const { failures } = startConsumer(queueUrl, {
    visibilityTimeout: 3,
    heartbeatInterval: 1,
    terminateVisibilityTimeout: true,
    async handleMessage(message) {
      runs.push(message.Body ?? '')
      if (message.Body === 'broken') throw new Error('as the test wants it')
      // Longer than its visibility timeout: heartbeats keep it.
      await pause(4500)
      return message
    },
  })
  await sendAll(queueUrl, ['slow', 'broken'])
  await untilTrue('a dead letter', async () => !(await isEmpty(dead)()))
  await untilTrue('an empty queue', isEmpty(queueUrl))
  assert.deepEqual(
    runs.filter((body) => body === 'slow'),
    ['slow'],
  )
  assert.deepEqual(
    runs.filter((body) => body === 'broken'),
    ['broken', 'broken', 'broken'],
  )
  assert.deepEqual(failures, [])
})

test('sqs-consumer: two consumers at a FIFO queue handle each group in its order, each message once', async () => {
  const queueUrl = await makeQueue('line.fifo', { FifoQueue: 'true' })
  const bodies = numbered(60)
  const groupOf = (at: number): string => `group-${at % 3}`
  const handled: string[] = []
  const working = new Map<string, number>()
  const handleMessage = async (message: Message): Promise<Message> => {
    const group = message.Attributes?.['MessageGroupId'] ?? ''
    working.set(group, (working.get(group) ?? 0) + 1)
    await pause(5)
    handled.push(message.Body ?? '')
    assert.equal(working.get(group), 1, 'one at a time of each group')
    working.set(group, 0)
    return message
  }
  const failures = [1, 2].map(() => startConsumer(queueUrl, { visibilityTimeout: 30, handleMessage }).failures)
  await sendAll(queueUrl, bodies, groupOf)
  await untilTrue('every message', () => handled.length >= bodies.length)
  await untilTrue('an empty queue', isEmpty(queueUrl))
  for (const group of [0, 1, 2])
    assert.deepEqual(
      handled.filter((body) => bodies.indexOf(body) % 3 === group),
      bodies.filter((_, at) => at % 3 === group),
    )
  assert.deepEqual(failures.flat(), [])
})
