// What arrives of a topic's messages, to the letter: the envelope, the headers of a POST, raw messages, texts by protocol, content types,
// dead letters. Published with the stock SDK over HTTP; queues are read with it, receivers are servers of their own.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { type MessageAttributeValue, type PublishInput, SNS } from '@aws-sdk/client-sns'
import { type Message, SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver, type Post } from './receiver.ts'
import { clientConfig } from './server.ts'
import { untilTrue } from './until.ts'

const ACCOUNT = '000000000000'
const { server } = await startFileServer()
const statuses: number[] = []
const receiver = await openReceiver({
  answer: ({ headers, path }) =>
    path === '/gone' ? 404 : headers['x-amz-sns-message-type'] === 'Notification' ? (statuses.shift() ?? 200) : 200,
})
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(() => receiver.close())

const topicNamed = async (Name: string): Promise<string> => (await sns.createTopic({ Name })).TopicArn ?? ''
const queueArnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
const ofTopic = (topicArn: string) => (message: Readonly<Record<string, string>>) => message['TopicArn'] === topicArn

async function queueNamed(QueueName: string): Promise<string> {
  await sqs.createQueue({ QueueName, Attributes: { Policy: topicsMaySend('*') } })
  return queueArnOf(QueueName)
}

async function subscribed(TopicArn: string, Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}): Promise<string> {
  return (await sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true })).SubscriptionArn ?? ''
}

/** A receiver's subscription that is confirmed, and the POST that asked for it. */
async function confirmed(TopicArn: string, path: string, attributes: Record<string, string> = {}) {
  const subscriptionArn = await subscribed(TopicArn, 'http', `${receiver.url}/${path}`, attributes)
  const asked = await receiver.nextPost('SubscriptionConfirmation', ofTopic(TopicArn))
  await sns.confirmSubscription({ TopicArn, Token: (JSON.parse(asked.text) as { Token: string }).Token })
  return { subscriptionArn, asked }
}

/** The next message of a queue, taken off it. */
async function taken(name: string): Promise<Message> {
  const QueueUrl = `${server.url}/${ACCOUNT}/${name}`
  const { Messages } = await sqs.receiveMessage({
    ...{ QueueUrl, WaitTimeSeconds: 5 },
    ...{ MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] },
  })
  const [message] = Messages ?? []
  assert.ok(message !== undefined, `a message arrived in ${name}`)
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle })
  return message
}

const text = (StringValue: string, DataType = 'String'): MessageAttributeValue => ({ DataType, StringValue })
const BYTES: MessageAttributeValue = { DataType: 'Binary', BinaryValue: Uint8Array.of(2, 3, 4) }

