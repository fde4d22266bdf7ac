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
import type { WireResult } from './door.ts'
import type { HttpRequest } from './http.ts'
import { only, recordingInvoke, sdkHandler, TEST_KEY, testDoor } from './test-world.ts'

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
