// FIFO topics by the stock SDK, against a server process that is also killed: every attribute and rule that their users meet, in the words
// of AWS. The time of windows is simulated in the tests beside the operations.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'

const ACCOUNT = '000000000000'
const folder = temporaryFolder()
let server = await startTestServer({ data: folder.path })
let sns = new SNS(clientConfig(server.url))
let sqs = new SQS(clientConfig(server.url))
after(async () => {
  await server.kill()
  folder.remove()
})

const FIFO = { FifoTopic: 'true' }
const arnOf = (service: 'sns' | 'sqs', name: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`
const create = async (Name: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sns.createTopic({ Name, Attributes: { ...FIFO, ...Attributes } })).TopicArn ?? ''
const attributesOf = async (TopicArn: string) => (await sns.getTopicAttributes({ TopicArn })).Attributes ?? {}
const setting = (TopicArn: string, AttributeName: string, AttributeValue: string) =>
  sns.setTopicAttributes({ TopicArn, AttributeName, AttributeValue })
const subscribe = (TopicArn: string, Endpoint: string, Attributes: Record<string, string> = {}, Protocol = 'sqs') =>
  sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true })
const publish = (TopicArn: string, Message: string, MessageGroupId?: string, MessageDeduplicationId?: string) =>
  sns.publish({ TopicArn, Message, MessageGroupId, MessageDeduplicationId })

async function queue(QueueName: string): Promise<string> {
  const Policy = topicsMaySend('*')
  const Attributes = { Policy, ...(QueueName.endsWith('.fifo') && { FifoQueue: 'true' }) }
  await sqs.createQueue({ QueueName, Attributes })
  return arnOf('sqs', QueueName)
}

async function receive(name: string): Promise<Message[]> {
  const QueueUrl = `${server.url}/${ACCOUNT}/${name}`
  return (await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] })).Messages ?? []
}

test('names end with .fifo, within 256 characters, and the topic is FIFO from its creation on', async () => {
  const longest = `${'x'.repeat(251)}.fifo`
  assert.equal(await create(longest), arnOf('sns', longest))
  for (const Name of [`x${longest}`, '.fifo', 'a.b.fifo', 'a.FIFO', 'plain'])
    assert.deepEqual(await refusalOf(create(Name)), invalid('Topic Name'), Name)
  for (const more of [{}, { Attributes: { FifoTopic: 'false' } }])
    assert.deepEqual(await refusalOf(sns.createTopic({ Name: 'orders.fifo', ...more })), invalid('Topic Name'))
  assert.deepEqual(
    await refusalOf(create('orders.fifo', { FifoTopic: 'maybe' })),
    invalid('Attributes Reason: FifoTopic: Invalid value [maybe]. Must be true or false.'),
  )
  for (const value of ['true', 'false'])
    assert.deepEqual(await refusalOf(setting(await create('kind.fifo'), 'FifoTopic', value)), invalid('AttributeName'))
})

test('attributes: what a fresh one shows, what may be set, and what creating again asks for', async () => {
  const TopicArn = await create('attributes.fifo')
  const fresh = await attributesOf(TopicArn)
  assert.deepEqual([fresh['FifoTopic'], fresh['ContentBasedDeduplication'], fresh['FifoThroughputScope']], ['true', 'false', undefined])
  await setting(TopicArn, 'ContentBasedDeduplication', 'true')
  for (const scope of ['MessageGroup', 'Topic']) {
    await setting(TopicArn, 'FifoThroughputScope', scope)
    assert.equal((await attributesOf(TopicArn))['FifoThroughputScope'], scope)
  }
  assert.equal((await attributesOf(TopicArn))['ContentBasedDeduplication'], 'true')
  assert.equal(await create('attributes.fifo', { ContentBasedDeduplication: 'true' }), TopicArn)
  assert.deepEqual(
    await refusalOf(create('attributes.fifo', { ContentBasedDeduplication: 'false' })),
    invalid('Attributes Reason: Topic already exists with different attributes'),
  )
  const wrong: readonly (readonly [name: string, value: string, text: string])[] = [
    ['ContentBasedDeduplication', 'yes', 'ContentBasedDeduplication: Invalid value [yes]. Must be true or false.'],
    ['FifoThroughputScope', 'topic', 'FifoThroughputScope: Invalid value [topic]. Must be Topic or MessageGroup.'],
    [
      'ArchivePolicy',
      '{"MessageRetentionPeriod":"366"}',
      'ArchivePolicy: MessageRetentionPeriod must be a whole number of days from 1 to 365',
    ],
  ]
  for (const [name, value, text] of wrong) {
    assert.deepEqual(await refusalOf(setting(TopicArn, name, value)), invalid(text))
    assert.deepEqual(await refusalOf(create('wrong.fifo', { [name]: value })), invalid(`Attributes Reason: ${text}`))
  }
  const { TopicArn: plain = '' } = await sns.createTopic({ Name: 'plain' })
  for (const [name, value] of [
    ['ContentBasedDeduplication', 'true'],
    ['FifoThroughputScope', 'Topic'],
    ['ArchivePolicy', '{"MessageRetentionPeriod":"30"}'],
  ] as const)
    assert.deepEqual(await refusalOf(setting(plain, name, value)), invalid(`${name}: can only be set for FIFO topics`))
})

test('subscribers are queues of both kinds and nobody else; a FIFO queue wants a FIFO dead-letter queue', async () => {
  const TopicArn = await create('subscribers.fifo')
  for (const [protocol, endpoint] of [
    ['https', 'https://example.com/'],
    ['email', 'a@example.com'],
    ['lambda', arnOf('sqs', 'x').replace(':sqs:', ':lambda:')],
    ['sms', '+15555550100'],
    ['application', 'none'],
  ] as const)
    assert.deepEqual(await refusalOf(subscribe(TopicArn, endpoint, {}, protocol)), invalid(`Invalid protocol type: ${protocol}`))
  assert.deepEqual(
    await refusalOf(subscribe(TopicArn, 'x', {}, 'pigeon')),
    invalid('Amazon SNS does not support this protocol string: pigeon'),
  )
  const redrive = (name: string) => ({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf('sqs', name) }) })
  const text = 'RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.'
  const ordered = arnOf('sqs', 'ordered.fifo')
  assert.deepEqual(await refusalOf(subscribe(TopicArn, ordered, redrive('dead'))), invalid(`Attributes Reason: ${text}`))
  const { SubscriptionArn } = await subscribe(TopicArn, ordered, redrive('dead.fifo'))
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue })
  assert.deepEqual(await refusalOf(set('RedrivePolicy', redrive('dead').RedrivePolicy)), invalid(text))
  assert.deepEqual(
    await refusalOf(set('ReplayPolicy', '{"PointType":"Timestamp","StartingPoint":"2026-01-01T00:00:00.000Z"}')),
    invalid('ReplayPolicy: the topic has no archive to replay from; its owner has to set an ArchivePolicy first'),
  )
  await subscribe(TopicArn, arnOf('sqs', 'plain'), redrive('dead'))
})

test('what a FIFO topic asks of a message is refused by name where it is missing or malformed', async () => {
  const TopicArn = await create('messages.fifo')
  assert.deepEqual(
    await refusalOf(publish(TopicArn, 'x', undefined, 'd')),
    invalid('The MessageGroupId parameter is required for FIFO topics'),
  )
  assert.deepEqual(
    await refusalOf(publish(TopicArn, 'x', 'g')),
    invalid('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'),
  )
  const form = 'must have 1 to 128 characters, alphanumeric or punctuation'
  for (const bad of ['a b', 'ä', 'x'.repeat(129)]) {
    assert.deepEqual(await refusalOf(publish(TopicArn, 'x', bad, 'd')), invalid(`MessageGroupId Reason: ${form}`))
    assert.deepEqual(await refusalOf(publish(TopicArn, 'x', 'g', bad)), invalid(`MessageDeduplicationId Reason: ${form}`))
  }
  const all = '!"#$%&\'()*+,-./:;?@[\\]^_`{|}~'
  for (const good of [all, 'x'.repeat(128), 'x']) assert.match((await publish(TopicArn, good, good, good)).SequenceNumber ?? '', /^\d{20}$/)
  const byTarget = await sns.publish({ TargetArn: TopicArn, Message: 'x', MessageGroupId: 'g', MessageDeduplicationId: 't' })
  assert.match(byTarget.SequenceNumber ?? '', /^\d{20}$/)
  assert.deepEqual(await refusalOf(publish(arnOf('sns', 'none.fifo'), 'x', 'g', 'd')), ['NotFoundException', 404, 'Topic does not exist'])
})

