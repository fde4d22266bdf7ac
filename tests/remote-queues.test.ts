// Queues of another server, which is the SQS that topics of this one send to: signed, confirmed, refused, in order through kills of both.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until, untilTrue } from './until.ts'

const ACCOUNT = '000000000000'
const OTHER = '111111111111'
const SECRET = 'the-secret-of-the-other-sqs'
const OTHER_KEY = { accessKeyId: 'AKIAOTHEROTHEROTHER1', secretAccessKey: SECRET }
const folder = temporaryFolder()
const credentials = join(folder.path, 'credentials')
const data = join(folder.path, 'data')
const giveKey = (secret: string): void =>
  writeFileSync(credentials, `[default]\naws_access_key_id = ${OTHER_KEY.accessKeyId}\naws_secret_access_key = ${secret}\n`, {
    mode: 0o600,
  })
giveKey(SECRET)

const startOther = (port: number) =>
  startTestServer({
    data: join(folder.path, 'other'),
    words: ['--port', String(port)],
    environment: {
      SEALCAST_ACCOUNT_ID: OTHER,
      SEALCAST_ROOT_ACCESS_KEY_ID: OTHER_KEY.accessKeyId,
      SEALCAST_ROOT_SECRET_ACCESS_KEY: SECRET,
    },
  })
const startHere = (remoteEndpoint: string, words: readonly string[] = [], folderOf = data) =>
  startTestServer({
    data: folderOf,
    words: ['--set', `sqs.remoteEndpoint=${remoteEndpoint}`, '--set', `sqs.remoteCredentialsFile=${credentials}`, ...words],
  })

let other = await startOther(await freePort())
let here = await startHere(other.url)
let sns = new SNS(clientConfig(here.url))
const there = new SQS({ ...clientConfig(other.url, OTHER_KEY), maxAttempts: 3 })
after(async () => {
  await here.kill()
  await other.kill()
  folder.remove()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function queueThere(QueueName: string): Promise<string> {
  const Attributes = QueueName.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
  const { QueueUrl = '' } = await there.createQueue({ QueueName, Attributes })
  return QueueUrl
}

async function take(QueueUrl: string, patience = 10): Promise<Message | undefined> {
  const asked = { QueueUrl, WaitTimeSeconds: patience, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] }
  const { Messages: [message] = [] } = await there.receiveMessage(asked)
  if (message !== undefined) await there.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle })
  return message
}

/** Subscribed, and confirmed with the token that arrived in the queue there. */
async function subscribeThere(TopicArn: string, name: string, Attributes: Record<string, string> = {}): Promise<string> {
  const QueueUrl = await queueThere(name)
  const Endpoint = `arn:aws:sqs:us-east-1:${OTHER}:${name}`
  const { SubscriptionArn } = await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint, Attributes })
  assert.equal(SubscriptionArn, 'pending confirmation')
  const { Type, Token, SubscribeURL } = JSON.parse((await take(QueueUrl))?.Body ?? '{}') as Record<string, string>
  assert.equal(Type, 'SubscriptionConfirmation')
  assert.ok(SubscribeURL?.startsWith(`${here.url}/?Action=ConfirmSubscription`))
  await sns.confirmSubscription({ TopicArn, Token })
  return QueueUrl
}

async function lastAttempt(messageId: string): Promise<Record<string, unknown>> {
  return until('an attempt', async () => {
    const { output } = await runCommand(['deliveries', messageId, '--data', data, '--json'])
    const last = output.trimEnd().split('\n').at(-1)
    return last === '' || last === undefined ? undefined : (JSON.parse(last) as Record<string, unknown>)
  })
}

test('a queue of another account is asked, and gets the envelope, or the message as it is', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'far' })
  const QueueUrl = await subscribeThere(TopicArn, 'far')
  const { MessageId = '' } = await sns.publish({ TopicArn, Message: 'hi ü', Subject: 's' })
  const envelope = JSON.parse((await take(QueueUrl))?.Body ?? '{}') as Record<string, string>
  assert.deepEqual([envelope['MessageId'], envelope['Message'], envelope['Subject']], [MessageId, 'hi ü', 's'])
  assert.ok(Buffer.from(envelope['Signature'] ?? '', 'base64').length === 256)
  const { outcome, status, endpoint, attempt } = await lastAttempt(MessageId)
  assert.deepEqual([outcome, status, endpoint, attempt], ['delivered', 200, `arn:aws:sqs:us-east-1:${OTHER}:far`, 1])

  const rawUrl = await subscribeThere(TopicArn, 'raw', { RawMessageDelivery: 'true' })
  await sns.publish({
    ...{ TopicArn, Message: 'as it is', MessageGroupId: 'tenant-1' },
    MessageAttributes: {
      kind: { DataType: 'String', StringValue: 'ä' },
      blob: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) },
    },
  })
  const raw = await take(rawUrl)
  assert.deepEqual([raw?.Body, raw?.MessageAttributes?.['kind']?.StringValue], ['as it is', 'ä'])
  assert.deepEqual([...(raw?.MessageAttributes?.['blob']?.BinaryValue ?? [])], [2, 3, 4])
  assert.equal(raw?.Attributes?.MessageGroupId, 'tenant-1')
  await sns.deleteTopic({ TopicArn })
})