test('an envelope has the layout of AWS, the same at a queue and at a receiver but for its links', async () => {
  const TopicArn = await topicNamed('layout')
  const queue = await subscribed(TopicArn, 'sqs', await queueNamed('layout'))
  const { subscriptionArn: web } = await confirmed(TopicArn, 'layout')
  const at = async (arn: string): Promise<string> => (arn === queue ? ((await taken('layout')).Body ?? '') : (await post()).text)
  const post = (): Promise<Post> => receiver.nextPost('Notification', ofTopic(TopicArn))
  const laidOut = (body: string, arn: string, message: Record<string, unknown>, attributes = ''): string => {
    const { Timestamp, Signature, SigningCertURL } = JSON.parse(body) as Record<string, string>
    assert.match(Timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.match(Signature ?? '', /^[A-Za-z0-9+/]{342}==$/)
    assert.match(SigningCertURL ?? '', new RegExp(`^${server.url}/SimpleNotificationService-[0-9a-f]{32}\\.pem$`))
    const UnsubscribeURL = `${server.url}/?Action=Unsubscribe&SubscriptionArn=${arn}`
    const lines = Object.entries({ ...message, Timestamp, SignatureVersion: '1', Signature, SigningCertURL, UnsubscribeURL })
    return `{\n${lines.map(([name, value]) => `  "${name}" : ${JSON.stringify(value)}`).join(',\n')}${attributes}\n}`
  }
  const both = async (input: Omit<PublishInput, 'TopicArn'>, attributes?: string): Promise<void> => {
    const { MessageId } = await sns.publish({ ...input, TopicArn })
    const { Subject, Message } = input
    const told = { Type: 'Notification', MessageId, TopicArn, ...(Subject !== undefined && { Subject }), Message }
    for (const arn of [queue, web]) {
      const body = await at(arn)
      assert.equal(body, laidOut(body, arn, told, attributes))
    }
  }
  await both({ Message: 'plain' })
  await both(
    {
      Subject: 'a "subject"',
      Message: 'lines\nand ✓ 日本 \\ "quotes"',
      MessageAttributes: { kind: text('a'), n: text('8', 'Number'), blob: BYTES },
    },
    ',\n  "MessageAttributes" : {\n    "kind" : {"Type":"String","Value":"a"},\n    "n" : {"Type":"Number","Value":"8"},\n' +
      '    "blob" : {"Type":"Binary","Value":"AgME"}\n  }',
  )
})

test('the headers of each kind of POST, and no others', async () => {
  const TopicArn = await topicNamed('headers')
  const { subscriptionArn, asked } = await confirmed(TopicArn, 'headers')
  const common = (post: Post, type: string) => ({
    'x-amz-sns-message-type': type,
    'x-amz-sns-message-id': post.headers['x-amz-sns-message-id'],
    'x-amz-sns-topic-arn': TopicArn,
    'content-type': 'text/plain; charset=UTF-8',
    'content-length': String(Buffer.byteLength(post.text)),
    'user-agent': 'Amazon Simple Notification Service Agent',
    'accept-encoding': 'gzip,deflate',
    connection: post.headers.connection,
    host: new URL(receiver.url).host,
  })
  const idOf = ({ text: body }: Post): string => (JSON.parse(body) as { MessageId: string }).MessageId
  assert.deepEqual(asked.headers, common(asked, 'SubscriptionConfirmation'))
  assert.equal(asked.headers['x-amz-sns-message-id'], idOf(asked))
  assert.match(asked.headers.connection ?? '', /^keep-alive$/i)

  const { MessageId } = await sns.publish({ TopicArn, Message: 'in an envelope' })
  const notification = await receiver.nextPost('Notification', ofTopic(TopicArn))
  assert.deepEqual(notification.headers, {
    ...common(notification, 'Notification'),
    'x-amz-sns-subscription-arn': subscriptionArn,
    'x-amz-sns-message-id': MessageId,
  })

  const raw = (AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn: subscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue })
  await raw('true')
  await sns.publish({ TopicArn, Message: 'raw ✓', MessageAttributes: { kind: text('not delivered') } })
  const bare = await receiver.nextPost('Notification')
  assert.equal(bare.text, 'raw ✓')
  assert.deepEqual(bare.headers, {
    ...common(bare, 'Notification'),
    'x-amz-sns-subscription-arn': subscriptionArn,
    'x-amz-sns-rawdelivery': 'true',
  })

  await fetch(`${server.url}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`)
  const farewell = await receiver.nextPost('UnsubscribeConfirmation', ofTopic(TopicArn))
  assert.deepEqual(farewell.headers, {
    ...common(farewell, 'UnsubscribeConfirmation'),
    'x-amz-sns-subscription-arn': subscriptionArn,
  })
  assert.deepEqual(Object.keys(JSON.parse(farewell.text) as object), [
    ...[
      'Type',
      'MessageId',
      'Token',
      'TopicArn',
      'Message',
      'SubscribeURL',
      'Timestamp',
      'SignatureVersion',
      'Signature',
      'SigningCertURL',
    ],
  ])
})

test('nothing is delivered before the confirmation, and what was set meanwhile holds from then on', async () => {
  const TopicArn = await topicNamed('waiting')
  const web = await subscribed(TopicArn, 'http', `${receiver.url}/waiting`)
  const { Token } = await receiver.next('SubscriptionConfirmation', ofTopic(TopicArn))
  await sns.publish({ TopicArn, Message: 'too early' })
  for (const [AttributeName, AttributeValue] of [
    ['RawMessageDelivery', 'true'],
    ['FilterPolicy', '{"kind":["wanted"]}'],
    ['RedrivePolicy', JSON.stringify({ deadLetterTargetArn: queueArnOf('dead') })],
  ] as const)
    await sns.setSubscriptionAttributes({ SubscriptionArn: web, AttributeName, AttributeValue })
  await sns.confirmSubscription({ TopicArn, Token })
  await sns.publish({ TopicArn, Message: 'filtered out' })
  await sns.publish({ TopicArn, Message: 'wanted', MessageAttributes: { kind: text('wanted') } })
  await receiver.next('Notification', ({ Message }) => Message === 'wanted')
  assert.deepEqual(
    receiver.posts.filter(({ headers, path }) => path === '/waiting' && headers['x-amz-sns-rawdelivery']).map(({ text: body }) => body),
    ['wanted'],
  )
  assert.ok(!receiver.posts.some(({ text: body }) => /too early|filtered out/.test(body)))
})