test('a queue gets the envelope with the number and without a signature, the group, and the id or the hash of the text', async () => {
  const TopicArn = await create('envelopes.fifo', { ContentBasedDeduplication: 'true' })
  await subscribe(TopicArn, await queue('envelopes.fifo'))
  await subscribe(TopicArn, await queue('envelopes'))
  for (const [text, id, hash] of [
    ['Test', undefined, '532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25'],
    ['Test single', undefined, '2591186cff6c740cb9e0cfce1653a7e6998d57da12e1da13d85344b1c08be4cb'],
    ['Test', 'given', 'given'],
  ] as const) {
    const { MessageId, SequenceNumber } = await publish(TopicArn, text, 'g', id)
    const [ordered] = await receive('envelopes.fifo')
    const [standard] = await receive('envelopes')
    for (const body of [ordered?.Body ?? '', standard?.Body ?? '']) {
      const { Timestamp, UnsubscribeURL, ...others } = JSON.parse(body) as Record<string, unknown>
      assert.ok(Timestamp !== undefined && UnsubscribeURL !== undefined)
      assert.deepEqual(others, { Type: 'Notification', MessageId, SequenceNumber, TopicArn, Message: text })
    }
    const kept = ({ Attributes }: Message = {}) => [Attributes?.['MessageGroupId'], Attributes?.['MessageDeduplicationId']]
    assert.deepEqual(
      [kept(ordered), kept(standard)],
      [
        ['g', hash],
        [undefined, undefined],
      ],
    )
    await sqs.deleteMessage({ QueueUrl: `${server.url}/${ACCOUNT}/envelopes.fifo`, ReceiptHandle: ordered?.ReceiptHandle })
    await sqs.deleteMessage({ QueueUrl: `${server.url}/${ACCOUNT}/envelopes`, ReceiptHandle: standard?.ReceiptHandle })
  }
})

