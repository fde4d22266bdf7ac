// The first things anybody does, with the stock SDK over HTTP against a server process: topics, subscriptions, publishing, receiving.
// Error texts are those recorded against AWS.
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, test } from 'node:test'
import { SNS, type SNSServiceException } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { STS } from '@aws-sdk/client-sts'
import { openReceiver } from './receiver.ts'
import { ROOT_KEY, clientConfig, startTestServer, temporaryFolder } from './server.ts'
import { until } from './until.ts'

const ACCOUNT = '000000000000'
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const folder = temporaryFolder()
const server = await startTestServer({ data: folder.path })
const receiver = await openReceiver()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(async () => {
  await receiver.close()
  await server.kill()
  folder.remove()
})

const topicNamed = async (name: string): Promise<string> => (await sns.createTopic({ Name: name })).TopicArn ?? ''
const arnOf = (service: string, name: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`

/** A queue that lets every topic in. */
async function queueNamed(name: string): Promise<{ readonly url: string; readonly arn: string }> {
  const arn = arnOf('sqs', name)
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: arn }]
  const { QueueUrl } = await sqs.createQueue({
    QueueName: name,
    Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
  })
  return { url: QueueUrl ?? '', arn }
}

/** Messages of a queue, taken off it, until there are `count`. */
async function receive(url: string, count: number): Promise<readonly { readonly body: string; readonly attributes: object }[]> {
  const taken: { body: string; attributes: object }[] = []
  await until(`${count} messages in ${url}`, async () => {
    const { Messages } = await sqs.receiveMessage({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
      MessageAttributeNames: ['All'],
    })
    for (const { Body, MessageAttributes, ReceiptHandle } of Messages ?? []) {
      taken.push({ body: Body ?? '', attributes: MessageAttributes ?? {} })
      await sqs.deleteMessage({ QueueUrl: url, ReceiptHandle })
    }
    return taken.length >= count ? true : undefined
  })
  return taken
}

/** Name, status and message of the refusal, as the SDK sees it. */
async function refusalOf(call: Promise<unknown>): Promise<readonly [name: string, status: number | undefined, message: string]> {
  try {
    await call
  } catch (error) {
    const { name, message, $metadata } = error as SNSServiceException
    return [name, $metadata.httpStatusCode, message]
  }
  throw new Error('the call was not refused')
}

const invalid = (message: string) => ['InvalidParameterException', 400, `Invalid parameter: ${message}`] as const

async function visit(url: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }))
    }).on('error', reject)
  })
}

test('STS says who calls', async () => {
  const { Account, Arn, UserId } = await new STS(clientConfig(server.url)).getCallerIdentity({})
  assert.deepEqual({ Account, Arn, UserId }, { Account: ACCOUNT, Arn: ROOT, UserId: ACCOUNT })
})

test('the whole way: topic, receiver and queue, confirmation, publish, batch, unsubscribe, delete', async () => {
  const topicArn = await topicNamed('orders')
  assert.equal(topicArn, arnOf('sns', 'orders'))
  const queue = await queueNamed('orders')
  assert.equal(queue.url, `${server.url}/${ACCOUNT}/orders`)

  const { SubscriptionArn: queueSubscription = '' } = await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn })
  assert.match(queueSubscription, new RegExp(`^${topicArn}:[0-9a-f-]{36}$`))
  const pending = await sns.subscribe({ TopicArn: topicArn, Protocol: 'http', Endpoint: `${receiver.url}/orders` })
  assert.equal(pending.SubscriptionArn, 'pending confirmation')
  const listed = await sns.listSubscriptionsByTopic({ TopicArn: topicArn })
  assert.deepEqual(new Set(listed.Subscriptions?.map(({ SubscriptionArn }) => SubscriptionArn)), new Set([queueSubscription, 'PendingConfirmation']))
  assert.deepEqual(
    await sns.getTopicAttributes({ TopicArn: topicArn }).then(({ Attributes }) => [
      Attributes?.['SubscriptionsConfirmed'],
      Attributes?.['SubscriptionsPending'],
      Attributes?.['SubscriptionsDeleted'],
    ]),
    ['1', '1', '0'],
  )

  // Confirmed by the link, as a person or a program without keys does.
  const invitation = await receiver.nextPost('SubscriptionConfirmation')
  assert.equal(invitation.path, '/orders')
  assert.equal(invitation.headers['content-type'], 'text/plain; charset=UTF-8')
  assert.equal(invitation.headers['user-agent'], 'Amazon Simple Notification Service Agent')
  assert.equal(invitation.headers['x-amz-sns-topic-arn'], topicArn)
  assert.equal(invitation.headers['x-amz-sns-subscription-arn'], undefined)
  const { Token = '', SubscribeURL = '', Message: words } = JSON.parse(invitation.text) as Record<string, string>
  assert.equal(
    words,
    `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
  )
  assert.equal(SubscribeURL, `${server.url}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${Token}`)
  const confirmed = await visit(SubscribeURL)
  assert.equal(confirmed.status, 200)
  const [, httpSubscription = ''] = /<SubscriptionArn>([^<]+)<\/SubscriptionArn>/.exec(confirmed.text) ?? []
  const { Attributes: known } = await sns.getSubscriptionAttributes({ SubscriptionArn: httpSubscription })
  assert.equal(known?.['PendingConfirmation'], 'false')
  assert.equal(known?.['ConfirmationWasAuthenticated'], 'false')

  const { MessageId } = await sns.publish({
    TopicArn: topicArn,
    Subject: 'paid',
    Message: 'order 42 – ✓ "quoted" <b>',
    MessageAttributes: {
      kind: { DataType: 'String', StringValue: 'order' },
      total: { DataType: 'Number', StringValue: '8' },
      blob: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) },
    },
  })
  const post = await receiver.nextPost('Notification')
  assert.equal(post.headers['x-amz-sns-message-id'], MessageId)
  assert.equal(post.headers['x-amz-sns-subscription-arn'], httpSubscription)
  const [queued] = await receive(queue.url, 1)
  for (const text of [post.text, queued?.body ?? '']) {
    const envelope = JSON.parse(text) as Record<string, unknown>
    assert.deepEqual(Object.keys(envelope), [
      'Type', 'MessageId', 'TopicArn', 'Subject', 'Message', 'Timestamp', 'SignatureVersion', 'Signature', 'SigningCertURL',
      'UnsubscribeURL', 'MessageAttributes',
    ])
    assert.equal(envelope['MessageId'], MessageId)
    assert.equal(envelope['Message'], 'order 42 – ✓ "quoted" <b>')
    assert.equal(envelope['Subject'], 'paid')
    assert.match(String(envelope['Timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(envelope['MessageAttributes'], {
      kind: { Type: 'String', Value: 'order' },
      total: { Type: 'Number', Value: '8' },
      blob: { Type: 'Binary', Value: 'AgME' },
    })
  }
  assert.deepEqual(queued?.attributes, {}, 'the envelope carries the attributes')

  const { Successful, Failed } = await sns.publishBatch({
    TopicArn: topicArn,
    PublishBatchRequestEntries: Array.from({ length: 10 }, (_, at) => ({ Id: `entry-${at}`, Message: `batched ${at}` })),
  })
  assert.deepEqual(Failed, [])
  assert.deepEqual(Successful?.map(({ Id }) => Id), Array.from({ length: 10 }, (_, at) => `entry-${at}`))
  assert.equal(new Set(Successful?.map((row) => row.MessageId)).size, 10)
  const expected = Array.from({ length: 10 }, (_, at) => `batched ${at}`)
  const fromQueue = (await receive(queue.url, 10)).map(({ body }) => (JSON.parse(body) as { Message: string }).Message)
  assert.deepEqual(fromQueue.toSorted(), expected)
  const posted: string[] = []
  for (const _ of expected) posted.push((await receiver.next('Notification'))['Message'] ?? '')
  assert.deepEqual(posted.toSorted(), expected)

  await sns.unsubscribe({ SubscriptionArn: queueSubscription })
  await sns.unsubscribe({ SubscriptionArn: httpSubscription })
  await sns.publish({ TopicArn: topicArn, Message: 'nobody hears this' })
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn: topicArn })).Subscriptions, [])
  assert.equal((await sns.getTopicAttributes({ TopicArn: topicArn })).Attributes?.['SubscriptionsDeleted'], '2')
  const { Attributes: counts } = await sqs.getQueueAttributes({ QueueUrl: queue.url, AttributeNames: ['All'] })
  assert.equal(counts?.['ApproximateNumberOfMessages'], '0')

  await sns.deleteTopic({ TopicArn: topicArn })
  await sns.deleteTopic({ TopicArn: topicArn })
  await sqs.deleteQueue({ QueueUrl: queue.url })
  assert.deepEqual(await refusalOf(sns.publish({ TopicArn: topicArn, Message: 'x' })), ['NotFoundException', 404, 'Topic does not exist'])
  assert.ok(!receiver.posts.some(({ text }) => text.includes('nobody hears this')))
})

