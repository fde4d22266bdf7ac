// FIFO queues by the stock SDK, over both protocols, against a server process that is also killed: every attribute and rule that its users
// meet. The time of windows and timeouts is simulated in the tests beside the operations.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { refusalOf } from './refusal.ts'
import { clientConfig, startTestServer, temporaryFolder } from './server.ts'
import { sendSigned } from './sign.ts'

const folder = temporaryFolder()
let server = await startTestServer({ data: folder.path })
let sqs = new SQS(clientConfig(server.url))
after(async () => {
  await server.kill()
  folder.remove()
})

const FIFO = { FifoQueue: 'true' }
const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`
const create = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sqs.createQueue({ QueueName, Attributes: { ...FIFO, ...Attributes } })).QueueUrl ?? ''
const send = (QueueUrl: string, MessageGroupId: string, MessageBody: string, MessageDeduplicationId?: string) =>
  sqs.sendMessage({ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId })
const receive = async (QueueUrl: string, more = {}): Promise<Message[]> =>
  (await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more })).Messages ?? []
const bodiesOf = (messages: readonly Message[]): string => messages.map(({ Body }) => Body).join(' ')

async function killAndRestart(): Promise<void> {
  await server.kill()
  server = await startTestServer({ data: folder.path, words: ['--port', String(server.port)] })
  sqs = new SQS(clientConfig(server.url))
}

test('attributes are set, shown with their defaults, and held to their rules', async () => {
  const QueueUrl = await create('attributes.fifo')
  const shown = async () => (await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ['All'] })).Attributes ?? {}
  const { FifoQueue, ContentBasedDeduplication, DeduplicationScope, FifoThroughputLimit } = await shown()
  assert.deepEqual([FifoQueue, ContentBasedDeduplication, DeduplicationScope, FifoThroughputLimit], ['true', 'false', 'queue', 'perQueue'])
  const highThroughput = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId', ContentBasedDeduplication: 'true' }
  await sqs.setQueueAttributes({ QueueUrl, Attributes: highThroughput })
  assert.deepEqual({ ...(await shown()), ...highThroughput }, await shown())
  const refused = await refusalOf(sqs.setQueueAttributes({ QueueUrl, Attributes: { DeduplicationScope: 'queue' } }))
  assert.equal(refused[0], 'InvalidAttributeValue')
  assert.match(refused[2], /To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup\.$/)
  assert.equal((await refusalOf(sqs.createQueue({ QueueName: 'a.fifo' })))[0], 'InvalidParameterValue')
  assert.equal((await refusalOf(sqs.createQueue({ QueueName: 'a', Attributes: FIFO })))[0], 'InvalidParameterValue')
  assert.equal((await refusalOf(sqs.createQueue({ QueueName: 'a', Attributes: { FifoQueue: 'false' } })))[0], 'InvalidAttributeName')
})

test('what a FIFO queue asks of a message is refused by name where it is missing', async () => {
  const QueueUrl = await create('refusals.fifo')
  const noGroup = await refusalOf(sqs.sendMessage({ QueueUrl, MessageBody: 'x', MessageDeduplicationId: 'd' }))
  assert.match(noGroup[2], /must contain the parameter MessageGroupId\.$/)
  assert.match((await refusalOf(send(QueueUrl, 'g', 'x')))[2], /ContentBasedDeduplication enabled or MessageDeduplicationId/)
  assert.match((await refusalOf(send(QueueUrl, 'g', 'x', 'a b')))[2], /^Value a b for parameter MessageDeduplicationId is invalid\./)
  const delayed = sqs.sendMessage({ QueueUrl, MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd', DelaySeconds: 5 })
  assert.match((await refusalOf(delayed))[2], /not valid for this queue type\.$/)
})

test('groups keep their order, one is never in two hands, and handles expire', async () => {
  const QueueUrl = await create('order.fifo', { ContentBasedDeduplication: 'true' })
  const { Successful = [] } = await sqs.sendMessageBatch({
    QueueUrl,
    Entries: ['a1', 'b1', 'a2', 'a1', 'a3'].map((MessageBody, at) => ({
      Id: `${at}`,
      MessageBody,
      MessageGroupId: MessageBody.slice(0, 1),
    })),
  })
  assert.equal(Successful[3]?.SequenceNumber, Successful[0]?.SequenceNumber)
  const [a1, a2] = await receive(QueueUrl, { MaxNumberOfMessages: 2 })
  assert.deepEqual([a1?.Body, a2?.Body], ['a1', 'a2'])
  assert.deepEqual(
    [a1?.Attributes?.MessageGroupId, a1?.Attributes?.MessageDeduplicationId, a1?.Attributes?.SequenceNumber],
    ['a', createHash('sha256').update('a1').digest('hex'), Successful[0]?.SequenceNumber],
  )
  assert.equal(bodiesOf(await receive(QueueUrl)), 'b1')
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: a1?.ReceiptHandle })
  await sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle: a2?.ReceiptHandle, VisibilityTimeout: 0 })
  assert.equal(bodiesOf(await receive(QueueUrl)), 'a2 a3')
  const expired = await refusalOf(sqs.deleteMessage({ QueueUrl, ReceiptHandle: a2?.ReceiptHandle }))
  assert.match(expired[2], /Reason: The receipt handle has expired\.$/)
})

test('a long poll is answered when a group becomes free', async () => {
  const QueueUrl = await create('poll.fifo', { ContentBasedDeduplication: 'true' })
  await send(QueueUrl, 'a', 'a1')
  await send(QueueUrl, 'a', 'a2')
  const [first] = await receive(QueueUrl, { MaxNumberOfMessages: 1 })
  const polling = receive(QueueUrl, { WaitTimeSeconds: 20 })
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: first?.ReceiptHandle })
  assert.equal(bodiesOf(await polling), 'a2')
})

test('order, ids, attempts and what is in flight outlive a kill', async () => {
  const QueueUrl = await create('killed.fifo')
  const first = await send(QueueUrl, 'a', 'a1', 'id1')
  for (const text of ['a2', 'a3', 'b1']) await send(QueueUrl, text.slice(0, 1), text, text)
  const attempt = { ReceiveRequestAttemptId: 'lost-answer', MaxNumberOfMessages: 2, VisibilityTimeout: 600 }
  const given = await receive(QueueUrl, attempt)
  await killAndRestart()
  const repeat = await send(QueueUrl, 'a', 'a1', 'id1')
  assert.deepEqual([repeat.MessageId, repeat.SequenceNumber], [first.MessageId, first.SequenceNumber])
  await send(QueueUrl, 'a', 'a4', 'a4')
  assert.deepEqual(await receive(QueueUrl, attempt), given)
  assert.equal(bodiesOf(await receive(QueueUrl)), 'b1')
  for (const { ReceiptHandle } of given) await sqs.deleteMessage({ QueueUrl, ReceiptHandle })
  assert.equal(bodiesOf(await receive(QueueUrl)), 'a3 a4')
})

test('what is received too often goes to a FIFO dead-letter queue, in order and with its ids', async () => {
  const dead = await create('dead.fifo')
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('dead.fifo'), maxReceiveCount: 1 })
  const QueueUrl = await create('source.fifo', { RedrivePolicy, VisibilityTimeout: '0' })
  for (const text of ['a1', 'a2']) await send(QueueUrl, 'a', text, `id of ${text}`.replaceAll(' ', '-'))
  const given = await receive(QueueUrl)
  assert.deepEqual(await receive(QueueUrl), [])
  const moved = await receive(dead)
  assert.equal(bodiesOf(moved), 'a1 a2')
  assert.deepEqual(
    moved.map(({ MessageId }) => MessageId),
    given.map(({ MessageId }) => MessageId),
  )
  assert.equal(moved[0]?.Attributes?.MessageDeduplicationId, 'id-of-a1')
  assert.equal(moved[0]?.Attributes?.DeadLetterQueueSourceArn, arnOf('source.fifo'))
  await sqs.createQueue({ QueueName: 'standard-dead' })
  const wrong = JSON.stringify({ deadLetterTargetArn: arnOf('standard-dead'), maxReceiveCount: 1 })
  assert.match((await refusalOf(create('wrong.fifo', { RedrivePolicy: wrong })))[2], /must be same type of queue as the source\.\.$/)
})

test('the group of a message reaches the queues of its topic, and a FIFO queue takes none of a standard topic', async () => {
  const sns = new SNS(clientConfig(server.url))
  const { TopicArn = '' } = await sns.createTopic({ Name: 'tenants' })
  const Policy = topicsMaySend('*')
  const { QueueUrl = '' } = await sqs.createQueue({ QueueName: 'tenants', Attributes: { Policy } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('tenants'), Attributes: { RawMessageDelivery: 'true' } })
  for (let at = 0; at < 20; at++) await sns.publish({ TopicArn, Message: `loud ${at}`, MessageGroupId: 'loud' })
  await receive(QueueUrl)
  await sns.publish({ TopicArn, Message: 'quiet', MessageGroupId: 'quiet' })
  const [message] = await receive(QueueUrl, { MaxNumberOfMessages: 1 })
  assert.deepEqual([message?.Body, message?.Attributes?.MessageGroupId], ['quiet', 'quiet'])
  await create('of-no-topic.fifo', { Policy })
  assert.match(
    (await refusalOf(sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('of-no-topic.fifo') })))[2],
    /FIFO SQS Queues can not be subscribed to standard SNS topics$/,
  )
})

test('clients of the query protocol are told the same', async () => {
  const form = async (parameters: Readonly<Record<string, string>>) => {
    const body = new URLSearchParams({ Version: '2012-11-05', ...parameters }).toString()
    return (await sendSigned(server.port, { service: 'sqs', body })).body
  }
  const textOf = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''
  const made = await form({ Action: 'CreateQueue', QueueName: 'query.fifo', 'Attribute.1.Name': 'FifoQueue', 'Attribute.1.Value': 'true' })
  const QueueUrl = textOf(made, 'QueueUrl')
  const message = { Action: 'SendMessage', QueueUrl, MessageBody: 'x', MessageGroupId: 'g' }
  const sent = await form({ ...message, MessageDeduplicationId: 'd' })
  assert.match(textOf(sent, 'SequenceNumber'), /^\d{20}$/)
  assert.equal(textOf(await form({ ...message, MessageDeduplicationId: 'd' }), 'SequenceNumber'), textOf(sent, 'SequenceNumber'))
  const refused = await form(message)
  assert.equal(textOf(refused, 'Code'), 'InvalidParameterValue')
  assert.match(textOf(refused, 'Message'), /ContentBasedDeduplication enabled/)
  const ask = { Action: 'ReceiveMessage', QueueUrl, 'AttributeName.1': 'All', ReceiveRequestAttemptId: 'attempt' }
  const received = await form(ask)
  assert.ok(received.includes(`<Name>SequenceNumber</Name><Value>${textOf(sent, 'SequenceNumber')}</Value>`), received)
  assert.equal(textOf(await form(ask), 'ReceiptHandle'), textOf(received, 'ReceiptHandle'))
})
