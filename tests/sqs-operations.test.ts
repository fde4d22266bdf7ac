// Every operation and every attribute of SQS through the stock JavaScript client, against a real server: what is set is shown, what is
// asked for comes, and each limit holds at its edge.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MessageAttributeValue, type QueueAttributeName, SQS, SQSServiceException } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { clientConfig } from './server.ts'
import { until } from './until.ts'

const { server } = await startFileServer()
const sqs = new SQS(clientConfig(server.url))
const ACCOUNT = '000000000000'
const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`

let count = 0
async function create(Attributes: Partial<Record<QueueAttributeName, string>> = {}, suffix = ''): Promise<{ name: string; url: string }> {
  const name = `ops-${++count}${suffix}`
  const { QueueUrl: url = '' } = await sqs.createQueue({ QueueName: name, Attributes })
  return { name, url }
}

const attributesOf = async (QueueUrl: string, ...AttributeNames: QueueAttributeName[]) =>
  (await sqs.getQueueAttributes({ QueueUrl, AttributeNames })).Attributes ?? {}

async function refused(call: Promise<unknown>, name: string, message?: RegExp): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof SQSServiceException, String(error))
    assert.equal(error.name, name, error.message)
    if (message !== undefined) assert.match(error.message, message)
    return true
  })
}

test('queues: CreateQueue, GetQueueUrl, ListQueues, DeleteQueue', async () => {
  const { name, url } = await create()
  assert.equal(url, `${server.url}/${ACCOUNT}/${name}`)
  assert.equal((await sqs.getQueueUrl({ QueueName: name, QueueOwnerAWSAccountId: ACCOUNT })).QueueUrl, url)
  const prefix = `many-${++count}-`
  for (let at = 0; at < 5; at++) await sqs.createQueue({ QueueName: `${prefix}${at}` })
  const first = await sqs.listQueues({ QueueNamePrefix: prefix, MaxResults: 3 })
  const second = await sqs.listQueues({ QueueNamePrefix: prefix, MaxResults: 3, NextToken: first.NextToken })
  assert.deepEqual([first.QueueUrls?.length, second.QueueUrls?.length, second.NextToken], [3, 2, undefined])
  await sqs.sendMessage({ QueueUrl: url, MessageBody: 'goes with its queue' })
  await sqs.deleteQueue({ QueueUrl: url })
  await refused(sqs.getQueueUrl({ QueueName: name }), 'QueueDoesNotExist', /^The specified queue does not exist\.$/)
  await sqs.createQueue({ QueueName: name })
  assert.equal((await sqs.receiveMessage({ QueueUrl: url })).Messages, undefined)
  await refused(sqs.createQueue({ QueueName: name, Attributes: { DelaySeconds: '1' } }), 'QueueNameExists')
  await refused(sqs.createQueue({ QueueName: 'a'.repeat(81) }), 'InvalidParameterValue')
  await refused(sqs.listQueues({ MaxResults: 1001 }), 'InvalidParameterValue')
})

/** Attribute, its default, its least and its greatest value, and what lies beyond. */
const RANGES: readonly (readonly [QueueAttributeName, string, string, string, readonly string[]])[] = [
  ['DelaySeconds', '0', '0', '900', ['-1', '901', 'x', '']],
  ['MaximumMessageSize', '1048576', '1024', '1048576', ['1023', '1048577']],
  ['MessageRetentionPeriod', '345600', '60', '1209600', ['59', '1209601']],
  ['ReceiveMessageWaitTimeSeconds', '0', '0', '20', ['-1', '21']],
  ['VisibilityTimeout', '30', '0', '43200', ['-1', '43201']],
]

test('attributes with a range: CreateQueue, SetQueueAttributes, GetQueueAttributes', async () => {
  const { url } = await create()
  for (const [name, preset, least, greatest, beyond] of RANGES) {
    assert.deepEqual(await attributesOf(url, name), { [name]: preset })
    for (const value of [least, greatest]) {
      await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { [name]: value } })
      assert.deepEqual(await attributesOf(url, name), { [name]: value })
      assert.deepEqual(await attributesOf((await create({ [name]: value })).url, name), { [name]: value })
    }
    for (const value of beyond)
      await refused(sqs.setQueueAttributes({ QueueUrl: url, Attributes: { [name]: value } }), 'InvalidAttributeValue', RegExp(name))
  }
  await refused(
    sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Foo: '1' } as never }),
    'InvalidAttributeName',
    /^Unknown Attribute Foo\.$/,
  )
  await refused(sqs.getQueueAttributes({ QueueUrl: url, AttributeNames: ['Foo' as never] }), 'InvalidAttributeName')
})

test('documents, encryption, and what a queue tells of itself: SetQueueAttributes, GetQueueAttributes', async () => {
  const dead = await create()
  const { url, name } = await create()
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }] })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(dead.name), maxReceiveCount: 3 })
  const RedriveAllowPolicy = JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [arnOf(name)] })
  await sqs.setQueueAttributes({ QueueUrl: dead.url, Attributes: { RedriveAllowPolicy } })
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Policy, RedrivePolicy } })
  assert.deepEqual(await attributesOf(url, 'Policy', 'RedrivePolicy'), { Policy, RedrivePolicy })
  assert.deepEqual(await attributesOf(dead.url, 'RedriveAllowPolicy'), { RedriveAllowPolicy })
  assert.deepEqual((await sqs.listDeadLetterSourceQueues({ QueueUrl: dead.url })).queueUrls, [url])
  const stranger = await create()
  await refused(sqs.setQueueAttributes({ QueueUrl: stranger.url, Attributes: { RedrivePolicy } }), 'InvalidParameterValue')
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { Policy: '', RedrivePolicy: '' } })
  assert.deepEqual(await attributesOf(url, 'Policy', 'RedrivePolicy'), {})

  assert.deepEqual(await attributesOf(url, 'SqsManagedSseEnabled'), { SqsManagedSseEnabled: 'false' })
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { KmsMasterKeyId: 'alias/aws/sqs', KmsDataKeyReusePeriodSeconds: '86400' } })
  assert.deepEqual(await attributesOf(url, 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'), {
    KmsMasterKeyId: 'alias/aws/sqs',
    KmsDataKeyReusePeriodSeconds: '86400',
    SqsManagedSseEnabled: 'false',
  })
  await sqs.sendMessage({ QueueUrl: url, MessageBody: 'sealed' })
  assert.equal((await sqs.receiveMessage({ QueueUrl: url })).Messages?.[0]?.Body, 'sealed')
  const both = { KmsMasterKeyId: 'alias/aws/sqs', SqsManagedSseEnabled: 'true' }
  await refused(sqs.setQueueAttributes({ QueueUrl: url, Attributes: both }), 'InvalidAttributeName', /one type of server-side encryption/)
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { KmsMasterKeyId: 'none' } })
  await refused(sqs.sendMessage({ QueueUrl: url, MessageBody: 'x' }), 'KmsNotFound', /Invalid keyId 'none'/)
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { SqsManagedSseEnabled: 'true' } })

  const all = await attributesOf(url, 'All')
  assert.deepEqual(
    Object.keys(all).toSorted((a, b) => (a < b ? -1 : 1)),
    [
      ...['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed', 'ApproximateNumberOfMessagesNotVisible', 'CreatedTimestamp'],
      ...[
        'DelaySeconds',
        'KmsDataKeyReusePeriodSeconds',
        'LastModifiedTimestamp',
        'MaximumMessageSize',
        'MessageRetentionPeriod',
        'QueueArn',
      ],
      ...['ReceiveMessageWaitTimeSeconds', 'SqsManagedSseEnabled', 'VisibilityTimeout'],
    ],
  )
  assert.deepEqual([all['QueueArn'], all['ApproximateNumberOfMessagesNotVisible']], [arnOf(name), '1'])
})

test('the attributes of FIFO queues: CreateQueue, SetQueueAttributes, GetQueueAttributes', async () => {
  const { url } = await create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }, '.fifo')
  assert.deepEqual(await attributesOf(url, 'FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'), {
    FifoQueue: 'true',
    ContentBasedDeduplication: 'true',
    DeduplicationScope: 'queue',
    FifoThroughputLimit: 'perQueue',
  })
  const high = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: high })
  assert.deepEqual(await attributesOf(url, 'DeduplicationScope', 'FifoThroughputLimit'), high)
  const sent = await sqs.sendMessage({ QueueUrl: url, MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd' })
  assert.match(sent.SequenceNumber ?? '', /^\d{20}$/)
  const { Messages = [] } = await sqs.receiveMessage({
    QueueUrl: url,
    MessageSystemAttributeNames: ['All'],
    ReceiveRequestAttemptId: 'once',
  })
  assert.deepEqual(
    [Messages[0]?.Attributes?.MessageGroupId, Messages[0]?.Attributes?.MessageDeduplicationId, Messages[0]?.Attributes?.SequenceNumber],
    ['g', 'd', sent.SequenceNumber],
  )
})

test('messages: SendMessage, ReceiveMessage, ChangeMessageVisibility, DeleteMessage, with every attribute of a message', async () => {
  const { url: QueueUrl } = await create()
  const MessageAttributes: Record<string, MessageAttributeValue> = {
    text: { DataType: 'String', StringValue: 'ä <&>' },
    label: { DataType: 'String.Array', StringValue: '[1]' },
    number: { DataType: 'Number.float', StringValue: '-1.5e3' },
    bytes: { DataType: 'Binary.png', BinaryValue: Uint8Array.of(0, 255) },
  }
  const AWSTraceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1'
  const sent = await sqs.sendMessage({
    QueueUrl,
    MessageBody: 'body',
    MessageAttributes,
    MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
    MessageGroupId: 'fair',
  })
  assert.equal(sent.MD5OfMessageBody, '841a2d689ad86bd1611447453c22c6fc')
  assert.match(sent.MD5OfMessageSystemAttributes ?? '', /^[0-9a-f]{32}$/)
  const receive = async () => {
    const names = { MessageSystemAttributeNames: ['All' as const], MessageAttributeNames: ['All'] }
    return (await sqs.receiveMessage({ QueueUrl, ...names, WaitTimeSeconds: 1, VisibilityTimeout: 60 })).Messages?.[0]
  }
  const first = await receive()
  assert.equal(first?.MD5OfMessageAttributes, sent.MD5OfMessageAttributes)
  assert.deepEqual({ ...first?.MessageAttributes?.['text'] }, MessageAttributes['text'])
  assert.deepEqual([...(first?.MessageAttributes?.['bytes']?.BinaryValue ?? [])], [0, 255])
  const { SenderId, SentTimestamp, ApproximateFirstReceiveTimestamp, ...others } = first?.Attributes ?? {}
  assert.deepEqual(others, { ApproximateReceiveCount: '1', AWSTraceHeader, MessageGroupId: 'fair' })
  assert.ok(SenderId !== undefined && Number(SentTimestamp) <= Number(ApproximateFirstReceiveTimestamp))
  const { ReceiptHandle = '' } = first ?? {}
  for (const VisibilityTimeout of [-1, 43_201])
    await refused(sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout }), 'InvalidParameterValue')
  await sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 })
  const second = await receive()
  assert.equal(second?.Attributes?.ApproximateReceiveCount, '2')
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: second?.ReceiptHandle })
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: second?.ReceiptHandle })
  await refused(sqs.deleteMessage({ QueueUrl, ReceiptHandle: 'x' }), 'ReceiptHandleIsInvalid', /"x" is not a valid receipt handle/)
  assert.deepEqual(await attributesOf(QueueUrl, 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'), {
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesNotVisible: '0',
  })
})

test('the checksum of message attributes is that of AWS', async () => {
  const { url: QueueUrl } = await create()
  const of = async (MessageAttributes: Record<string, MessageAttributeValue>) =>
    (await sqs.sendMessage({ QueueUrl, MessageBody: 'msg', MessageAttributes })).MD5OfMessageAttributes
  const text = (StringValue: string): MessageAttributeValue => ({ DataType: 'String', StringValue })
  assert.equal(await of({ attr1: { DataType: 'Number', StringValue: '99.12' } }), 'd302007e9aa062660afc85fd0a482472')
  assert.equal(await of({ 'Help.Me': text('Me'), Hello: text('There'), General: text('Kenobi') }), '4c360f3fdafd970e05fae2f149d997f5')
  assert.equal(await of({ Foo: text('Bar') }), 'ae7155c6026991b6d54b11589678bf9c')
  const trace = Buffer.from('traceparent\u001e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01')
  assert.equal(await of({ attr1: { DataType: 'Binary', BinaryValue: trace } }), '8cbe4db156db8a94db8b801b7addb984')
})

test('message attributes and sizes at their limits: SendMessage, SendMessageBatch', async () => {
  const { url: QueueUrl } = await create()
  const text = { DataType: 'String', StringValue: 'v' }
  const send = (MessageAttributes: Record<string, MessageAttributeValue>, MessageBody = 'x') =>
    sqs.sendMessage({ QueueUrl, MessageBody, MessageAttributes })
  const some = (attributes: number) => Object.fromEntries(Array.from({ length: attributes }, (_, at) => [`a${at}`, text]))
  await send(some(10))
  await refused(send(some(11)), 'InvalidParameterValue', /\[11\] exceeds the allowed maximum \[10\]/)
  await send({ ['n'.repeat(256)]: text })
  await send({ a: { ...text, DataType: `String.${'t'.repeat(249)}` } })
  for (const [name, value] of [
    ['n'.repeat(257), text],
    ['aws.x', text],
    ['Amazon.x', text],
    ['.a', text],
    ['a.', text],
    ['a..b', text],
    ['a b', text],
    ['a', { ...text, DataType: 'Text' }],
    ['a', { ...text, DataType: `String.${'t'.repeat(250)}` }],
    ['a', { DataType: 'String', StringValue: '' }],
    ['a', { DataType: 'Number', StringValue: 'x' }],
    ['a', { DataType: 'Binary', StringValue: 'x' }],
    ['a', { DataType: 'Binary', BinaryValue: new Uint8Array() }],
  ] as const)
    await refused(send({ [name]: value }), 'InvalidParameterValue')
  await refused(send({}, 'a\u0000'), 'InvalidMessageContents')
  await send({}, '\t\n\r\u0020\ud7ff\ue000\ufffd😀')

  const MiB = 1_048_576
  await send({}, 'x'.repeat(MiB))
  await refused(send({}, 'x'.repeat(MiB + 1)), 'InvalidParameterValue', /shorter than 1048576 bytes/)
  // Name, type and value of an attribute count: 1 + 6 + 1.
  await send({ a: text }, 'x'.repeat(MiB - 8))
  await refused(send({ a: text }, 'x'.repeat(MiB - 7)), 'InvalidParameterValue')
  const half = (MessageBody: string, Id: string) => ({ Id, MessageBody })
  const pair = (bytes: number) => [half('x'.repeat(MiB / 2), 'a'), half('x'.repeat(bytes), 'b')]
  assert.equal((await sqs.sendMessageBatch({ QueueUrl, Entries: pair(MiB / 2) })).Successful?.length, 2)
  await refused(sqs.sendMessageBatch({ QueueUrl, Entries: pair(MiB / 2 + 1) }), 'BatchRequestTooLong', /You have sent 1048577 bytes/)
})

test('batches: SendMessageBatch, ChangeMessageVisibilityBatch, DeleteMessageBatch, PurgeQueue', async () => {
  const { url: QueueUrl } = await create()
  const entries = (some: number) => Array.from({ length: some }, (_, at) => ({ Id: `i${at}`, MessageBody: `b${at}` }))
  const sent = await sqs.sendMessageBatch({ QueueUrl, Entries: [...entries(9), { Id: 'late', MessageBody: 'x', DelaySeconds: 901 }] })
  assert.equal(sent.Successful?.length, 9)
  assert.deepEqual(
    sent.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]),
    [['late', 'InvalidParameterValue', true]],
  )
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 })
  const handles = Messages.map(({ ReceiptHandle }, at) => ({ Id: `h${at}`, ReceiptHandle }))
  const held = handles.map((handle) => ({ ...handle, VisibilityTimeout: 100 }))
  assert.equal((await sqs.changeMessageVisibilityBatch({ QueueUrl, Entries: held })).Successful?.length, 9)
  const gone = await sqs.deleteMessageBatch({ QueueUrl, Entries: [...handles.slice(1), { Id: 'bad', ReceiptHandle: 'x' }] })
  assert.deepEqual([gone.Successful?.length, gone.Failed?.[0]?.Code], [8, 'ReceiptHandleIsInvalid'])
  await sqs.purgeQueue({ QueueUrl })
  assert.deepEqual(await attributesOf(QueueUrl, 'ApproximateNumberOfMessagesNotVisible'), { ApproximateNumberOfMessagesNotVisible: '0' })
  await refused(sqs.sendMessageBatch({ QueueUrl, Entries: [] }), 'EmptyBatchRequest')
  await refused(sqs.sendMessageBatch({ QueueUrl, Entries: entries(11) }), 'TooManyEntriesInBatchRequest')
  await refused(sqs.deleteMessageBatch({ QueueUrl, Entries: [{ Id: 'a b', ReceiptHandle: 'x' }] }), 'InvalidBatchEntryId')
  await refused(sqs.sendMessageBatch({ QueueUrl, Entries: [...entries(1), ...entries(1)] }), 'BatchEntryIdsNotDistinct')
})

test('tags and permissions: TagQueue, ListQueueTags, UntagQueue, AddPermission, RemovePermission', async () => {
  const { url: QueueUrl } = await create()
  const some = (tags: number) => Object.fromEntries(Array.from({ length: tags }, (_, at) => [`k${at}`, 'v']))
  await sqs.tagQueue({ QueueUrl, Tags: { ...some(49), ['k'.repeat(128)]: 'v'.repeat(256) } })
  assert.equal(Object.keys((await sqs.listQueueTags({ QueueUrl })).Tags ?? {}).length, 50)
  await refused(sqs.tagQueue({ QueueUrl, Tags: { more: 'v' } }), 'InvalidParameterValue')
  await sqs.untagQueue({ QueueUrl, TagKeys: ['k'.repeat(128), ...Object.keys(some(49))] })
  assert.equal((await sqs.listQueueTags({ QueueUrl })).Tags, undefined)
  await sqs.addPermission({ QueueUrl, Label: 'share', AWSAccountIds: ['111122223333'], Actions: ['SendMessage'] })
  const { Policy = '{}' } = await attributesOf(QueueUrl, 'Policy')
  assert.equal((JSON.parse(Policy) as { Statement: { Sid: string }[] }).Statement[0]?.Sid, 'share')
  await sqs.removePermission({ QueueUrl, Label: 'share' })
  await refused(sqs.removePermission({ QueueUrl, Label: 'share' }), 'InvalidParameterValue', /can't find label/)
})

test('move tasks: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask', async () => {
  const dead = await create()
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(dead.name), maxReceiveCount: 1 })
  const { url: QueueUrl } = await create({ RedrivePolicy, VisibilityTimeout: '0' })
  await sqs.sendMessage({ QueueUrl, MessageBody: 'letter' })
  for (let receives = 0; receives < 2; receives++) await sqs.receiveMessage({ QueueUrl })
  assert.deepEqual(await attributesOf(dead.url, 'ApproximateNumberOfMessages'), { ApproximateNumberOfMessages: '1' })
  const SourceArn = arnOf(dead.name)
  const { TaskHandle } = await sqs.startMessageMoveTask({ SourceArn, MaxNumberOfMessagesPerSecond: 1 })
  await refused(sqs.startMessageMoveTask({ SourceArn }), 'InvalidParameterValue', /already a task running/)
  assert.equal((await sqs.listMessageMoveTasks({ SourceArn })).Results?.[0]?.TaskHandle, TaskHandle)
  await sqs.cancelMessageMoveTask({ TaskHandle })
  const ended = (status: string) =>
    until(`a task is ${status}`, async () => {
      const task = (await sqs.listMessageMoveTasks({ SourceArn, MaxResults: 10 })).Results?.[0]
      return task?.Status === status ? task : undefined
    })
  await ended('CANCELLED')
  await sqs.startMessageMoveTask({ SourceArn, DestinationArn: arnOf((await create()).name) })
  assert.equal((await ended('COMPLETED')).ApproximateNumberOfMessagesMoved, 1)
  await refused(sqs.cancelMessageMoveTask({ TaskHandle: 'x' }), 'InvalidParameterValue')
})
