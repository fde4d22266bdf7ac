// Events of buckets on their way to queues and topics, through the real call pipeline; time stands still between steps.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ACCOUNT, createHarness, type Harness } from '../../tests/harness.ts'
import { Table } from '../model/tables.ts'
import { s3 } from '../services/s3/index.ts'
import { createSns } from '../services/sns/index.ts'
import { createSqs } from '../services/sqs/index.ts'
import { BucketEventSender } from './bucket-events.ts'

type Message = Readonly<Record<string, never>>

const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:events`
const QUEUE_URL = `http://sealcast.test/${ACCOUNT}/events`
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:news`

function policyFor(action: string, resource: string, bucket = 'box'): string {
  const Condition = { ArnLike: { 'aws:SourceArn': `arn:aws:s3:::${bucket}` }, StringEquals: { 'aws:SourceAccount': ACCOUNT } }
  const Principal = { Service: 's3.amazonaws.com' }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: action, Resource: resource, Condition }],
  })
}

interface World {
  readonly server: Harness
  readonly sender: BucketEventSender
  /** Lets what is due come to its end. */
  pass(ms?: number): Promise<void>
  put(key: string): Promise<Record<string, unknown>>
  notify(configuration: object, more?: object): Promise<unknown>
  received(): Promise<readonly Message[]>
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const server = await createHarness((env) => ({
    s3,
    sns: createSns({ tables: env.tables, protocols: { sqs: { validate: () => undefined } } }),
    sqs: createSqs({ notifications: () => Promise.resolve('') }),
  }))
  await server.call('s3', 'CreateBucket', { Bucket: 'box' })
  await server.call('sqs', 'CreateQueue', { QueueName: 'events', Attributes: { Policy: policyFor('sqs:SendMessage', QUEUE) } })
  const sender = new BucketEventSender(server.env)
  const world: World = {
    server,
    sender,
    async pass(ms = 0) {
      server.clock.advance(ms)
      await sender.settled()
      server.clock.advance(0)
      await sender.settled()
    },
    put: (key) => server.call('s3', 'PutObject', { Bucket: 'box', Key: key }, undefined, { stream: Readable.from([Buffer.from('hello')]) }),
    notify: (NotificationConfiguration, more = {}) =>
      server.call('s3', 'PutBucketNotificationConfiguration', { Bucket: 'box', NotificationConfiguration, ...more }),
    async received() {
      const messages: Message[] = []
      for (;;) {
        const page = await server.call('sqs', 'ReceiveMessage', { QueueUrl: QUEUE_URL, MaxNumberOfMessages: 10 })
        const found = ((page as Record<string, unknown>)['Messages'] ?? []) as { Body: string; ReceiptHandle: string }[]
        if (found.length === 0) return messages
        for (const { Body, ReceiptHandle } of found) {
          messages.push(JSON.parse(Body) as Message)
          await server.call('sqs', 'DeleteMessage', { QueueUrl: QUEUE_URL, ReceiptHandle })
        }
      }
    },
  }
  try {
    await run(world)
  } finally {
    await sender.stop()
    await server.close()
  }
}

const onQueue = (Events: string[], more: object = {}) => ({ QueueConfigurations: [{ QueueArn: QUEUE, Events, ...more }] })
const filter = (prefix: string, suffix: string) => ({
  Filter: {
    Key: {
      FilterRules: [
        { Name: 'prefix', Value: prefix },
        { Name: 'suffix', Value: suffix },
      ],
    },
  },
})
const recordOf = (message: Message | undefined): Readonly<Record<string, unknown>> =>
  (message?.['Records'] as unknown as Record<string, unknown>[] | undefined)?.[0] ?? {}
const namesOf = (messages: readonly Message[]) => messages.map((message) => recordOf(message)['eventName'])

test('a queue is told of what it asked for, in the words of S3', () =>
  withWorld(async ({ put, notify, received, pass, server }) => {
    await notify(onQueue(['s3:ObjectCreated:*', 's3:ObjectRemoved:Delete'], { Id: 'mine', ...filter('in/', '.txt') }))
    const [first] = await received()
    assert.equal(first?.['Event'], 's3:TestEvent')
    assert.deepEqual(Object.keys(first ?? {}), ['Service', 'Event', 'Time', 'Bucket', 'RequestId', 'HostId'])
    const { ETag } = await put('in/a b.txt')
    await put('in/a.log')
    await put('out/a.txt')
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'in/a b.txt' })
    await pass()
    const messages = await received()
    assert.deepEqual(namesOf(messages), ['ObjectCreated:Put', 'ObjectRemoved:Delete'])
    const record = recordOf(messages[0])
    const elements = record['responseElements'] as Record<string, string>
    assert.deepEqual(Object.keys(elements), ['x-amz-request-id', 'x-amz-id-2'])
    assert.deepEqual(record, {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: new Date(server.clock.now()).toISOString(),
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: `AWS:${ACCOUNT}` },
      requestParameters: { sourceIPAddress: '192.0.2.1' },
      responseElements: elements,
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'mine',
        bucket: { name: 'box', ownerIdentity: { principalId: ACCOUNT }, arn: 'arn:aws:s3:::box' },
        object: { key: 'in/a+b.txt', size: 5, eTag: String(ETag).slice(1, -1), sequencer: '000000000000000001' },
      },
    })
    assert.deepEqual((recordOf(messages[1])['s3'] as Record<string, unknown>)['object'], {
      key: 'in/a+b.txt',
      sequencer: '000000000000000002',
    })
    assert.equal(server.env.tables.range(Table.bucketEvents, {}).length, 0)
  }))

test('tagging is told, and a topic hears it with a subject', () =>
  withWorld(async ({ put, notify, received, pass, server }) => {
    await server.call('sns', 'CreateTopic', { Name: 'news', Attributes: { Policy: policyFor('sns:Publish', TOPIC) } })
    await server.call('sns', 'Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: QUEUE, Attributes: { RawMessageDelivery: 'true' } })
    await notify({ TopicConfigurations: [{ TopicArn: TOPIC, Events: ['s3:ObjectTagging:*'] }] })
    await put('k')
    await server.call('s3', 'PutObjectTagging', { Bucket: 'box', Key: 'k', Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } })
    await server.call('s3', 'DeleteObjectTagging', { Bucket: 'box', Key: 'k' })
    await pass()
    const published = (await server.events()).filter(({ record }) => record['eventName'] === 'Publish').map(({ record }) => record)
    assert.equal(published.length, 3)
    assert.deepEqual(published[1]?.['userIdentity'], { type: 'AWSService', invokedBy: 's3.amazonaws.com' })
    const parameters = published[1]?.['requestParameters'] as Record<string, unknown> | undefined
    assert.equal(parameters?.['topicArn'], TOPIC)
    await received()
  }))

test('a destination that S3 may not reach is refused with its reason, and nothing is set', () =>
  withWorld(async ({ notify, server }) => {
    const refused = async (arn: string, reason: RegExp) => {
      const kind = arn.includes(':sqs:') ? 'Queue' : 'Topic'
      const configuration = { [`${kind}Configurations`]: [{ [`${kind}Arn`]: arn, Events: ['s3:ObjectCreated:*'] }] }
      await assert.rejects(notify(configuration), (error: { code: string; details: Record<string, string> }) => {
        assert.equal(error.code, 'InvalidArgument')
        assert.equal(error.details['ArgumentName'], arn)
        assert.match(error.details['ArgumentValue'] ?? '', reason)
        return true
      })
    }
    const shut = `arn:aws:sqs:us-east-1:${ACCOUNT}:shut`
    await server.call('sqs', 'CreateQueue', { QueueName: 'shut', Attributes: { Policy: policyFor('sqs:SendMessage', shut, 'other') } })
    await refused(shut, /do not allow S3/)
    await refused(`arn:aws:sqs:us-east-1:${ACCOUNT}:none`, /destination queue does not exist/)
    await refused(TOPIC, /destination topic does not exist/)
    await refused(QUEUE.replace('us-east-1', 'eu-west-1'), /region is not valid/)
    await refused(`${QUEUE}.fifo`, /FIFO/)
    assert.deepEqual(await server.call('s3', 'GetBucketNotificationConfiguration', { Bucket: 'box' }), {})
    // Whoever says so may set what is not there yet.
    const absent = `arn:aws:sqs:us-east-1:${ACCOUNT}:later`
    const later = { QueueConfigurations: [{ Id: 'x', QueueArn: absent, Events: ['s3:ObjectCreated:*'] }] }
    await notify(later, { SkipDestinationValidation: true })
    assert.deepEqual(await server.call('s3', 'GetBucketNotificationConfiguration', { Bucket: 'box' }), later)
    await notify({})
    assert.deepEqual(await server.call('s3', 'GetBucketNotificationConfiguration', { Bucket: 'box' }), {})
  }))

test('configurations are held to the rules of S3', () =>
  withWorld(async ({ notify }) => {
    const two = (one: object, other: object) => ({
      QueueConfigurations: [one, other].map((more) => ({ QueueArn: QUEUE, Events: ['s3:ObjectCreated:*'], ...more })),
    })
    const rules = (...FilterRules: object[]) => onQueue(['s3:ObjectCreated:*'], { Filter: { Key: { FilterRules } } })
    await notify(two(filter('a/', '.x'), filter('b/', '.x')))
    await notify(two(filter('a/', '.x'), filter('a/', '.y')))
    await assert.rejects(notify(two({}, {})), { code: 'InvalidArgument', message: /cannot share a common event type/ })
    await assert.rejects(notify(two(filter('a/', '.x'), filter('a/b', 'z.x'))), { code: 'InvalidArgument', message: /ambiguously/ })
    await assert.rejects(notify(two({ Id: 'i', ...filter('a', '') }, { Id: 'i', ...filter('b', '') })), { message: /IDs must be unique/ })
    await assert.rejects(notify(onQueue(['s3:Everything'])), { code: 'InvalidArgument', message: /specified event is not supported/ })
    await assert.rejects(notify(onQueue(['s3:ObjectRestore:*'])), { code: 'NotImplemented', message: /ObjectRestore/ })
    await assert.rejects(notify(onQueue([])), { code: 'MalformedXML' })
    await assert.rejects(notify(rules({ Name: 'infix', Value: 'a' })), { message: /must be either prefix or suffix/ })
    await assert.rejects(notify(rules({ Name: 'prefix', Value: 'a' }, { Name: 'Prefix', Value: 'b' })), { message: /more than one prefix/ })
    await notify(rules({ Name: 'suffix', Value: 'é'.repeat(512) }))
    await assert.rejects(notify(rules({ Name: 'suffix', Value: 'é'.repeat(513) })), { message: /1024 bytes/ })
    const many = (count: number) => ({
      QueueConfigurations: Array.from({ length: count }, (_, at) => ({
        QueueArn: QUEUE,
        Events: ['s3:ObjectCreated:*'],
        ...filter(`${String(at).padStart(3, '0')}/`, ''),
      })),
    })
    await notify(many(100))
    await assert.rejects(notify(many(101)), { code: 'InvalidRequest', message: /100/ })
    await assert.rejects(notify({ LambdaFunctionConfigurations: [{}] }), { code: 'NotImplemented', message: /Lambda/ })
    await assert.rejects(notify({ EventBridgeConfiguration: {} }), { code: 'NotImplemented', message: /EventBridge/ })
  }))

test('a destination that refuses delays its own events alone; they come in order when it is back', () =>
  withWorld(async ({ put, notify, received, pass, server, sender }) => {
    await notify(onQueue(['s3:ObjectCreated:*', 's3:ObjectRemoved:*']))
    await received()
    const setPolicy = (Policy: string) => server.call('sqs', 'SetQueueAttributes', { QueueUrl: QUEUE_URL, Attributes: { Policy } })
    await setPolicy(policyFor('sqs:SendMessage', QUEUE, 'other'))
    await put('k')
    await server.call('s3', 'DeleteObject', { Bucket: 'box', Key: 'k' })
    await put('k')
    await pass()
    const [status] = sender.status()
    assert.equal(status?.waiting, 3)
    assert.match(status?.failing ?? '', /AccessDenied/)
    await setPolicy(policyFor('sqs:SendMessage', QUEUE))
    await pass(2000)
    assert.deepEqual(namesOf(await received()), ['ObjectCreated:Put', 'ObjectRemoved:Delete', 'ObjectCreated:Put'])
    assert.deepEqual(sender.status(), [])
  }))

test('another sender takes up what a crash left, and what nobody takes for four days is given up on the record', () =>
  withWorld(async ({ put, notify, received, pass, server, sender }) => {
    await notify(onQueue(['s3:ObjectCreated:*']))
    await received()
    await sender.stop()
    await put('left')
    const next = new BucketEventSender(server.env)
    assert.equal(next.status()[0]?.waiting, 1)
    server.clock.advance(0)
    await next.settled()
    assert.deepEqual(namesOf(await received()), ['ObjectCreated:Put'])
    await server.call('sqs', 'DeleteQueue', { QueueUrl: QUEUE_URL })
    await put('lost')
    for (let hour = 0; hour < 100; hour++) {
      server.clock.advance(3_600_000)
      await next.settled()
    }
    assert.deepEqual(next.status(), [])
    const given = (await server.events()).find(({ record }) => record['eventName'] === 'BucketEventsGivenUp')
    assert.deepEqual(given?.record['serviceEventDetails'], { destinationArn: QUEUE, events: 1 })
    await next.stop()
    await pass()
  }))
