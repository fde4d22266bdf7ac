// The whole wire with the SDK's own serializers, signers and deserializers on the other side, and no network between.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import test from 'node:test'
import { CloudTrailClient, GetTrailStatusCommand, LookupEventsCommand, PutEventSelectorsCommand } from '@aws-sdk/client-cloudtrail'
import * as s3 from '@aws-sdk/client-s3'
import * as sns from '@aws-sdk/client-sns'
import * as sqs from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { ServiceError } from '../model/service-error.ts'
import type { Door, WireResult } from './door.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { recordingInvoke, sdkHandler, TEST_KEY, testDoor, testRequest } from './test-world.ts'

const ARN = 'arn:aws:sns:eu-west-1:000000000000:orders'
const QUEUE = 'http://localhost:4566/000000000000/q'

function world(outputs: Record<string, WireResult> = {}) {
  const { calls, invoke } = recordingInvoke(outputs)
  const seen: HttpRequest[] = []
  const requestHandler = sdkHandler(testDoor(invoke), seen) as never
  const config = { endpoint: 'http://localhost:4566', region: 'eu-west-1', credentials: TEST_KEY, requestHandler, maxAttempts: 1 }
  return {
    calls,
    seen,
    sns: new sns.SNSClient(config),
    sqs: new sqs.SQSClient(config),
    s3: new s3.S3Client({ ...config, forcePathStyle: true }),
    hostedS3: new s3.S3Client(config),
    cloudtrail: new CloudTrailClient(config),
    sts: new STSClient(config),
  }
}

/** What a call arrived with, for comparison. */
function only(calls: ReturnType<typeof world>['calls']) {
  assert.equal(calls.length, 1)
  const [call] = calls
  assert.ok(call !== undefined)
  assert.equal(call.decodeError, undefined)
  return call
}

async function sendAndCompare(
  service: 'sns' | 'sqs' | 'cloudtrail' | 'sts',
  command: { input: object },
  expected: object = command.input,
): Promise<void> {
  const { calls, ...clients } = world({ SendMessage: { output: { MD5OfMessageBody: '92eb5ffee6ae2fec3ad71c777531578f' } } })
  await (clients[service] as unknown as { send(command: object): Promise<unknown> }).send(command)
  const call = only(calls)
  assert.equal(call.service, service)
  assert.equal(call.operation, command.constructor.name.replace(/Command$/, ''))
  assert.equal(call.region, 'eu-west-1')
  assert.deepEqual(plain(call.input), plain(expected))
  assert.deepEqual(call.missing, [])
}