test('a receiver confirms by an SDK call, gets raw messages, and leaves by the link', async () => {
  const topicArn = await topicNamed('raw')
  const { SubscriptionArn = '' } = await sns.subscribe({
    TopicArn: topicArn,
    Protocol: 'http',
    Endpoint: `${receiver.url}/raw`,
    Attributes: { RawMessageDelivery: 'TRUE' },
    ReturnSubscriptionArn: true,
  })
  assert.match(SubscriptionArn, new RegExp(`^${topicArn}:`))
  const { Token } = await receiver.next('SubscriptionConfirmation', (message) => message['TopicArn'] === topicArn)
  const answer = await sns.confirmSubscription({ TopicArn: topicArn, Token, AuthenticateOnUnsubscribe: 'false' })
  assert.equal(answer.SubscriptionArn, SubscriptionArn)
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn })
  assert.equal(Attributes?.['ConfirmationWasAuthenticated'], 'true')
  assert.equal(Attributes?.['RawMessageDelivery'], 'true')

  await sns.publish({ TopicArn: topicArn, Message: 'bytes as they are' })
  const post = await receiver.nextPost('Notification')
  assert.equal(post.text, 'bytes as they are')
  assert.equal(post.headers['x-amz-sns-rawdelivery'], 'true')

  await sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'false' })
  await sns.publish({ TopicArn: topicArn, Message: 'in an envelope' })
  const { UnsubscribeURL = '', Message } = await receiver.next('Notification')
  assert.equal(Message, 'in an envelope')
  assert.equal(UnsubscribeURL, `${server.url}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}`)
  assert.equal((await visit(UnsubscribeURL)).status, 200)
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn: topicArn })).Subscriptions, [])
})