test('a batch with one entry that lacks a group or an id is refused whole; ids count in the topic, or in each group', async () => {
  const TopicArn = await create('batches.fifo')
  await subscribe(TopicArn, await queue('batches.fifo'), { RawMessageDelivery: 'true' })
  const batch = (...entries: readonly { MessageGroupId?: string; MessageDeduplicationId?: string }[]) =>
    sns.publishBatch({
      TopicArn,
      PublishBatchRequestEntries: entries.map((entry, at) => ({ Id: `${at}`, Message: `${at}`, ...entry })),
    })
  const [MessageGroupId, MessageDeduplicationId] = ['g', 'once']
  const whole = { MessageGroupId, MessageDeduplicationId }
  assert.deepEqual(
    await refusalOf(batch(whole, { MessageDeduplicationId })),
    invalid('The MessageGroupId parameter is required for FIFO topics'),
  )
  assert.deepEqual(
    await refusalOf(batch(whole, { MessageGroupId })),
    invalid('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'),
  )
  assert.deepEqual(await receive('batches.fifo'), [])
  const other = { MessageGroupId: 'other', MessageDeduplicationId }
  const answers = ({ Successful = [] }: { Successful?: { MessageId?: string; SequenceNumber?: string }[] }) =>
    Successful.map((row) => [row.MessageId, row.SequenceNumber])
  const [first, second] = answers(await batch(whole, other))
  assert.deepEqual(first, second, 'one id in the whole topic')
  await setting(TopicArn, 'FifoThroughputScope', 'MessageGroup')
  const [third, fourth] = answers(await batch({ ...whole, MessageDeduplicationId: 'twice' }, { ...other, MessageDeduplicationId: 'twice' }))
  assert.notDeepEqual(third, fourth, 'one id in each group')
})

test('order, numbers and ids through a SIGKILL: a repeat stays one, and what follows comes behind', async () => {
  const TopicArn = await create('killed.fifo', { ContentBasedDeduplication: 'true' })
  for (const name of ['one.fifo', 'two.fifo', 'standard']) await subscribe(TopicArn, await queue(name), { RawMessageDelivery: 'true' })
  const { Successful = [] } = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: ['1', '2', '3', '1'].map((Message, at) => ({ Id: `${at}`, Message, MessageGroupId: 'g' })),
  })
  const answer = ({ MessageId, SequenceNumber }: { MessageId?: string; SequenceNumber?: string }) => [MessageId, SequenceNumber]
  assert.deepEqual(answer(Successful[3] ?? {}), answer(Successful[0] ?? {}))
  await server.kill()
  server = await startTestServer({ data: folder.path, words: ['--port', String(server.port)] })
  sns = new SNS(clientConfig(server.url))
  sqs = new SQS(clientConfig(server.url))
  assert.deepEqual(answer(await publish(TopicArn, '2', 'g')), answer(Successful[1] ?? {}))
  const next = await publish(TopicArn, '4', 'g')
  assert.ok((next.SequenceNumber ?? '') > (Successful[2]?.SequenceNumber ?? ''))
  for (const name of ['one.fifo', 'two.fifo'])
    assert.deepEqual(
      (await receive(name)).map(({ Body }) => Body),
      ['1', '2', '3', '4'],
    )
  assert.deepEqual(
    (await receive('standard')).map(({ Body }) => Body).toSorted((a, b) => Number(a) - Number(b)),
    ['1', '2', '3', '4'],
  )
})

test('the directory is whole', async () => {
  await server.stop()
  const check = await runCommand(['fsck', '--data', folder.path])
  assert.equal(check.code, 0, check.output + check.notes)
})