/** Without the difference between a Buffer and a Uint8Array, and without members that are undefined. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, plain(inner)]])))
}

const BINARY = { DataType: 'Binary', BinaryValue: Buffer.from([0, 255, 128]) }
const TEXT = { DataType: 'String', StringValue: 'ä & <b> "c" %41 +' }

for (const command of [
  new sns.CreateTopicCommand({
    Name: 'orders.fifo',
    Attributes: { FifoTopic: 'true', DisplayName: '' },
    Tags: [{ Key: 'a', Value: '' }],
    DataProtectionPolicy: '{}',
  }),
  new sns.PublishCommand({
    TopicArn: ARN,
    Message: 'snow \u2603 \u{1f600}\r\n\u0001',
    Subject: 's',
    MessageAttributes: { text: TEXT, bytes: BINARY },
  }),
  new sns.PublishBatchCommand({
    TopicArn: ARN,
    PublishBatchRequestEntries: Array.from({ length: 10 }, (_, at) => ({
      Id: `${at}`,
      Message: `m${at}`,
      MessageAttributes: { text: TEXT },
    })),
  }),
  new sns.SubscribeCommand({
    TopicArn: ARN,
    Protocol: 'sqs',
    Endpoint: 'arn:aws:sqs:eu-west-1:000000000000:q',
    Attributes: { RawMessageDelivery: 'true' },
    ReturnSubscriptionArn: true,
  }),
  new sns.SetTopicAttributesCommand({ TopicArn: ARN, AttributeName: 'Policy', AttributeValue: '{"a":["b"]}' }),
  new sns.AddPermissionCommand({ TopicArn: ARN, Label: 'l', AWSAccountId: ['1', '2'], ActionName: ['Publish'] }),
  new sns.UntagResourceCommand({ ResourceArn: ARN, TagKeys: ['a', 'b'] }),
  new sns.SetSMSAttributesCommand({ attributes: { MonthlySpendLimit: '1' } }),
  new sns.CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber: '+15551234567' }),
  new sns.ListSMSSandboxPhoneNumbersCommand({ MaxResults: 5 }),
  new sns.ListTopicsCommand({}),
]) {
  test(`SNS ${command.constructor.name}`, () => sendAndCompare('sns', command))
}

for (const command of [
  new sqs.CreateQueueCommand({ QueueName: 'q', Attributes: { DelaySeconds: '1' }, tags: { a: 'b' } }),
  new sqs.SendMessageCommand({ QueueUrl: QUEUE, MessageBody: 'b', DelaySeconds: 0, MessageAttributes: { bytes: BINARY } }),
  new sqs.ReceiveMessageCommand({ QueueUrl: QUEUE, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, MessageAttributeNames: ['All'] }),
  new sqs.DeleteMessageBatchCommand({ QueueUrl: QUEUE, Entries: [{ Id: '1', ReceiptHandle: 'r' }] }),
  new sqs.ListQueuesCommand({}),
]) {
  test(`SQS ${command.constructor.name}`, () => sendAndCompare('sqs', command))
}

test('CloudTrail PutEventSelectors, LookupEvents', async () => {
  const selector = { Name: 'n', FieldSelectors: [{ Field: 'eventCategory', Equals: ['Data'] }] }
  await sendAndCompare('cloudtrail', new PutEventSelectorsCommand({ TrailName: 't', AdvancedEventSelectors: [selector] }))
  await sendAndCompare('cloudtrail', new LookupEventsCommand({ StartTime: new Date(1767323045678), MaxResults: 5 }))
})

test('STS GetCallerIdentity, AssumeRole', async () => {
  await sendAndCompare('sts', new GetCallerIdentityCommand({}))
  await sendAndCompare(
    'sts',
    new AssumeRoleCommand({ RoleArn: 'r', RoleSessionName: 's', DurationSeconds: 900, Tags: [{ Key: 'a', Value: 'b' }] }),
  )
})

const KEY = "a b/ü+'(x)!*~.txt"
const S3_COMMANDS: readonly { readonly input: object }[] = [
  new s3.CreateBucketCommand({ Bucket: 'bucket', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
  new s3.HeadBucketCommand({ Bucket: 'bucket' }),
  new s3.GetBucketLocationCommand({ Bucket: 'bucket' }),
  new s3.PutBucketPolicyCommand({ Bucket: 'bucket', Policy: '{}' }),
  new s3.GetBucketPolicyCommand({ Bucket: 'bucket' }),
  new s3.PutObjectCommand({ Bucket: 'bucket', Key: KEY, Body: 'hello', Metadata: { a: 'x' }, ContentType: 'text/plain' }),
  new s3.GetObjectCommand({ Bucket: 'bucket', Key: KEY, Range: 'bytes=0-1', VersionId: 'v' }),
  new s3.HeadObjectCommand({ Bucket: 'bucket', Key: KEY }),
  new s3.DeleteObjectCommand({ Bucket: 'bucket', Key: KEY }),
  new s3.CopyObjectCommand({ Bucket: 'bucket', Key: 'k', CopySource: 'other/key' }),
  new s3.ListObjectsCommand({ Bucket: 'bucket', Prefix: 'a/', Delimiter: '/' }),
  new s3.ListObjectsV2Command({ Bucket: 'bucket', MaxKeys: 5, ContinuationToken: 'a+b/c=' }),
  new s3.ListObjectVersionsCommand({ Bucket: 'bucket' }),
  new s3.DeleteObjectsCommand({ Bucket: 'bucket', Delete: { Objects: [{ Key: 'a' }, { Key: '<&>' }] } }),
  new s3.CreateMultipartUploadCommand({ Bucket: 'bucket', Key: 'k' }),
  new s3.UploadPartCommand({ Bucket: 'bucket', Key: 'k', PartNumber: 1, UploadId: 'u', Body: 'x' }),
  new s3.CompleteMultipartUploadCommand({
    Bucket: 'bucket',
    Key: 'k',
    UploadId: 'u',
    MultipartUpload: { Parts: [{ ETag: '"e"', PartNumber: 1 }] },
  }),
  new s3.AbortMultipartUploadCommand({ Bucket: 'bucket', Key: 'k', UploadId: 'u' }),
  new s3.ListPartsCommand({ Bucket: 'bucket', Key: 'k', UploadId: 'u' }),
  new s3.PutBucketTaggingCommand({ Bucket: 'bucket', Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }),
  new s3.GetObjectAttributesCommand({ Bucket: 'bucket', Key: 'k', ObjectAttributes: ['ETag', 'ObjectSize'] }),
  new s3.GetBucketAnalyticsConfigurationCommand({ Bucket: 'bucket', Id: 'i' }),
  new s3.ListBucketAnalyticsConfigurationsCommand({ Bucket: 'bucket' }),
]

for (const command of S3_COMMANDS) {
  for (const style of ['s3', 'hostedS3'] as const) {
    test(`S3 ${command.constructor.name}, ${style === 's3' ? 'bucket in the path' : 'bucket in the host'}`, async () => {
      const { calls, ...clients } = world({ CopyObject: { output: { CopyObjectResult: { ETag: '"e"' } } } })
      await clients[style].send(command as never)
      const { operation, input, service } = only(calls)
      assert.equal(service, 's3')
      assert.equal(operation, command.constructor.name.replace(/Command$/, ''))
      const { Body: _, ...expected } = command.input as Record<string, unknown>
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(input[name], value, name)
    })
  }
}

test('S3 ListBuckets has no bucket', async () => {
  const { calls, s3: client } = world({
    ListBuckets: { output: { Buckets: [{ Name: 'b', CreationDate: new Date(0) }], Owner: { ID: 'o' } } },
  })
  const { Buckets, Owner } = await client.send(new s3.ListBucketsCommand({}))
  assert.deepEqual({ Buckets, Owner }, { Buckets: [{ Name: 'b', CreationDate: new Date(0) }], Owner: { ID: 'o' } })
  assert.equal(only(calls).operation, 'ListBuckets')
})

test('S3: an upload of unknown length comes in chunks with its checksum behind, unpacked', async () => {
  const chunks: Uint8Array[] = []
  const { invoke } = recordingInvoke({})
  let contentEncoding: unknown = 'unset'
  let trailer: string | undefined
  const door = testDoor(async (call) => {
    const result = await invoke(call)
    for await (const chunk of call.stream ?? []) chunks.push(chunk)
    contentEncoding = call.input.ContentEncoding
    trailer = call.trailers?.().get('x-amz-checksum-crc32')
    return result
  })
  const client = new s3.S3Client({
    endpoint: 'https://localhost:4566',
    region: 'eu-west-1',
    credentials: TEST_KEY,
    requestHandler: sdkHandler(door) as never,
    forcePathStyle: true,
    maxAttempts: 1,
  })
  const Body = Readable.from([Buffer.alloc(100_000, 'a'), Buffer.alloc(50_000, 'b')])
  await client.send(new s3.PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body, ContentLength: 150_000 }))
  assert.equal(Buffer.concat(chunks).toString(), 'a'.repeat(100_000) + 'b'.repeat(50_000))
  assert.equal(contentEncoding, undefined)
  assert.match(trailer ?? '', /^[\w+/]{6}==$/)
})

test('answers are what the SDK reads', async () => {
  const outputs = {
    Publish: { MessageId: 'm', SequenceNumber: '1' },
    PublishBatch: { Successful: [{ Id: '1', MessageId: 'm' }], Failed: [] },
    GetTopicAttributes: { Attributes: { Policy: '{"a":"<&>"}', DisplayName: '' } },
    ListTagsForResource: { Tags: [] },
    ReceiveMessage: {
      Messages: [{ MessageId: 'm', Body: 'b', MD5OfBody: '92eb5ffee6ae2fec3ad71c777531578f', MessageAttributes: { a: BINARY } }],
    },
    GetTrailStatus: { IsLogging: true, LatestDeliveryTime: new Date(1767323045678) },
    GetObject: { Body: Buffer.from('content'), ContentLength: 7, ETag: '"e"', LastModified: new Date(0), Metadata: { a: 'x' } },
    ListObjectsV2: { Contents: [{ Key: 'a&b', Size: 3, LastModified: new Date(0) }], IsTruncated: false, KeyCount: 1 },
    GetBucketLocation: { LocationConstraint: 'eu-west-1' },
    GetCallerIdentity: { Account: '000000000000', Arn: 'a', UserId: 'u' },
  }
  const clients = world(Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, { output }])))
  const compare = async (answer: Promise<{ $metadata: { requestId?: string } }>, expected: object) => {
    const { $metadata, ...output } = await answer
    assert.ok($metadata.requestId)
    assert.deepEqual(plain(output), plain(expected))
  }
  await compare(clients.sns.send(new sns.PublishCommand({ Message: 'm', TopicArn: ARN })), outputs.Publish)
  const entries = [{ Id: '1', Message: 'm' }]
  await compare(clients.sns.send(new sns.PublishBatchCommand({ TopicArn: ARN, PublishBatchRequestEntries: entries })), outputs.PublishBatch)
  await compare(clients.sns.send(new sns.GetTopicAttributesCommand({ TopicArn: ARN })), outputs.GetTopicAttributes)
  await compare(clients.sns.send(new sns.ListTagsForResourceCommand({ ResourceArn: ARN })), outputs.ListTagsForResource)
  await compare(clients.sns.send(new sns.UnsubscribeCommand({ SubscriptionArn: ARN })), {})
  await compare(clients.sqs.send(new sqs.ReceiveMessageCommand({ QueueUrl: QUEUE })), outputs.ReceiveMessage)
  await compare(clients.cloudtrail.send(new GetTrailStatusCommand({ Name: 't' })), outputs.GetTrailStatus)
  await compare(clients.sts.send(new GetCallerIdentityCommand({})), outputs.GetCallerIdentity)
  await compare(clients.s3.send(new s3.ListObjectsV2Command({ Bucket: 'b' })), outputs.ListObjectsV2)
  await compare(clients.s3.send(new s3.GetBucketLocationCommand({ Bucket: 'b' })), outputs.GetBucketLocation)
  const got = await clients.s3.send(new s3.GetObjectCommand({ Bucket: 'b', Key: 'k' }))
  assert.deepEqual([await got.Body?.transformToString(), got.ETag, got.Metadata], ['content', '"e"', { a: 'x' }])
})

test('refusals become the exceptions that the SDK knows', async () => {
  const error = (...given: ConstructorParameters<typeof ServiceError>) => ({ error: new ServiceError(...given) })
  const clients = world({
    Publish: error('NotFound', 404, 'Topic does not exist', { shape: 'NotFoundException' }),
    SendMessage: error('AWS.SimpleQueueService.NonExistentQueue', 400, 'gone', { shape: 'QueueDoesNotExist' }),
    GetTrailStatus: error('TrailNotFoundException', 400, 'no trail'),
    GetObject: error('NoSuchKey', 404, 'The specified key does not exist.', { details: { Key: 'k' } }),
    HeadObject: error('NotFound', 404, 'Not Found'),
  })
  await assert.rejects(clients.sns.send(new sns.PublishCommand({ Message: 'm' })), {
    name: 'NotFoundException',
    message: 'Topic does not exist',
  })
  await assert.rejects(clients.sqs.send(new sqs.SendMessageCommand({ QueueUrl: QUEUE, MessageBody: 'b' })), {
    name: 'QueueDoesNotExist',
    message: 'gone',
  })
  await assert.rejects(clients.cloudtrail.send(new GetTrailStatusCommand({ Name: 't' })), {
    name: 'TrailNotFoundException',
    message: 'no trail',
  })
  await assert.rejects(clients.s3.send(new s3.GetObjectCommand({ Bucket: 'b', Key: 'k' })), { name: 'NoSuchKey', Key: 'k' })
  await assert.rejects(clients.s3.send(new s3.HeadObjectCommand({ Bucket: 'b', Key: 'k' })), { name: 'NotFound' })
})

// From here on by hand: what no current SDK sends.

const unsigned: Partial<HttpRequest> = { headers: { host: 'localhost:4566' } }

function byHand(outputs: Record<string, WireResult> = {}) {
  const { calls, invoke } = recordingInvoke(outputs)
  const door = testDoor(invoke)
  const send = async (parts: Parameters<typeof testRequest>[0]): Promise<HttpResponse & { text: string }> => {
    const answer = await door.handler(testRequest({ ...unsigned, ...parts }))
    return { ...answer, text: String(answer.body) }
  }
  return { calls, send, door }
}

const form = { host: 'localhost:4566', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
const scoped = (service: string, others: Record<string, string> = {}) => ({
  host: 'localhost:4566',
  'x-amz-date': '20260102T030405Z',
  authorization:
    `AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/${service}/aws4_request, ` + `SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  ...others,
})

test('links by GET: no signature, no version, an ARN that is not escaped', async () => {
  const { calls, send } = byHand()
  const { status, text } = await send({ method: 'GET', query: `Action=Unsubscribe&SubscriptionArn=${ARN}:id` })
  assert.equal(status, 200)
  assert.match(
    text,
    /^<UnsubscribeResponse [^>]*><ResponseMetadata><RequestId>[^<]+<\/RequestId><\/ResponseMetadata><\/UnsubscribeResponse>$/,
  )
  const { input, signature, service, region } = only(calls)
  assert.deepEqual(
    { input, signature, service, region },
    { input: { SubscriptionArn: `${ARN}:id` }, signature: undefined, service: 'sns', region: 'us-east-1' },
  )
})

test('parameters in the URL of a POST count, and agree with those of the body', async () => {
  const { calls, send } = byHand()
  await send({ query: 'Action=CreateTopic&Version=2010-03-31', headers: form, body: 'Name=a' })
  assert.deepEqual(only(calls).input, { Name: 'a' })
  assert.equal((await send({ query: 'Action=CreateTopic&Name=b', headers: form, body: 'Name=a' })).status, 200)
  assert.equal(calls[1]?.decodeError?.code, 'MalformedQueryString')
})

test('SQS in its query protocol, posted to the queue', async () => {
  const { calls, send } = byHand({ SendMessage: { output: { MessageId: 'm' } } })
  const { text } = await send({
    path: '/000000000000/q',
    headers: { ...form },
    body: 'Action=SendMessage&Version=2012-11-05&MessageBody=b',
  })
  assert.match(text, /^<SendMessageResponse xmlns="http:\/\/queue.amazonaws.com\/doc\/2012-11-05\/"><SendMessageResult><MessageId>m</)
  assert.deepEqual(only(calls).input, { MessageBody: 'b', QueueUrl: QUEUE })
})

test('both spellings of CloudTrail in X-Amz-Target', async () => {
  for (const prefix of ['com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101', 'CloudTrail_20131101']) {
    const { calls, send } = byHand()
    const { status, headers, text } = await send({ headers: { host: 'h', 'x-amz-target': `${prefix}.ListTrails` }, body: '{}' })
    assert.deepEqual([status, headers['content-type'], text], [200, 'application/x-amz-json-1.1', '{}'])
    assert.equal(only(calls).operation, 'ListTrails')
  }
})

test('a call whose input cannot be read reaches the engine with its error', async () => {
  const { calls, send } = byHand()
  await send({ headers: { ...scoped('sqs'), 'x-amz-target': 'AmazonSQS.SendMessage' }, body: '{"QueueUrl":5}' })
  await send({ headers: { ...form }, body: 'Action=CreateTopic&Tags=x' })
  await send({ method: 'PUT', path: '/b', query: 'tagging', headers: scoped('s3'), body: '<Tagging>' })
  assert.deepEqual(
    calls.map(({ operation, decodeError }) => [operation, decodeError?.code]),
    [
      ['SendMessage', 'SerializationException'],
      ['CreateTopic', 'MalformedInput'],
      ['PutBucketTagging', 'MalformedXML'],
    ],
  )
})

test('required members that are absent are named as AWS names them', async () => {
  const { calls, send } = byHand()
  await send({ headers: form, body: 'Action=SetSMSAttributes&Version=2010-03-31' })
  await send({ headers: form, body: 'Action=PublishBatch&TopicArn=a&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=n' })
  assert.deepEqual(calls[0]?.missing, ['attributes'])
  assert.deepEqual(calls[1]?.missing, [
    'publishBatchRequestEntries.1.member.id',
    'publishBatchRequestEntries.1.member.message',
    'publishBatchRequestEntries.1.member.messageAttributes.n.member.dataType',
  ])
})

test('what is for no operation gets the error AWS would give, in the protocol it speaks', async () => {
  const { calls, send } = byHand()
  const refusals: readonly (readonly [Parameters<typeof testRequest>[0], number, RegExp])[] = [
    [{ method: 'GET' }, 403, /<Code>MissingAuthenticationToken<\/Code>/],
    [{ body: 'x', headers: form }, 403, /<Code>MissingAuthenticationToken<\/Code>/],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Version=2010-03-31' }, 400, /<Code>MissingAction<\/Code>/],
    [
      { headers: scoped('sns', { 'content-type': 'text/plain' }), body: 'Action=ListTopics' },
      400,
      /<Code>MissingAction<\/Code>.*x-www-form-urlencoded/,
    ],
    [
      { headers: { ...scoped('sns'), ...form }, body: 'Action=Nope&Version=2010-03-31' },
      400,
      /<Code>InvalidAction<\/Code><Message>Could not find operation Nope for version 2010-03-31</,
    ],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Action=ListTopics&Version=1999' }, 400, /<Code>InvalidAction<\/Code>/],
    [{ headers: { ...scoped('sts'), ...form }, body: 'Action=ListTopics&Version=2010-03-31' }, 403, /scoped to correct service: 'sns'/],
    [{ headers: { ...scoped('sns'), ...form }, body: 'Action=ListTopics&a=%' }, 400, /<Code>MalformedQueryString<\/Code>/],
    [{ headers: { ...scoped('ec2'), ...form }, body: 'Action=DescribeInstances' }, 400, /does not serve 'ec2'; it serves sns, sqs/],
    [{ headers: { ...scoped('sns'), 'x-amz-target': 'AmazonSQS.ListQueues' } }, 400, /#InvalidSignatureException/],
    [{ headers: { host: 'h', 'x-amz-target': 'Nobody.Knows' } }, 400, /UnknownOperationException/],
    [{ headers: { host: 'h', 'x-amz-target': 'AmazonSQS.__proto__' } }, 400, /UnknownOperationException/],
    [{ headers: { ...form }, body: 'Action=constructor' }, 400, /<Code>InvalidAction<\/Code>/],
    [{ headers: { host: 'h', authorization: 'AWS4-HMAC-SHA256 Credential=A' } }, 400, /<Code>IncompleteSignature<\/Code>/],
    [{ method: 'PATCH', path: '/b/k', headers: scoped('s3') }, 405, /<Code>MethodNotAllowed<\/Code>/],
    [{ method: 'GET', path: '/b/%ff', headers: scoped('s3') }, 400, /<Code>InvalidURI<\/Code>/],
  ]
  for (const [request, status, text] of refusals) {
    const answer = await send(request)
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.text, text)
    assert.ok(answer.headers['x-amzn-RequestId'] ?? answer.headers['x-amz-request-id'])
  }
  assert.deepEqual(calls, [])
})

test('signature refusals have the form of each protocol', async () => {
  const refused = { error: new ServiceError('InvalidClientTokenId', 403, 'invalid', { shape: 'UnrecognizedClientException' }) }
  const door = testDoor(async () => refused)
  const ask = async (parts: Parameters<typeof testRequest>[0]): Promise<[number, string]> => {
    const { status, body } = await door.handler(testRequest(parts))
    return [status, String(body)]
  }
  const [queryStatus, xml] = await ask({ headers: form, body: 'Action=ListTopics' })
  assert.equal(queryStatus, 403)
  assert.match(xml, /<Code>InvalidClientTokenId</)
  const [jsonStatus, json] = await ask({ headers: { host: 'h', 'x-amz-target': 'CloudTrail_20131101.ListTrails' } })
  assert.deepEqual([jsonStatus, JSON.parse(json).__type], [400, 'UnrecognizedClientException'])
})

test('the server itself refuses in the protocol that the request speaks', () => {
  const { door } = byHand()
  const tooLarge = new ServiceError('RequestEntityTooLarge', 413, 'too large')
  const refuse = (parts: Parameters<typeof testRequest>[0]) => String(door.refuse(testRequest(parts), tooLarge).body)
  assert.match(refuse({ headers: { ...scoped('sns'), ...form } }), /<Code>RequestEntityTooLarge</)
  assert.match(
    refuse({ headers: scoped('sqs', { 'x-amz-target': 'AmazonSQS.SendMessage' }) }),
    /"__type":"com.amazon.coral.service#RequestEntityTooLarge"/,
  )
  assert.match(refuse({ method: 'PUT', path: '/b/k', headers: scoped('s3') }), /<Code>EntityTooLarge</)
})

test('paths of our own go to their handler, and only uploads are streamed', async () => {
  const { send, door } = byHand()
  assert.equal((await send({ method: 'GET', path: '/_sealcast/health' })).text, 'internal /_sealcast/health')
  assert.equal((await send({ method: 'GET', path: '/SimpleNotificationService-1.pem' })).text, 'internal /SimpleNotificationService-1.pem')
  const admit = (...[parts]: Parameters<typeof testRequest>): ReturnType<Door['admit']> => door.admit(testRequest(parts))
  assert.equal(admit({ method: 'PUT', path: '/b/k', headers: scoped('s3') }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b/k', query: 'partNumber=1&uploadId=u', headers: scoped('s3') }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b/k' }), 'stream')
  assert.equal(admit({ method: 'PUT', path: '/b', headers: scoped('s3') }), 'collect')
  assert.equal(admit({ method: 'PUT', path: '/b/k', query: 'tagging', headers: scoped('s3') }), 'collect')
  assert.equal(admit({ method: 'POST', path: '/', headers: scoped('sns') }), 'collect')
})