test('raw messages come into a queue with their attributes', async () => {
  const topicArn = await topicNamed('raw-queue')
  const queue = await queueNamed('raw-queue')
  await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes: { RawMessageDelivery: 'true' } })
  await sns.publish({
    TopicArn: topicArn,
    Message: 'plain',
    MessageAttributes: { n: { DataType: 'Number', StringValue: '99.12' }, b: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) } },
  })
  await sns.publish({
    TopicArn: topicArn,
    MessageStructure: 'json',
    Message: JSON.stringify({ default: 'for all', sqs: 'for queues', email: 5 }),
  })
  const [first, second] = (await receive(queue.url, 2)).toSorted((a, b) => b.body.localeCompare(a.body))
  assert.deepEqual([first?.body, second?.body], ['plain', 'for queues'])
  assert.deepEqual(first?.attributes, {
    n: { DataType: 'Number', StringValue: '99.12' },
    b: { DataType: 'Binary', BinaryValue: new Uint8Array([2, 3, 4]) },
  })
})

test('attributes of a topic: the defaults of AWS, setting and clearing', async () => {
  const topicArn = await topicNamed('attributes')
  const read = async () => (await sns.getTopicAttributes({ TopicArn: topicArn })).Attributes ?? {}
  const fresh = await read()
  assert.deepEqual(Object.keys(fresh).toSorted(), [
    'DisplayName', 'EffectiveDeliveryPolicy', 'Owner', 'Policy', 'SubscriptionsConfirmed', 'SubscriptionsDeleted', 'SubscriptionsPending',
    'TopicArn',
  ])
  assert.equal(
    fresh['EffectiveDeliveryPolicy'],
    '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,' +
      '"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,' +
      '"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}',
  )
  assert.equal(fresh['Owner'], ACCOUNT)
  const set = (AttributeName: string, AttributeValue: string) => sns.setTopicAttributes({ TopicArn: topicArn, AttributeName, AttributeValue })
  await set('DisplayName', 'Shop')
  await set('SignatureVersion', '2')
  await set('DeliveryPolicy', JSON.stringify({ http: { defaultHealthyRetryPolicy: { numRetries: 5, minDelayTarget: 1, maxDelayTarget: 2 } } }))
  const changed = await read()
  assert.equal(changed['DisplayName'], 'Shop')
  assert.equal(changed['SignatureVersion'], '2')
  const effective = JSON.parse(changed['EffectiveDeliveryPolicy'] ?? '') as { http: { defaultHealthyRetryPolicy: { numRetries: number } } }
  assert.equal(effective.http.defaultHealthyRetryPolicy.numRetries, 5)
  await set('DeliveryPolicy', '')
  const cleared = await read()
  assert.equal(cleared['DeliveryPolicy'], undefined)
  assert.equal(cleared['EffectiveDeliveryPolicy'], fresh['EffectiveDeliveryPolicy'])
  assert.deepEqual(await refusalOf(set('FifoTopic', 'true')), invalid('AttributeName'))
  assert.deepEqual(await refusalOf(set('Nonsense', 'true')), invalid('AttributeName'))
})

