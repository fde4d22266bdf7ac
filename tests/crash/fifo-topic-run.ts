// The promise of FIFO topics: thousands of messages in many groups to several queues, with receivers that fail and a SIGKILL in the middle.
// Publishers send again what was not answered; each queue has every message once, and each group in order: also the one that comes late, to
// which all is replayed, while the topic goes on and the server dies.
import assert from 'node:assert/strict'
import { SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { type Random, seededRandom } from '../../src/base/random.ts'
import { topicsMaySend } from '../queue-policy.ts'
import { type TestServer, clientConfig, startTestServer } from '../server.ts'
import { pause } from '../until.ts'
import { type CrashRun, endClean } from './crash-run.ts'

export interface FifoTopicOptions extends CrashRun {
  readonly messages: number
  readonly groups: number
  readonly queues: number
}

export interface FifoTopicReport {
  readonly published: number
  /** Messages that came again because their receiver failed, or died with the server. */
  readonly redelivered: number
  readonly failures: number
}

const PUBLISHERS = 4
const BATCH = 10
/** Of a hundred messages so many are not dealt with at the first go. */
const FAILING_IN_HUNDRED = 7
const VISIBILITY_SECONDS = 2
const RETRY_MS = 50
/** Without any progress. */
const PATIENCE_MS = 60_000
const LATE = 'late.fifo'
/** When it comes: shortly before the server dies. */
const LATE_SHARE = 0.49
const TOPIC = 'orders.fifo'
const TOPIC_ARN = `arn:aws:sns:us-east-1:000000000000:${TOPIC}`

interface Body {
  readonly group: number
  readonly at: number
}

interface Answer {
  readonly MessageId: string | undefined
  readonly SequenceNumber: string | undefined
}

export async function runFifoTopic(options: FifoTopicOptions): Promise<FifoTopicReport> {
  const { folder, messages, groups, queues, seed, report } = options
  const random = seededRandom(seed)
  let server = await startTestServer({ data: folder })
  const port = ['--port', String(server.port)]
  const names = Array.from({ length: queues }, (_, at) => `receiver-${at}.fifo`)
  try {
    const from = await makeTopic(server, names)
    const run = new Run(server.url, { messages, groups, random })
    const publishing = Array.from({ length: PUBLISHERS }, (_, publisher) => run.publish(publisher))
    const receiving = names.map((name) => run.receive(name))
    const killing = (async () => {
      await run.reached(Math.floor(messages / 2))
      await server.kill()
      report(`killed after ${run.published} of ${messages} were answered`)
      server = await startTestServer({ data: folder, words: port })
    })()
    const joining = (async () => {
      await run.reached(Math.floor(messages * LATE_SHARE))
      const subscriptionArn = await run.join(from)
      await run.receive(LATE)
      await run.replayed(subscriptionArn)
    })()
    const all = Promise.all([...publishing, ...receiving, killing, joining])
    all.catch(() => run.stop())
    await all
    await run.checkRepeats()
    run.close()
    await endClean(server, options)
    return { published: run.published, redelivered: run.redelivered, failures: run.failures }
  } finally {
    await server.kill().catch(() => {})
  }
}

/** Gives the time from which on all is archived. */
async function makeTopic({ url }: TestServer, names: readonly string[]): Promise<string> {
  const [sns, sqs] = [new SNS(clientConfig(url)), new SQS(clientConfig(url))]
  await sns.createTopic({ Name: TOPIC, Attributes: { FifoTopic: 'true', ArchivePolicy: '{"MessageRetentionPeriod":1}' } })
  const Attributes = { FifoQueue: 'true', VisibilityTimeout: String(VISIBILITY_SECONDS), Policy: topicsMaySend('*') }
  await sqs.createQueue({ QueueName: LATE, Attributes })
  for (const [at, name] of names.entries()) {
    await sqs.createQueue({ QueueName: name, Attributes })
    // Raw and in envelopes by turns.
    const RawMessageDelivery = String(at % 2 === 0)
    const Endpoint = `arn:aws:sqs:us-east-1:000000000000:${name}`
    await sns.subscribe({ TopicArn: TOPIC_ARN, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery } })
  }
  const topic = await sns.getTopicAttributes({ TopicArn: TOPIC_ARN })
  sns.destroy()
  sqs.destroy()
  return topic.Attributes?.['BeginningArchiveTime'] ?? ''
}

class Run {
  published = 0
  redelivered = 0
  failures = 0
  readonly #url: string
  readonly #sns: SNS
  readonly #sqs: SQS
  readonly #options: Pick<FifoTopicOptions, 'messages' | 'groups'> & { readonly random: Random }
  readonly #answers = new Map<string, Answer>()
  #progressAt = performance.now()
  #isStopped = false

  constructor(url: string, options: Pick<FifoTopicOptions, 'messages' | 'groups'> & { readonly random: Random }) {
    this.#url = url
    this.#options = options
    this.#sns = new SNS(clientConfig(url))
    this.#sqs = new SQS(clientConfig(url))
  }

  stop(): void {
    this.#isStopped = true
  }

  close(): void {
    this.#sns.destroy()
    this.#sqs.destroy()
  }

  async reached(count: number): Promise<void> {
    while (this.published < count) await this.#wait('publishers')
  }