test('each protocol gets its own text, in an envelope and raw, alone and in a batch', async () => {
  const TopicArn = await topicNamed('texts')
  await subscribed(TopicArn, 'sqs', await queueNamed('texts'))
  await subscribed(TopicArn, 'sqs', await queueNamed('texts-raw'), { RawMessageDelivery: 'true' })
  await confirmed(TopicArn, 'texts')
  const Message = JSON.stringify({ default: 'for all', sqs: 'for queues', http: 'for receivers', https: 'not for http', email: 7 })
  const check = async (queued: string, posted: string): Promise<void> => {
    assert.equal((JSON.parse((await taken('texts')).Body ?? '') as { Message: string }).Message, queued)
    assert.equal((await taken('texts-raw')).Body, queued)
    assert.equal((await receiver.next('Notification', ofTopic(TopicArn)))['Message'], posted)
  }
  await sns.publish({ TopicArn, Message, MessageStructure: 'json' })
  await check('for queues', 'for receivers')
  await sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [{ Id: '1', Message, MessageStructure: 'json' }] })
  await check('for queues', 'for receivers')
  await sns.publish({ TopicArn, Message: '{"default":"for all","http":null}', MessageStructure: 'json' })
  await check('for all', 'for all')
  await sns.publish({ TopicArn, Message })
  await check(Message, Message)
})

test("content types: the subscription's before the topic's, unless the topic forbids it; confirmations keep theirs", async () => {
  const TopicArn = await topicNamed('content-types')
  const topicPolicy = (headerContentType: string, disableSubscriptionOverrides: boolean) =>
    sns.setTopicAttributes({
      ...{ TopicArn, AttributeName: 'DeliveryPolicy' },
      AttributeValue: JSON.stringify({ http: { disableSubscriptionOverrides, defaultRequestPolicy: { headerContentType } } }),
    })
  await topicPolicy('application/json', false)
  const { subscriptionArn, asked } = await confirmed(TopicArn, 'content-types')
  assert.equal(asked.headers['content-type'], 'text/plain; charset=UTF-8')
  const seen = async (): Promise<string | undefined> => {
    await sns.publish({ TopicArn, Message: 'x' })
    return (await receiver.nextPost('Notification', ofTopic(TopicArn))).headers['content-type']
  }
  assert.equal(await seen(), 'application/json')
  await sns.setSubscriptionAttributes({
    ...{ SubscriptionArn: subscriptionArn, AttributeName: 'DeliveryPolicy' },
    AttributeValue: '{"requestPolicy":{"headerContentType":"text/csv"}}',
  })
  assert.equal(await seen(), 'text/csv')
  await topicPolicy('application/xml', true)
  assert.equal(await seen(), 'application/xml')
})

test('a retry is the same message; a refused one goes to the dead-letter queue as the endpoint would have got it', async () => {
  const TopicArn = await topicNamed('letters')
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await queueNamed('letters') })
  const healthyRetryPolicy = { numRetries: 2, numNoDelayRetries: 2, minDelayTarget: 1, maxDelayTarget: 1 }
  const { subscriptionArn: retried } = await confirmed(TopicArn, 'retried', { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) })
  statuses.push(500, 503)
  const { MessageId } = await sns.publish({ TopicArn, Message: 'again' })
  const attempts = [0, 1, 2].map(() => receiver.nextPost('Notification', ofTopic(TopicArn)))
  for (const { headers, text: body } of await Promise.all(attempts))
    assert.deepEqual([headers['x-amz-sns-message-id'], (JSON.parse(body) as { MessageId: string }).MessageId], [MessageId, MessageId])
  await sns.unsubscribe({ SubscriptionArn: retried })

  const { subscriptionArn: refused } = await confirmed(TopicArn, 'gone', { RedrivePolicy })
  const attributes = { n: text('8', 'Number') }
  await sns.publish({ TopicArn, Subject: 's', Message: 'to nobody', MessageAttributes: attributes })
  const posted = await receiver.nextPost('Notification', ofTopic(TopicArn))
  const letter = await taken('letters')
  assert.deepEqual([letter.Body, letter.MessageAttributes], [posted.text, undefined], 'nothing is added')
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn: refused })
  assert.equal(Attributes?.['PendingConfirmation'], 'false', 'a refusal changes nothing of the subscription')
  await sns.unsubscribe({ SubscriptionArn: refused })

  await subscribed(TopicArn, 'sqs', queueArnOf('never-there'), { RedrivePolicy, RawMessageDelivery: 'true' })
  await sns.publish({ TopicArn, Message: 'raw', MessageAttributes: { ...attributes, blob: BYTES } })
  const raw = await taken('letters')
  assert.deepEqual([raw.Body, raw.MessageAttributes], ['raw', { n: text('8', 'Number'), blob: BYTES }])
})