test('attributes of a subscription: what AWS answers, and when it refuses', async () => {
  const topicArn = await topicNamed('subscription-attributes')
  const queue = await queueNamed('subscription-attributes')
  const { SubscriptionArn = '' } = await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn })
  assert.deepEqual((await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes, {
    ConfirmationWasAuthenticated: 'true',
    Endpoint: queue.arn,
    Owner: ACCOUNT,
    PendingConfirmation: 'false',
    Protocol: 'sqs',
    RawMessageDelivery: 'false',
    SubscriptionArn,
    SubscriptionPrincipal: ROOT,
    TopicArn: topicArn,
  })
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue })
  assert.deepEqual(await refusalOf(set('RawMessageDelivery', 'yes')), invalid('RawMessageDelivery: Invalid value [yes]. Must be true or false.'))
  assert.deepEqual(await refusalOf(set('RawMessageDelivery', '')), invalid('RawMessageDelivery: Invalid value []. Must be true or false.'))
  assert.deepEqual(await refusalOf(set('Nonsense', 'x')), invalid('AttributeName'))
  assert.deepEqual(
    await refusalOf(set('RedrivePolicy', '{"deadLetterTargetArn":"nowhere"}')),
    invalid('RedrivePolicy: deadLetterTargetArn is an invalid arn'),
  )
  const again = await sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes: { RawMessageDelivery: 'false' } })
  assert.equal(again.SubscriptionArn, SubscriptionArn)
  const gone = `${topicArn}:00000000-0000-4000-8000-000000000000`
  assert.deepEqual(await refusalOf(sns.getSubscriptionAttributes({ SubscriptionArn: gone })), ['NotFoundException', 404, 'Subscription does not exist'])
})

test('lists come in pages of a hundred', async () => {
  const before = (await listTopics()).length
  const names = Array.from({ length: 203 }, (_, at) => `page-${at}`)
  const arns = await Promise.all(names.map(topicNamed))
  const pages: number[] = []
  const all = await listTopics(pages)
  assert.equal(all.length, before + 203)
  assert.equal(new Set(all).size, all.length, 'no topic comes twice')
  for (const arn of arns) assert.ok(all.includes(arn))
  assert.deepEqual(pages.slice(0, 2), [100, 100])

  const topicArn = await topicNamed('many-subscribers')
  const subscribed = Array.from({ length: 101 }, (_, at) =>
    sns.subscribe({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', `absent-${at}`) }),
  )
  await Promise.all(subscribed)
  const first = await sns.listSubscriptionsByTopic({ TopicArn: topicArn })
  assert.equal(first.Subscriptions?.length, 100)
  const second = await sns.listSubscriptionsByTopic({ TopicArn: topicArn, NextToken: first.NextToken })
  assert.equal(second.Subscriptions?.length, 1)
  assert.equal(second.NextToken, undefined)
})

async function listTopics(pages: number[] = []): Promise<readonly string[]> {
  const arns: string[] = []
  let token: string | undefined
  do {
    const { Topics = [], NextToken } = await sns.listTopics({ NextToken: token })
    pages.push(Topics.length)
    for (const { TopicArn } of Topics) arns.push(TopicArn ?? '')
    token = NextToken
  } while (token !== undefined)
  return arns
}

test('refusals of topics in the words of AWS', async () => {
  for (const Name of ['', 'a b', 'a:b', 'x'.repeat(257), 'orders.fifo'])
    assert.deepEqual(await refusalOf(sns.createTopic({ Name })), invalid('Topic Name'), JSON.stringify(Name))
  await sns.createTopic({ Name: 'same', Attributes: { DisplayName: 'one' }, Tags: [{ Key: 'team', Value: 'a' }] })
  assert.equal((await sns.createTopic({ Name: 'same' })).TopicArn, arnOf('sns', 'same'))
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'same', Attributes: { DisplayName: 'two' } })),
    invalid('Attributes Reason: Topic already exists with different attributes'),
  )
  assert.deepEqual(
    await refusalOf(sns.createTopic({ Name: 'same', Tags: [{ Key: 'team', Value: 'b' }] })),
    invalid('Tags Reason: Topic already exists with different tags'),
  )
  const gone = arnOf('sns', 'gone')
  assert.deepEqual(await refusalOf(sns.getTopicAttributes({ TopicArn: gone })), ['NotFoundException', 404, 'Topic does not exist'])
  assert.deepEqual(
    await refusalOf(sns.getTopicAttributes({ TopicArn: 'orders' })),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1'),
  )
  assert.deepEqual(
    await refusalOf(sns.publish({ TopicArn: 'arn:aws:sns:us-east-1:000000000000', Message: 'x' })),
    invalid('TopicArn Reason: An ARN must have at least 6 elements, not 5'),
  )
  assert.deepEqual(await refusalOf(sns.getTopicAttributes({ TopicArn: gone.replace('us-east-1', 'eu-west-1') })), invalid('TopicArn'))
  assert.deepEqual(await refusalOf(sns.listTagsForResource({ ResourceArn: gone })), [
    'ResourceNotFoundException',
    404,
    'Resource does not exist',
  ])
  const twice = [
    { Key: 'team', Value: 'a' },
    { Key: 'team', Value: 'b' },
  ]
  assert.deepEqual(
    await refusalOf(sns.tagResource({ ResourceArn: arnOf('sns', 'same'), Tags: twice })),
    invalid('Duplicated keys are not allowed.'),
  )
})

