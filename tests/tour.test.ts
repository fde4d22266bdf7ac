// The first things anybody does, with the stock SDK over HTTP against a server process: topics, subscriptions, publishing, receiving.
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { STS } from '@aws-sdk/client-sts'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig } from './server.ts'
import { until } from './until.ts'

const ACCOUNT = '000000000000'
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const { server } = await startFileServer()
const receiver = await openReceiver()
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(() => receiver.close())

const topicNamed = async (name: string): Promise<string> => (await sns.createTopic({ Name: name })).TopicArn ?? ''
const arnOf = (service: string, name: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`

/** A queue that lets every topic in. */
async function queueNamed(name: string): Promise<{ readonly url: string; readonly arn: string }> {
  const arn = arnOf('sqs', name)
  const { QueueUrl } = await sqs.createQueue({ QueueName: name, Attributes: { Policy: topicsMaySend(arn) } })
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
  assert.deepEqual(
    new Set(listed.Subscriptions?.map(({ SubscriptionArn }) => SubscriptionArn)),
    new Set([queueSubscription, 'PendingConfirmation']),
  )
  assert.deepEqual(
    await sns
      .getTopicAttributes({ TopicArn: topicArn })
      .then(({ Attributes }) => [
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
      'Type',
      'MessageId',
      'TopicArn',
      'Subject',
      'Message',
      'Timestamp',
      'SignatureVersion',
      'Signature',
      'SigningCertURL',
      'UnsubscribeURL',
      'MessageAttributes',
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
  assert.deepEqual(
    Successful?.map(({ Id }) => Id),
    Array.from({ length: 10 }, (_, at) => `entry-${at}`),
  )
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
    'DisplayName',
    'EffectiveDeliveryPolicy',
    'Owner',
    'Policy',
    'SubscriptionsConfirmed',
    'SubscriptionsDeleted',
    'SubscriptionsPending',
    'TopicArn',
  ])
  assert.equal(
    fresh['EffectiveDeliveryPolicy'],
    '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,' +
      '"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,' +
      '"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}',
  )
  assert.equal(fresh['Owner'], ACCOUNT)
  const set = (AttributeName: string, AttributeValue: string) =>
    sns.setTopicAttributes({ TopicArn: topicArn, AttributeName, AttributeValue })
  await set('DisplayName', 'Shop')
  await set('SignatureVersion', '2')
  await set(
    'DeliveryPolicy',
    JSON.stringify({ http: { defaultHealthyRetryPolicy: { numRetries: 5, minDelayTarget: 1, maxDelayTarget: 2 } } }),
  )
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
  assert.deepEqual(
    await refusalOf(set('RawMessageDelivery', 'yes')),
    invalid('RawMessageDelivery: Invalid value [yes]. Must be true or false.'),
  )
  assert.deepEqual(await refusalOf(set('RawMessageDelivery', '')), invalid('RawMessageDelivery: Invalid value []. Must be true or false.'))
  assert.deepEqual(await refusalOf(set('Nonsense', 'x')), invalid('AttributeName'))
  assert.deepEqual(
    await refusalOf(set('RedrivePolicy', '{"deadLetterTargetArn":"nowhere"}')),
    invalid('RedrivePolicy: deadLetterTargetArn is an invalid arn'),
  )
  const again = await sns.subscribe({
    TopicArn: topicArn,
    Protocol: 'sqs',
    Endpoint: queue.arn,
    Attributes: { RawMessageDelivery: 'false' },
  })
  assert.equal(again.SubscriptionArn, SubscriptionArn)
  const gone = `${topicArn}:00000000-0000-4000-8000-000000000000`
  assert.deepEqual(await refusalOf(sns.getSubscriptionAttributes({ SubscriptionArn: gone })), [
    'NotFoundException',
    404,
    'Subscription does not exist',
  ])
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
