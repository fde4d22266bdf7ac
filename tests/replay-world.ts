// FIFO topics with archives and replays over simulated parts, in time that is moved by hand: the operations, the follower that files, and
// the runs that replay.
import type { TestContext } from 'node:test'
import { createTopicArchiveFollower } from '../src/followers/topic-archive.ts'
import { createNotification, formatEnvelope } from '../src/model/notification.ts'
import { createSns, type Sns } from '../src/services/sns/index.ts'
import { LatestMessages } from '../src/services/sns/latest-messages.ts'
import { ReplayRuns } from '../src/services/sns/replay-runs.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { type MemoryFiles, memoryFiles } from '../src/storage/memory/files.ts'
import { NO_STORE_KEYS } from '../src/storage/store-keys.ts'
import { openTopicArchives } from '../src/storage/topic-archives/archives.ts'
import { ACCOUNT, createHarness, type HarnessOptions } from './harness.ts'

const QUEUE_POLICY = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }],
})

export interface ReplayWorldOptions extends HarnessOptions {
  /** Of the archives. */
  readonly archiveFiles?: MemoryFiles
  readonly fileBytes?: number
  readonly refusal?: () => string | undefined
}

export interface Received {
  readonly MessageId: string
  readonly Body: string
  readonly ReceiptHandle: string
  readonly Attributes: Readonly<Record<string, string>>
  readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue?: string }>>
}

export const bodies = (messages: readonly Received[]): string => messages.map(({ Body }) => Body).join(' ')

export const queueArn = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
export const at = (time: number): string => new Date(time).toISOString()
export const replayFrom = (from: number, until?: number): string =>
  JSON.stringify({ PointType: 'Timestamp', StartingPoint: at(from), ...(until !== undefined && { EndingPoint: at(until) }) })

export async function createReplayWorld(t: TestContext, options: ReplayWorldOptions = {}) {
  const made: { sns?: Sns } = {}
  const harness = await createHarness(
    (env) => ({
      sns: (made.sns = createSns({
        tables: env.tables,
        protocols: { sqs: { validate: () => undefined }, https: { validate: () => undefined } },
      })),
      sqs: createSqs({
        notifications: (header, body, { subscriptionArn, isReplay }) =>
          Promise.resolve(
            formatEnvelope(
              createNotification(header, body, {
                ...{ protocol: 'sqs', subscriptionArn, baseUrl: 'https://test' },
                ...(isReplay !== undefined && { isReplay }),
              }),
              undefined,
            ),
          ),
        hasAwsRates: false,
        isSealedAtRest: false,
      }),
    }),
    options,
  )
  const archives = openTopicArchives({
    ...{ files: options.archiveFiles ?? memoryFiles(), folder: '/topic-archives', log: harness.env.log },
    sealing: { keys: NO_STORE_KEYS, random: harness.env.random },
    ...(options.fileBytes !== undefined && { fileBytes: options.fileBytes }),
  })
  harness.follow(createTopicArchiveFollower({ env: harness.env, archives }))
  const runs = new ReplayRuns(harness.env, archives, made.sns?.latest ?? new LatestMessages(), options.refusal ?? (() => undefined))
  t.after(async () => {
    await runs.stop()
    await harness.close()
  })
  const call = async <T>(service: string, operation: string, input: object): Promise<T> => {
    const output = (await harness.call(service, operation, input)) as T
    await harness.env.commits.settled()
    return output
  }
  const sns = <T = unknown>(operation: string, input: object) => call<T>('sns', operation, input)
  const sqs = <T = unknown>(operation: string, input: object) => call<T>('sqs', operation, input)
  const { clock } = harness
  return {
    ...harness,
    archives,
    runs,
    sns,
    sqs,
    topic: async (Attributes: object = { ArchivePolicy: '{"MessageRetentionPeriod":"30"}' }, Name = 'orders.fifo') =>
      (await sns<{ TopicArn: string }>('CreateTopic', { Name, Attributes: { FifoTopic: 'true', ...Attributes } })).TopicArn,
    queue: async (name: string, Attributes: object = {}) => {
      const kind = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
      await sqs('CreateQueue', { QueueName: name, Attributes: { Policy: QUEUE_POLICY, ...kind, ...Attributes } })
      return queueArn(name)
    },
    subscribe: async (TopicArn: string, Endpoint: string, Attributes: object = {}) =>
      (
        await sns<{ SubscriptionArn: string }>('Subscribe', {
          TopicArn,
          Protocol: 'sqs',
          Endpoint,
          Attributes: { RawMessageDelivery: 'true', ...Attributes },
        })
      ).SubscriptionArn,
    publish: (TopicArn: string, Message: string, MessageGroupId = 'g', more: object = {}) =>
      sns<{ MessageId: string; SequenceNumber: string }>('Publish', {
        TopicArn,
        Message,
        MessageGroupId,
        MessageDeduplicationId: Message,
        ...more,
      }),
    setReplay: (SubscriptionArn: string, AttributeValue: string) =>
      sns('SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'ReplayPolicy', AttributeValue }),
    subscription: async (SubscriptionArn: string) =>
      (await sns<{ Attributes: Record<string, string> }>('GetSubscriptionAttributes', { SubscriptionArn })).Attributes,
    topicAttributes: async (TopicArn: string) =>
      (await sns<{ Attributes: Record<string, string> }>('GetTopicAttributes', { TopicArn })).Attributes,
    /** Time goes on a little, and everything that is due is done. */
    async settle(milliseconds = 200): Promise<void> {
      for (let passed = 0; passed < milliseconds; passed += 2) {
        clock.advance(2)
        for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
    },
    /** All that waits, each message deleted. */
    async taken(name: string): Promise<Received[]> {
      const taken: Received[] = []
      for (;;) {
        const QueueUrl = `https://sealcast.test/${ACCOUNT}/${name}`
        const wanted = { MaxNumberOfMessages: 10, AttributeNames: ['All'], MessageAttributeNames: ['All'] }
        const { Messages = [] } = await sqs<{ Messages?: Received[] }>('ReceiveMessage', { QueueUrl, ...wanted })
        if (Messages.length === 0) return taken
        taken.push(...Messages)
        for (const { ReceiptHandle } of Messages) await sqs('DeleteMessage', { QueueUrl, ReceiptHandle })
      }
    },
    /** The server's own acts with that name: what they tell. */
    async acts(name: string): Promise<readonly Record<string, unknown>[]> {
      const events = await harness.events()
      return events
        .filter(({ record }) => record['eventName'] === name)
        .map(({ record }) => record['serviceEventDetails'] as Record<string, unknown>)
    },
  }
}