test('refusals of subscriptions in the words of AWS', async () => {
  const TopicArn = await topicNamed('subscribe-refusals')
  const subscribe = (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
    refusalOf(sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes }))
  assert.deepEqual(await subscribe('pigeon', 'x'), invalid('Amazon SNS does not support this protocol string: pigeon'))
  assert.deepEqual(await subscribe('sqs', `${server.url}/${ACCOUNT}/orders`), invalid('SQS endpoint ARN'))
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'orders.fifo')),
    invalid('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics'),
  )
  assert.deepEqual(await subscribe('http', 'https://localhost/x'), invalid('Endpoint must match the specified protocol'))
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'orders'), { RawMessageDelivery: 'maybe' }),
    invalid('Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false.'),
  )
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'twice') })
  assert.deepEqual(
    await subscribe('sqs', arnOf('sqs', 'twice'), { RawMessageDelivery: 'true' }),
    invalid('Attributes Reason: Subscription already exists with different attributes'),
  )
  const unsubscribe = (SubscriptionArn: string) => refusalOf(sns.unsubscribe({ SubscriptionArn }))
  assert.deepEqual(await unsubscribe('short'), invalid('SubscriptionArn Reason: An ARN must have at least 6 elements, not 1'))
  assert.deepEqual(await unsubscribe(TopicArn), invalid('SubscriptionId'))
  await sns.unsubscribe({ SubscriptionArn: `${TopicArn}:00000000-0000-4000-8000-000000000000` })
  assert.deepEqual(await refusalOf(sns.confirmSubscription({ TopicArn, Token: 'not hex' })), [
    'InvalidParameterException',
    400,
    'Invalid token',
  ])
  assert.deepEqual(await refusalOf(sns.confirmSubscription({ TopicArn, Token: '51b2ff3e' })), invalid('Token'))
})