test('a queue that is not there is given up, and the letter lies here; what the key lacks comes again, until it is mended', async () => {
  const own = new SQS(clientConfig(here.url))
  const { QueueUrl: deadUrl = '' } = await own.createQueue({ QueueName: 'dead', Attributes: { Policy: topicsMaySend('*') } })
  const { TopicArn = '' } = await sns.createTopic({ Name: 'hopeless' })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead` })
  const QueueUrl = await subscribeThere(TopicArn, 'gone', { RedrivePolicy })
  giveKey('not-the-secret')
  const first = await sns.publish({ TopicArn, Message: 'one' })
  const { outcome, status, reason } = await lastAttempt(first.MessageId ?? '')
  assert.deepEqual([outcome, status], ['retry', 400])
  assert.match(String(reason), /^sqs answered 400 InvalidSignatureException: look at the credentials and the clocks$/)
  giveKey(SECRET)
  assert.match((await take(QueueUrl))?.Body ?? '', /"Message" : "one"/)
  await there.deleteQueue({ QueueUrl })
  const { MessageId = '' } = await sns.publish({ TopicArn, Message: 'two' })
  const { Messages: [letter] = [] } = await own.receiveMessage({ QueueUrl: deadUrl, WaitTimeSeconds: 20 })
  assert.match(letter?.Body ?? '', /"Message" : "two"/)
  const last = await lastAttempt(MessageId)
  assert.deepEqual([last['outcome'], last['reason']], ['dead-lettered', 'sqs answered 400 QueueDoesNotExist'])
  await sns.deleteTopic({ TopicArn })
})

test('a FIFO topic fills a FIFO queue of another server once and in order, whoever of both is killed', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'far.fifo', Attributes: { FifoTopic: 'true' } })
  const QueueUrl = await subscribeThere(TopicArn, 'far.fifo', { RawMessageDelivery: 'true' })
  const sent = new Map<string, string[]>()
  let count = 0
  const send = async (): Promise<void> => {
    const bodies = Array.from({ length: 10 }, () => `g${count % 5}-${String(count++).padStart(3, '0')}`)
    const entries = bodies.map((Message) => ({
      Id: Message,
      Message,
      MessageGroupId: Message.slice(0, 2),
      MessageDeduplicationId: Message,
    }))
    await sns.publishBatch({ TopicArn, PublishBatchRequestEntries: entries })
    for (const body of bodies) sent.set(body.slice(0, 2), [...(sent.get(body.slice(0, 2)) ?? []), body])
  }
  await send()
  const { port } = other
  await Promise.all([send(), other.kill()])
  await send()
  await here.kill()
  const [again, back] = await Promise.all([startHere(other.url), startOther(port)])
  here = again
  other = back
  sns = new SNS(clientConfig(here.url))
  await send()
  const arrived = new Map<string, string[]>()
  let total = 0
  await untilTrue('all are there', async () => {
    const asked = { QueueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['MessageGroupId' as const] }
    const { Messages: messages = [] } = await there.receiveMessage(asked)
    for (const { Attributes: { MessageGroupId: group = '' } = {}, Body: body = '', ReceiptHandle } of messages) {
      arrived.set(group, [...(arrived.get(group) ?? []), body])
      total++
      await there.deleteMessage({ QueueUrl, ReceiptHandle })
    }
    return total >= count
  })
  assert.deepEqual(arrived, sent)
  await sns.deleteTopic({ TopicArn })
})

test('a server whose endpoint is itself notices, and gives the message up', async () => {
  const port = await freePort()
  const alone = join(folder.path, 'alone')
  const self = await startHere(`http://127.0.0.1:${port}`, ['--port', String(port), '--set', 'regions.names=us-east-1'], alone)
  try {
    const client = new SNS(clientConfig(self.url))
    const { TopicArn = '' } = await client.createTopic({ Name: 'loop' })
    const Endpoint = `arn:aws:sqs:eu-west-1:${ACCOUNT}:loop`
    const { SubscriptionArn } = await client.subscribe({ TopicArn, Protocol: 'sqs', Endpoint })
    assert.match(SubscriptionArn ?? '', /^arn:/)
    const { MessageId = '' } = await client.publish({ TopicArn, Message: 'hi' })
    const row = await until('the attempt', async () => {
      const { output } = await runCommand(['deliveries', MessageId, '--data', alone, '--json'])
      return output === '' ? undefined : (JSON.parse(output.split('\n')[0] ?? '') as Record<string, unknown>)
    })
    assert.deepEqual(
      [row['outcome'], row['status'], row['reason']],
      ['refused', 508, 'sqs answered 508 LoopDetected: the endpoint is this very server'],
    )
  } finally {
    await self.kill()
  }
})

test('the key is nowhere in what the server keeps or says', async () => {
  const log = here.log()
  assert.ok(!log.includes(SECRET))
  await here.stop()
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    try {
      assert.ok(!readFileSync(join(data, name)).includes(SECRET), name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
    }
  }
})
