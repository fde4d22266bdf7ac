// What becomes of a topic's message at queues that refuse it, and at queues that keep it sealed: told with the status and the code of SQS.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { AttemptRecord } from '../src/model/delivery.ts'
import { readEntries } from '../src/model/entry.ts'
import type { MessageHeader } from '../src/model/message.ts'
import { createSns } from '../src/services/sns/index.ts'
import { createSqs } from '../src/services/sqs/index.ts'
import { ACCOUNT, createHarness, type Harness, REGION } from './harness.ts'
import { topicsMaySend } from './queue-policy.ts'

const HOST = 'sealcast.test:4566'
const arnOf = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`
const urlOf = (name: string): string => `http://${HOST}/${ACCOUNT}/${name}`
const OPEN = topicsMaySend('*')
const SECRET = 'planted-in-a-topic'

interface World extends Harness {
  readonly topicArn: string
  /** A queue that the topic sends to, its letters to `dead`. */
  subscribe(name: string, attributes: Readonly<Record<string, string>>): Promise<void>
  publish(): Promise<readonly AttemptRecord[]>
  bodies(name: string): Promise<readonly string[]>
}

async function createWorld(t: TestContext): Promise<World> {
  const notifications = (header: MessageHeader, body: string) => Promise.resolve(`${header.type} ${header.subject ?? ''} ${body}`)
  const harness = await createHarness((env) => ({
    sns: createSns({ tables: env.tables, protocols: { sqs: { validate: () => undefined } } }),
    sqs: createSqs({ notifications }),
  }))
  t.after(() => harness.close())
  const { TopicArn: topicArn = '' } = (await harness.call('sns', 'CreateTopic', { Name: 'topic' })) as { TopicArn?: string }
  return {
    ...harness,
    topicArn,
    async subscribe(name, Attributes) {
      await harness.call('sqs', 'CreateQueue', { QueueName: name, Attributes })
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('dead') })
      await harness.call('sns', 'Subscribe', { TopicArn: topicArn, Protocol: 'sqs', Endpoint: arnOf(name), Attributes: { RedrivePolicy } })
    },
    async publish() {
      const from = harness.env.journal.durable
      await harness.call('sns', 'Publish', { TopicArn: topicArn, Message: SECRET, Subject: 'of it' })
      const frames = await harness.env.journal.read(from, 1 << 20)
      return frames
        .flatMap(({ payload }) => readEntries(payload))
        .flatMap(({ entry }) => (entry.kind === 'attempt' ? [JSON.parse(entry.json.toString()) as AttemptRecord] : []))
    },
    async bodies(name) {
      const { Messages = [] } = (await harness.call('sqs', 'ReceiveMessage', { QueueUrl: urlOf(name), MaxNumberOfMessages: 10 })) as {
        Messages?: { Body: string }[]
      }
      return Messages.map(({ Body }) => Body)
    },
  }
}

test('a queue that keeps the topic out, is gone, or has no key for it refuses in the words of SQS', async (t) => {
  for (const [attributes, status, reason] of [
    [{}, 403, `AccessDenied: Access to the resource ${arnOf('q')} is denied. `],
    [undefined, 400, 'AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist or you do not have access to it.'],
    [{ Policy: OPEN, KmsMasterKeyId: 'none' }, 400, "KMS.NotFoundException: Invalid keyId 'none'"],
    [{ Policy: OPEN, KmsMasterKeyId: 'alias/aws/sqs' }, 400, 'KMS.AccessDeniedException: The key alias/aws/sqs serves no other service.'],
  ] as const) {
    const world = await createWorld(t)
    await world.subscribe('q', attributes ?? {})
    if (attributes === undefined) await world.call('sqs', 'DeleteQueue', { QueueUrl: urlOf('q') })
    const [refused, ...others] = await world.publish()
    assert.deepEqual([others.length, refused?.outcome, refused?.status, refused?.endpoint], [0, 'refused', status, arnOf('q')])
    assert.ok(refused?.reason.startsWith(reason), String(refused?.reason))
    await world.call('sqs', 'CreateQueue', { QueueName: 'dead', Attributes: { Policy: OPEN, SqsManagedSseEnabled: 'true' } })
    const [dead] = await world.publish()
    assert.deepEqual([dead?.outcome, dead?.status], ['dead-lettered', status])
    assert.deepEqual(await world.bodies('dead'), [`Notification of it ${SECRET}`])
  }
})

test('a queue with encryption gets a sealed copy of its own, with the subject, beside others that share one', async (t) => {
  const world = await createWorld(t)
  const { result: key, done } = world.env.commits.commit((tx) => world.env.keys.create(tx, { account: ACCOUNT, region: REGION }))
  await done
  await world.subscribe('open', { Policy: OPEN })
  await world.subscribe('kms', { Policy: OPEN, KmsMasterKeyId: key.arn })
  await world.subscribe('sse', { Policy: OPEN, SqsManagedSseEnabled: 'true' })
  const from = world.env.journal.durable
  assert.deepEqual(await world.publish(), [])
  const messages = (await world.env.journal.read(from, 1 << 20))
    .flatMap(({ payload }) => readEntries(payload))
    .flatMap(({ entry }) => (entry.kind === 'message' ? [`${entry.header.toString('latin1')} ${entry.body.toString('latin1')}`] : []))
  assert.equal(messages.length, 3)
  assert.equal(messages.filter((text) => text.includes(SECRET) || text.includes('of it')).length, 1)
  for (const name of ['open', 'kms', 'sse']) assert.deepEqual(await world.bodies(name), [`Notification of it ${SECRET}`])
})