test('refusals of messages in the words of AWS', async () => {
  const TopicArn = await topicNamed('publish-refusals')
  const publish = (input: object) => refusalOf(sns.publish({ TopicArn, Message: 'x', ...input }))
  assert.deepEqual(await publish({ Message: '' }), invalid('Empty message'))
  assert.deepEqual(await publish({ Subject: '' }), invalid('Subject'))
  assert.deepEqual(await publish({ Subject: 's'.repeat(101) }), invalid('Subject'))
  assert.deepEqual(await publish({ Message: 'x'.repeat(262_145) }), invalid('Message too long'))
  assert.deepEqual(await publish({ TopicArn: TopicArn.replace('us-east-1', 'eu-west-1') }), invalid('TopicArn'))
  assert.deepEqual(
    await publish({ MessageStructure: 'json', Message: '{' }),
    invalid('Message Structure - JSON message body failed to parse'),
  )
  assert.deepEqual(
    await publish({ MessageStructure: 'json', Message: '{"sqs":"x"}' }),
    invalid('Message Structure - No default entry in JSON message body'),
  )
  await sns.publish({ TopicArn, Message: 'x'.repeat(262_144), Subject: 's'.repeat(100) })

  const attribute = (name: string, value: { DataType: string | undefined; StringValue?: string; BinaryValue?: Uint8Array }) =>
    publish({ MessageAttributes: { [name]: value } })
  const badValue = (message: string) => ['InvalidParameterValueException', 400, message] as const
  const text = { DataType: 'String', StringValue: 'v' }
  assert.deepEqual(await attribute('n'.repeat(257), text), badValue('Length of message attribute name must be less than 256 bytes.'))
  assert.deepEqual(
    await attribute('a b', text),
    badValue(
      "Invalid non-alphanumeric character '#x20' was found in the message attribute name. " +
        'Can only include alphanumeric characters, hyphens, underscores, or dots.',
    ),
  )
  assert.deepEqual(await attribute('.a', text), badValue("Invalid message attribute name starting with character '.' was found."))
  assert.deepEqual(await attribute('a..b', text), badValue("Message attribute name can not have successive '.' character."))
  assert.deepEqual(
    await attribute('a', { DataType: 'Text', StringValue: 'v' }),
    badValue(
      "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
    ),
  )
  assert.deepEqual(
    await attribute('a', { DataType: 'String', StringValue: '' }),
    badValue("The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'."),
  )
  assert.deepEqual(
    await attribute('a', { DataType: 'String', BinaryValue: Buffer.from('v') }),
    badValue("The message attribute 'a' with type 'String' must use field 'String'."),
  )
  assert.deepEqual(await attribute('a', { DataType: undefined, StringValue: 'v' }), [
    'ValidationError',
    400,
    "1 validation error detected: Value null at 'messageAttributes.a.member.dataType' failed to satisfy constraint: Member must not be null",
  ])
})

test('refusals of batches in the words of AWS', async () => {
  const TopicArn = await topicNamed('batch-refusals')
  const batch = (entries: readonly { Id: string; Message: string }[]) =>
    refusalOf(sns.publishBatch({ TopicArn, PublishBatchRequestEntries: [...entries] }))
  const entry = (Id: string) => ({ Id, Message: 'x' })
  assert.deepEqual(await batch(Array.from({ length: 11 }, (_, at) => entry(String(at)))), [
    'TooManyEntriesInBatchRequestException',
    400,
    'The batch request contains more entries than permissible.',
  ])
  assert.deepEqual(await batch([]), ['EmptyBatchRequestException', 400, "The batch request doesn't contain any entries."])
  assert.deepEqual(await batch([entry('a'), entry('a')]), [
    'BatchEntryIdsNotDistinctException',
    400,
    'Two or more batch entries in the request have the same Id.',
  ])
  assert.deepEqual(await batch([entry('a.b')]), [
    'InvalidBatchEntryIdException',
    400,
    'The Id of a batch entry in the batch request contains an impermissible character: a.b',
  ])
  assert.deepEqual(await batch([entry('a'.repeat(81))]), [
    'InvalidBatchEntryIdException',
    400,
    `The Id of a batch entry in the batch request is too long: ${'a'.repeat(81)}`,
  ])
  assert.deepEqual(await batch([entry('a'), { Id: 'b', Message: 'x'.repeat(262_144) }]), [
    'BatchRequestTooLongException',
    400,
    'The length of all the messages put together is more than the limit.',
  ])
})

test('a stranger and a wrong secret are refused, and change nothing', async () => {
  const stranger = new SNS(clientConfig(server.url, { accessKeyId: 'AKIASTRANGERSTRANGER', secretAccessKey: 'x' }))
  assert.deepEqual(await refusalOf(stranger.createTopic({ Name: 'stranger' })), [
    'InvalidClientTokenId',
    403,
    'The security token included in the request is invalid.',
  ])
  const impostor = new SNS(clientConfig(server.url, { ...ROOT_KEY, secretAccessKey: 'wrong' }))
  const [name, status, message] = await refusalOf(impostor.createTopic({ Name: 'impostor' }))
  assert.deepEqual([name, status], ['SignatureDoesNotMatch', 403])
  assert.match(message, /^The request signature we calculated does not match the signature you provided\./)
  const all = await listTopics()
  assert.ok(!all.some((arn) => /stranger|impostor/.test(arn)))
})