test('raw messages in a queue: attributes with the digests of AWS, at most ten of them, and the group that was given', async () => {
  const TopicArn = await topicNamed('raw')
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await queueNamed('raw-letters') })
  await subscribed(TopicArn, 'sqs', await queueNamed('raw'), { RawMessageDelivery: 'true', RedrivePolicy })
  const received = async (MessageAttributes: Record<string, MessageAttributeValue>, more: object = {}): Promise<Message> => {
    await sns.publish({ TopicArn, Message: 'x', MessageAttributes, ...more })
    return taken('raw')
  }
  const [attr1, attr2] = [text('99.12', 'Number'), text('109.12', 'Number')]
  for (const [attributes, digest] of [
    [{ attr1 }, 'd302007e9aa062660afc85fd0a482472'],
    [{ attr1: text('19.12', 'Number') }, '1f07082409022a373fa2a2601f82b3cb'],
    [{ attr1, attr2 }, '9b720b3af309c1c4b0d395c53b08c502'],
  ] as const) {
    const message = await received(attributes)
    assert.deepEqual([message.MD5OfMessageAttributes, message.MessageAttributes], [digest, attributes])
  }
  const grouped = await received({}, { MessageGroupId: 'tenant-7' })
  assert.deepEqual([grouped.MessageAttributes, grouped.Attributes?.['MessageGroupId']], [undefined, 'tenant-7'])

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, text('x')]))
  assert.deepEqual((await received(many(10))).MessageAttributes, many(10))
  const { MessageId } = await sns.publish({ TopicArn, Message: 'eleven', MessageAttributes: many(11) })
  assert.ok(MessageId !== undefined, "the client's mistake is told to the subscription alone")
  assert.equal((await taken('raw-letters')).Body, 'eleven')
  assert.equal((await received({})).Body, 'x', 'and it did not reach the queue')
})

test('an endpoint with a name and a password is asked without them, and gives them when it is told how', async () => {
  const challenges: Readonly<Record<string, string>> = {
    '/basic': 'Basic realm="x"',
    '/digest?a=b': 'Digest realm="x", nonce="of this server", qop="auth", algorithm=SHA-256',
  }
  const seen: (readonly [path: string, authorization: string | undefined])[] = []
  const guarded = createServer(({ url = '', headers: { authorization } }, response) => {
    seen.push([url, authorization])
    if (authorization === undefined) response.writeHead(401, { 'www-authenticate': challenges[url] ?? '' }).end()
    else response.end()
  })
  await new Promise<void>((resolve) => guarded.listen(0, '127.0.0.1', resolve))
  after(() => guarded.close())
  const { port } = guarded.address() as AddressInfo
  const TopicArn = await topicNamed('guarded')
  for (const path of Object.keys(challenges)) await subscribed(TopicArn, 'http', `http://user:p%40ss@127.0.0.1:${port}${path}`)
  await untilTrue('four requests', () => seen.length >= 4)
  const given = (path: string) => seen.filter(([at]) => at === path).map(([, authorization]) => authorization)
  assert.deepEqual(given('/basic'), [undefined, `Basic ${Buffer.from('user:p@ss').toString('base64')}`])
  const [first, digest = ''] = given('/digest?a=b')
  assert.equal(first, undefined)
  const hash = (...parts: readonly string[]): string => createHash('sha256').update(parts.join(':')).digest('hex')
  const [, cnonce = ''] = /cnonce="(\w+)"/.exec(digest) ?? []
  const response = hash(hash('user', 'x', 'p@ss'), 'of this server', '00000001', cnonce, 'auth', hash('POST', '/digest?a=b'))
  assert.ok(digest.startsWith('Digest username="user", realm="x", nonce="of this server", uri="/digest?a=b"'), digest)
  assert.ok(digest.includes(`response="${response}"`), digest)
})
