// The promise under SIGKILL: rounds of publishing with many in flight, a kill at a random moment, a restart, and a look at what is there.
// What was acknowledged must be there once with its event, in the queue and at the receiver; what was not is there whole or not at all.
import assert from 'node:assert/strict'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { seededRandom } from '../../src/base/random.ts'
import { topicsMaySend } from '../queue-policy.ts'
import { type TestServer, clientConfig, runCommand, startTestServer } from '../server.ts'
import { pause, untilTrue } from '../until.ts'
import { type CrashRun, endClean } from './crash-run.ts'

export interface CrashOptions extends CrashRun {
  readonly rounds: number
  readonly inFlight: number
}

export interface CrashReport {
  readonly rounds: number
  readonly acknowledged: number
  readonly unacknowledgedKept: number
  readonly slowestStartMs: number
}

const KILL_AFTER_MS_SPREAD = 400
const DELIVERY_PATIENCE_MS = 30_000

export async function runCrashRounds(options: CrashOptions): Promise<CrashReport> {
  const { folder, rounds, seed, inFlight, report } = options
  const random = seededRandom(seed)
  const receiver = await openReceiver()
  let acknowledged = 0
  let unacknowledgedKept = 0
  let slowestStartMs = 0
  const seenEvents = new Set<string>()
  let server = await startTestServer({ data: folder })
  try {
    const { topicArn, queueUrl } = await setUp(server, receiver.url)
    const port = ['--port', String(server.port)]
    let number = 0
    for (let round = 1; round <= rounds; round++) {
      const texts = new Map<string, string>()
      const publishing = publishUntilDead(server, topicArn, inFlight, () => `round ${round} message ${number++}`, texts)
      await untilTrue(`round ${round}: something acknowledged`, () => texts.size > 0)
      await pause(random.below(KILL_AFTER_MS_SPREAD))
      await server.kill()
      await publishing
      const started = performance.now()
      server = await startTestServer({ data: folder, words: port })
      slowestStartMs = Math.max(slowestStartMs, performance.now() - started)
      const kept = await verify({ server, folder, queueUrl, receiver, seenEvents }, texts, round)
      acknowledged += texts.size
      unacknowledgedKept += kept - texts.size
      report(`round ${round}: ${texts.size} acknowledged, ${kept - texts.size} more kept`)
    }
    await endClean(server, options)
  } finally {
    await server.kill().catch(() => {})
    receiver.close()
  }
  return { rounds, acknowledged, unacknowledgedKept, slowestStartMs }
}

async function setUp({ url }: TestServer, receiverUrl: string): Promise<{ readonly topicArn: string; readonly queueUrl: string }> {
  const sns = new SNS(clientConfig(url))
  const sqs = new SQS(clientConfig(url))
  const topicArn = (await sns.createTopic({ Name: 'crash' })).TopicArn ?? ''
  const queueArn = topicArn.replace(':sns:', ':sqs:')
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'crash', Attributes: { Policy: topicsMaySend(queueArn) } })
  await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes: { RawMessageDelivery: 'true' } })
  await sns.subscribe({ TopicArn: topicArn, Protocol: 'http', Endpoint: receiverUrl })
  await untilTrue('both subscriptions confirmed', async () => {
    const { Attributes } = await sns.getTopicAttributes({ TopicArn: topicArn })
    return Attributes?.['SubscriptionsConfirmed'] === '2'
  })
  return { topicArn, queueUrl: QueueUrl ?? '' }
}

/** Keeps `inFlight` publishes going until the server is gone; `texts` gets what was acknowledged, text by message id. */
async function publishUntilDead(
  server: TestServer,
  topicArn: string,
  inFlight: number,
  next: () => string,
  texts: Map<string, string>,
): Promise<void> {
  const sns = new SNS(clientConfig(server.url))
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (;;) {
        const text = next()
        try {
          const { MessageId } = await sns.publish({ TopicArn: topicArn, Message: text })
          texts.set(MessageId ?? '', text)
        } catch {
          return
        }
      }
    }),
  )
  sns.destroy()
}

interface Kept {
  readonly server: TestServer
  readonly folder: string
  readonly queueUrl: string
  readonly receiver: Receiver
  /** Message ids in the events that former rounds looked at. */
  readonly seenEvents: Set<string>
}

/** Returns how many messages of the round are there. */
async function verify(
  { server, folder, queueUrl, receiver, seenEvents }: Kept,
  texts: ReadonlyMap<string, string>,
  round: number,
): Promise<number> {
  const queued = await drain(server, queueUrl)
  const duplicates = queued.filter((text, at) => queued.indexOf(text) !== at)
  assert.deepEqual(duplicates, [], `round ${round}: no message is in the queue twice`)
  const inQueue = new Set(queued)
  for (const text of texts.values()) assert.ok(inQueue.has(text), `round ${round}: acknowledged, and in the queue: ${text}`)
  const told = await toldMessages(folder, seenEvents)
  for (const id of texts.keys()) assert.equal(told.get(id), 1, `round ${round}: acknowledged, and one event tells of it: ${id}`)
  assert.equal(told.size, queued.length, `round ${round}: as many events as messages`)
  await receiver.waitFor(queued, DELIVERY_PATIENCE_MS, round)
  return queued.length
}

/** Message ids in the events of successful publishes that were not looked at before, with how often each is told. */
async function toldMessages(folder: string, seen: Set<string>): Promise<Map<string, number>> {
  const sql =
    "SELECT json_extract_string(responseelements, '$.messageId') AS id, count(*)::INTEGER AS n FROM events" +
    " WHERE eventname = 'Publish' AND errorcode IS NULL GROUP BY 1"
  const { code, output, notes } = await runCommand(['query', '--data', folder, '--json', sql])
  assert.equal(code, 0, notes)
  const rows =
    output.trim() === ''
      ? []
      : output
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { id: string; n: number })
  const fresh = rows.filter(({ id }) => !seen.has(id))
  for (const { id } of fresh) seen.add(id)
  return new Map(fresh.map(({ id, n }) => [id, n]))
}

async function drain({ url }: TestServer, queueUrl: string): Promise<string[]> {
  const sqs = new SQS(clientConfig(url))
  const texts: string[] = []
  for (;;) {
    const { Messages } = await sqs.receiveMessage({ QueueUrl: new URL(new URL(queueUrl).pathname, url).href, MaxNumberOfMessages: 10 })
    if (Messages === undefined || Messages.length === 0) break
    texts.push(...Messages.map(({ Body }) => Body ?? ''))
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
    const { Failed } = await sqs.deleteMessageBatch({ QueueUrl: queueUrl, Entries })
    assert.deepEqual(Failed ?? [], [])
  }
  sqs.destroy()
  return texts
}

interface Receiver {
  readonly url: string
  waitFor(texts: readonly string[], patienceMs: number, round: number): Promise<void>
  close(): void
}

async function openReceiver(): Promise<Receiver> {
  const received = new Set<string>()
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { Type: string; Message: string; SubscribeURL?: string }
      if (message.Type === 'Notification') received.add(message.Message)
      else if (message.SubscribeURL !== undefined) void fetch(message.SubscribeURL).then((answer) => answer.text())
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async waitFor(texts, patienceMs, round) {
      const until = performance.now() + patienceMs
      while (performance.now() < until) {
        if (texts.every((text) => received.has(text))) return
        await pause(20)
      }
      const missing = texts.filter((text) => !received.has(text))
      assert.deepEqual(missing, [], `round ${round}: every message reaches the receiver`)
    },
    close: () => server.close().closeAllConnections(),
  }
}