  /** A queue that gets everything from then on, by a replay. */
  async join(from: string): Promise<string> {
    const Attributes = {
      RawMessageDelivery: 'true',
      ReplayPolicy: JSON.stringify({ PointType: 'Timestamp', StartingPoint: from }),
    }
    const Endpoint = `arn:aws:sqs:us-east-1:000000000000:${LATE}`
    const { SubscriptionArn = '' } = await this.#again(() =>
      this.#sns.subscribe({ TopicArn: TOPIC_ARN, Protocol: 'sqs', Endpoint, Attributes }),
    )
    return SubscriptionArn
  }

  async replayed(SubscriptionArn: string): Promise<void> {
    for (;;) {
      const { Attributes } = await this.#again(() => this.#sns.getSubscriptionAttributes({ SubscriptionArn }))
      if (Attributes?.['ReplayStatus'] === 'Completed') return
      await this.#wait('the replay')
    }
  }

  /** Each publisher has groups of its own, so that the order in which it sends is theirs. */
  async publish(publisher: number): Promise<void> {
    const { messages, groups } = this.#options
    const own: string[] = []
    for (let at = 0; at < messages; at++)
      if ((at % groups) % PUBLISHERS === publisher) own.push(JSON.stringify({ group: at % groups, at: Math.floor(at / groups) }))
    while (own.length > 0) {
      const batch = own.slice(0, BATCH)
      const answers = await this.#again(() => this.#publishBatch(batch))
      for (const [at, answer] of answers.entries()) this.#answers.set(batch[at] ?? '', answer)
      own.splice(0, batch.length)
      this.published += batch.length
      this.#progressAt = performance.now()
    }
  }

  async #publishBatch(bodies: readonly string[]): Promise<readonly Answer[]> {
    const { Successful = [], Failed } = await this.#sns.publishBatch({
      TopicArn: TOPIC_ARN,
      PublishBatchRequestEntries: bodies.map((body, at) => ({
        Id: String(at),
        Message: body,
        MessageGroupId: `group-${(JSON.parse(body) as Body).group}`,
        MessageDeduplicationId: body.replaceAll(/[^0-9]+/g, '-'),
      })),
    })
    assert.deepEqual(Failed, [])
    return Successful.map(({ MessageId, SequenceNumber }) => ({ MessageId, SequenceNumber }))
  }

  /** What was answered is answered alike when it is sent again. */
  async checkRepeats(): Promise<void> {
    const bodies = [...this.#answers.keys()].slice(-BATCH)
    assert.deepEqual(
      await this.#publishBatch(bodies),
      bodies.map((body) => this.#answers.get(body)),
    )
    const inOrder = new Map<number, string>()
    for (const [body, { SequenceNumber = '' }] of this.#answers) {
      const { group } = JSON.parse(body) as Body
      assert.ok(SequenceNumber > (inOrder.get(group) ?? ''), `sequence numbers rise in group ${group}`)
      inOrder.set(group, SequenceNumber)
    }
  }

  /** Until every message was dealt with; then nothing more may come. */
  async receive(name: string): Promise<void> {
    const QueueUrl = `${this.#url}/000000000000/${name}`
    const { messages } = this.#options
    /** By group: how many were dealt with. */
    const done = new Map<number, number>()
    /** SQS's id of each message: a second copy would have another. */
    const ids = new Map<string, string>()
    let dealtWith = 0
    const deal = (message: Message): boolean => {
      const text = textOf(message)
      const { group, at } = JSON.parse(text) as Body
      const known = ids.get(text)
      if (known !== undefined) {
        assert.equal(message.MessageId, known, `${name}: one copy of ${text}`)
        this.redelivered++
      }
      ids.set(text, message.MessageId ?? '')
      assert.equal(message.Attributes?.MessageGroupId, `group-${group}`)
      const next = done.get(group) ?? 0
      assert.ok(at <= next, `${name}: ${text} came before number ${next}`)
      if (at === next && this.#options.random.below(100) < FAILING_IN_HUNDRED) return false
      if (at === next) {
        done.set(group, at + 1)
        dealtWith++
        this.#progressAt = performance.now()
      }
      return true
    }
    while (dealtWith < messages) {
      const received = await this.#again(() => this.#take(QueueUrl))
      const failed = new Set<string>()
      const [deleted, back]: [Message[], Message[]] = [[], []]
      for (const message of received) {
        const group = message.Attributes?.MessageGroupId ?? ''
        if (!failed.has(group) && deal(message)) deleted.push(message)
        else {
          failed.add(group)
          back.push(message)
        }
      }
      this.failures += failed.size
      // What the end of the server keeps from being deleted comes again.
      await this.#sqs.deleteMessageBatch({ QueueUrl, Entries: entriesOf(deleted) }).catch(() => {})
      const Entries = entriesOf(back).map((entry) => ({ ...entry, VisibilityTimeout: 0 }))
      await this.#sqs.changeMessageVisibilityBatch({ QueueUrl, Entries }).catch(() => {})
    }
    assert.equal(ids.size, messages)
  }

  async #take(QueueUrl: string): Promise<readonly Message[]> {
    const wanted = { MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageSystemAttributeNames: ['MessageGroupId' as const] }
    return (await this.#sqs.receiveMessage({ QueueUrl, ...wanted })).Messages ?? []
  }

  /** Until the server answers. */
  async #again<Result>(call: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        await this.#wait(String(error))
      }
    }
  }

  async #wait(what: string): Promise<void> {
    if (this.#isStopped) throw new Error('the run stopped')
    if (performance.now() - this.#progressAt > PATIENCE_MS) throw new Error(`nothing moves: ${what}`)
    await pause(RETRY_MS)
  }
}

/** As it was published, in whatever it came. */
function textOf({ Body: body = '' }: Message): string {
  const parsed = JSON.parse(body) as { readonly Message?: string }
  return parsed.Message ?? body
}

function entriesOf(messages: readonly Message[]): { Id: string; ReceiptHandle: string | undefined }[] {
  return messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
}
