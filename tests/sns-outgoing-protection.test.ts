// Data protection policies of topics: what subscribers of two accounts get of one message, by queues and by HTTP, and what is told of it.
import assert from 'node:assert/strict'
import { createVerify } from 'node:crypto'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer } from './server.ts'
import { until } from './until.ts'

const OWNER = '000000000000'
const GUEST = '111122223333'
const WORDS = ['--set', 'outbound.allow=127.0.0.0/8']
const { server, data } = await startFileServer({ words: WORDS })
const failing = new Set<string>()
const receiver = await openReceiver({
  answer: ({ path, headers }) => (failing.has(path) && headers['x-amz-sns-message-type'] === 'Notification' ? 500 : 200),
})
after(() => receiver.close())
const account = JSON.parse((await runCommand(['accounts', 'create', GUEST, '--data', data, '--json'])).output) as Record<string, string>
const guestKey = { accessKeyId: account['AccessKeyId'] ?? '', secretAccessKey: account['SecretAccessKey'] ?? '' }
const [sns, sqs] = [new SNS(clientConfig(server.url)), new SQS(clientConfig(server.url))]
const guest = { sns: new SNS(clientConfig(server.url, guestKey)), sqs: new SQS(clientConfig(server.url, guestKey)) }

const managed = (name: string) => `arn:aws:dataprotection::aws:data-identifier/${name}`
const [EMAIL, CARD, IP] = [managed('EmailAddress'), managed('CreditCardNumber'), managed('IpAddress')]
const toGuests = (Operation: object, ...DataIdentifier: readonly string[]) => ({
  ...{ DataDirection: 'Outbound', Principal: [`arn:aws:iam::${GUEST}:root`], DataIdentifier, Operation },
})
const policyOf = (...Statement: readonly object[]) => JSON.stringify({ Name: 'guard', Version: '2021-06-01', Statement })
const MASK = { Deidentify: { MaskConfig: { MaskWithCharacter: '#' } } }
const REDACT = { Deidentify: { RedactConfig: {} } }
const RAW = { RawMessageDelivery: 'true' }
const CARD_NUMBER = '4111 1111 1111 1111'

/** A topic that the guest may subscribe to. */
async function topicOf(Name: string, DataProtectionPolicy: string, Attributes: Record<string, string> = {}): Promise<string> {
  const { TopicArn = '' } = await sns.createTopic({ Name, DataProtectionPolicy, Attributes })
  await sns.addPermission({ TopicArn, Label: 'guest', AWSAccountId: [GUEST], ActionName: ['Subscribe'] })
  return TopicArn
}

interface Subscribed {
  readonly subscriptionArn: string
  /** The texts that arrived since it was asked last. */
  texts(): Promise<readonly string[]>
}

async function queueOf(who: { readonly sns: SNS; readonly sqs: SQS }, QueueName: string, more: Record<string, string> = {}) {
  const { QueueUrl = '' } = await who.sqs.createQueue({ QueueName, Attributes: { Policy: topicsMaySend('*'), ...more } })
  const receive = async () => {
    const { Messages = [] } = await who.sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] })
    for (const { ReceiptHandle } of Messages) await who.sqs.deleteMessage({ QueueUrl, ReceiptHandle })
    return Messages
  }
  return { queueArn: `arn:aws:sqs:us-east-1:${QueueUrl.split('/').at(-2) ?? ''}:${QueueName}`, receive }
}

/** A queue of its own for the subscriber; that of another account than the topic's is confirmed as AWS asks for it. */
async function subscribe(
  TopicArn: string,
  who: { readonly sns: SNS; readonly sqs: SQS },
  name: string,
  Attributes: Record<string, string> = {},
  queue: Record<string, string> = {},
): Promise<Subscribed> {
  const { queueArn, receive } = await queueOf(who, name, queue)
  const { SubscriptionArn: subscriptionArn = '' } = await who.sns.subscribe({
    ...{ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes, ReturnSubscriptionArn: true },
  })
  if (who === guest) {
    const [confirmation] = await until('the confirmation', async () => {
      const messages = await receive()
      return messages.length > 0 ? messages : undefined
    })
    const { Token } = JSON.parse(confirmation?.Body ?? '') as { readonly Token: string }
    await who.sns.confirmSubscription({ TopicArn, Token })
  }
  const isRaw = Attributes['RawMessageDelivery'] === 'true'
  return {
    subscriptionArn,
    texts: async () =>
      (await receive()).map(({ Body = '' }) => (isRaw ? Body : (JSON.parse(Body) as { readonly Message: string }).Message)),
  }
}
const owner = { sns, sqs }

async function subscribeHttp(TopicArn: string, who: { readonly sns: SNS }, path: string, Attributes: Record<string, string> = {}) {
  const Endpoint = `${receiver.url}/${path}`
  const { SubscriptionArn = '' } = await who.sns.subscribe({
    ...{ TopicArn, Protocol: 'http', Endpoint, Attributes, ReturnSubscriptionArn: true },
  })
  const { Token } = await receiver.next('SubscriptionConfirmation', (message) => message['TopicArn'] === TopicArn)
  await who.sns.confirmSubscription({ TopicArn, Token })
  return SubscriptionArn
}

/** What was posted there, each once. */
const postedTo = (path: string) =>
  receiver.posts
    .filter((post) => post.path === `/${path}` && post.headers['x-amz-sns-message-type'] === 'Notification')
    .map(({ text, headers }) =>
      headers['x-amz-sns-rawdelivery'] === 'true' ? text : (JSON.parse(text) as { readonly Message: string }).Message,
    )

/** The attempts that failed; those that arrived are told beside. */
async function failuresAt(messageId: string, count: number): Promise<readonly Record<string, unknown>[]> {
  return until(`${count} failures`, async () => {
    const { output } = await runCommand(['deliveries', messageId, '--data', data, '--json'])
    const all = output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
    const rows = all.filter(({ outcome }) => outcome !== 'delivered')
    return rows.length >= count ? rows : undefined
  })
}

test('each subscriber gets what its principal may have, in queues and by HTTP, raw and in envelopes', async () => {
  const TopicArn = await topicOf('told', policyOf(toGuests(MASK, EMAIL), toGuests(REDACT, IP)))
  const raw = await subscribe(TopicArn, owner, 'told-raw', RAW)
  const theirs = await subscribe(TopicArn, guest, 'told-theirs')
  const theirRaw = await subscribe(TopicArn, guest, 'told-their-raw', RAW)
  await subscribeHttp(TopicArn, owner, 'ours')
  await subscribeHttp(TopicArn, guest, 'theirs', RAW)
  const Message = 'a@b.example from 10.0.0.1.'
  await sns.publish({ TopicArn, Message })
  await sns.publish({ TopicArn, Message: 'nothing to hide' })
  assert.deepEqual((await raw.texts()).toSorted(), [Message, 'nothing to hide'])
  for (const one of [theirs, theirRaw]) assert.deepEqual((await one.texts()).toSorted(), ['########### from .', 'nothing to hide'])
  for (const [path, text] of [
    ['ours', Message],
    ['theirs', '########### from .'],
  ] as const) {
    await until(`two posts to ${path}`, () => postedTo(path).length === 2 || undefined)
    assert.deepEqual(new Set(postedTo(path)), new Set([text, 'nothing to hide']))
  }
})

test('a denied delivery is not made: it failed with 403, is no dead letter, and is told where the topic asks for it', async () => {
  const role = 'arn:aws:iam::000000000000:role/feedback'
  const TopicArn = await topicOf('denied', policyOf(toGuests({ Deny: {} }, CARD), toGuests(REDACT, EMAIL)), {
    SQSFailureFeedbackRoleArn: role,
    HTTPFailureFeedbackRoleArn: role,
  })
  const dead = await queueOf(guest, 'denied-dead')
  const redrive = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn }) }
  const ours = await subscribe(TopicArn, owner, 'denied-ours', RAW)
  const theirs = await subscribe(TopicArn, guest, 'denied-theirs', { ...RAW, ...redrive })
  const http = await subscribeHttp(TopicArn, guest, 'denied', redrive)
  const Message = `pay with ${CARD_NUMBER}`
  const { MessageId = '' } = await sns.publish({ TopicArn, Message })
  const told = await failuresAt(MessageId, 2)
  assert.deepEqual(new Set(told.map(({ subscription_arn: arn }) => arn)), new Set([theirs.subscriptionArn, http]))
  for (const { outcome, status, attempt, reason, subscription_arn: arn, status_log: log } of told) {
    const text = `The topic's data protection policy prohibits this message from being delivered to ${String(arn)}`
    assert.deepEqual([outcome, status, attempt, reason], ['refused', 403, 1, text])
    const { delivery, status: end } = JSON.parse(String(log)) as { delivery: Record<string, unknown>; status: string }
    assert.deepEqual([delivery['providerResponse'], delivery['statusCode'], delivery['attempts'], end], [text, 403, 1, 'FAILURE'])
  }
  // What holds nothing but what is taken out would be a message without a text.
  const emptied = await sns.publish({ TopicArn, Message: 'a@b.example' })
  await failuresAt(emptied.MessageId ?? '', 2)
  assert.deepEqual((await ours.texts()).toSorted(), ['a@b.example', Message])
  assert.deepEqual(await theirs.texts(), [])
  assert.deepEqual(await dead.receive(), [])
  assert.deepEqual(postedTo('denied'), [])
})

test('of a JSON structure the text counts that the subscriber gets, and filters look at what was published', async () => {
  const TopicArn = await topicOf('structured', policyOf(toGuests({ Deny: {} }, CARD), toGuests(MASK, EMAIL)))
  const FilterPolicy = JSON.stringify({ mail: [{ prefix: 'a@' }] })
  const queue = await subscribe(TopicArn, guest, 'structured', RAW)
  const filtered = await subscribe(TopicArn, guest, 'structured-filtered', { ...RAW, FilterPolicy, FilterPolicyScope: 'MessageBody' })
  await subscribeHttp(TopicArn, guest, 'structured')
  await subscribeHttp(TopicArn, guest, 'structured-filtered', { ...RAW, FilterPolicy, FilterPolicyScope: 'MessageBody' })
  const publish = (texts: object) => sns.publish({ TopicArn, MessageStructure: 'json', Message: JSON.stringify(texts) })
  await publish({ default: `call ${CARD_NUMBER}`, sqs: '{"mail":"a@b.example"}', email: CARD_NUMBER })
  await publish({ default: '{"mail":"a@b.example"}', lambda: CARD_NUMBER })
  const masked = '{"mail":"###########"}'
  assert.deepEqual(await queue.texts(), [masked, masked])
  assert.deepEqual(await filtered.texts(), [masked, masked])
  for (const path of ['structured', 'structured-filtered']) {
    await until(`a post to ${path}`, () => postedTo(path).length === 1 || undefined)
    assert.deepEqual(postedTo(path), [masked])
  }
})

test('entries of a batch are protected each by itself, incoming statements first', async () => {
  const inbound = { DataDirection: 'Inbound', Principal: ['*'], DataIdentifier: [CARD], Operation: { Deny: {} } }
  const redact = { ...inbound, DataIdentifier: [IP], Operation: REDACT }
  const TopicArn = await topicOf('batch', policyOf(inbound, redact, toGuests(MASK, EMAIL)))
  const [ours, theirs] = [await subscribe(TopicArn, owner, 'batch-ours', RAW), await subscribe(TopicArn, guest, 'batch-theirs', RAW)]
  const { Successful = [], Failed = [] } = await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [
      { Id: 'mail', Message: '10.0.0.1 a@b.example' },
      { Id: 'card', Message: CARD_NUMBER },
      { Id: 'plain', Message: 'plain' },
    ],
  })
  assert.deepEqual(
    [Successful.map(({ Id }) => Id), Failed.map(({ Id, Code }) => [Id, Code])],
    [['mail', 'plain'], [['card', 'AuthorizationError']]],
  )
  assert.deepEqual(new Set(await ours.texts()), new Set([' a@b.example', 'plain']))
  assert.deepEqual(new Set(await theirs.texts()), new Set([' ###########', 'plain']))
})

test('a FIFO topic keeps order, numbers and deduplication, whatever its subscribers get', async () => {
  const inbound = { DataDirection: 'Inbound', Principal: ['*'], DataIdentifier: [IP], Operation: MASK }
  const TopicArn = await topicOf('ordered.fifo', policyOf(inbound, toGuests({ Deny: {} }, CARD), toGuests(MASK, EMAIL)), {
    ...{ FifoTopic: 'true', ContentBasedDeduplication: 'true' },
  })
  const queue = { FifoQueue: 'true' }
  const ours = await subscribe(TopicArn, owner, 'ordered-ours.fifo', RAW, queue)
  const theirs = await subscribe(TopicArn, guest, 'ordered-theirs.fifo', {}, queue)
  const publish = (Message: string) => sns.publish({ TopicArn, Message, MessageGroupId: 'g' })
  const sent = ['10.0.0.1 a@b.example', CARD_NUMBER, 'c@d.example', 'end']
  const first = await publish(sent[0] ?? '')
  assert.deepEqual((({ MessageId, SequenceNumber }) => [MessageId, SequenceNumber])(await publish(sent[0] ?? '')), [
    first.MessageId,
    first.SequenceNumber,
  ])
  const rest = []
  for (const text of sent.slice(1)) rest.push(await publish(text))
  const numbers = [first, ...rest].map(({ SequenceNumber = '' }) => SequenceNumber)
  assert.deepEqual(numbers.toSorted(), numbers)
  assert.equal(new Set(numbers).size, 4)
  assert.deepEqual(await ours.texts(), ['######## a@b.example', CARD_NUMBER, 'c@d.example', 'end'])
  assert.deepEqual(await theirs.texts(), ['######## ###########', '###########', 'end'])
  assert.equal((await failuresAt(rest[0]?.MessageId ?? '', 1))[0]?.['status'], 403)
})

test('a topic with encryption keeps each copy sealed, and each is signed for what it says', async () => {
  const encrypted = { KmsMasterKeyId: 'alias/aws/sns' }
  const TopicArn = await topicOf('sealed', policyOf(toGuests({ Deny: {} }, CARD), toGuests(MASK, EMAIL)), encrypted)
  const [ours, theirs] = [await subscribe(TopicArn, owner, 'sealed-ours', RAW), await subscribe(TopicArn, guest, 'sealed-theirs', RAW)]
  await subscribeHttp(TopicArn, owner, 'sealed-ours')
  await subscribeHttp(TopicArn, guest, 'sealed-theirs')
  await sns.publish({ TopicArn, Message: 'a@b.example' })
  assert.deepEqual([await ours.texts(), await theirs.texts()], [['a@b.example'], ['###########']])
  for (const [path, text] of [
    ['sealed-ours', 'a@b.example'],
    ['sealed-theirs', '###########'],
  ] as const) {
    const message = await receiver.next('Notification', (one) => one['TopicArn'] === TopicArn && one['Message'] === text)
    assert.deepEqual(postedTo(path), [text])
    const certificate = await (await fetch(message['SigningCertURL'] ?? '')).text()
    const signed = ['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Type'].map((name) => `${name}\n${message[name] ?? ''}\n`).join('')
    assert.ok(
      createVerify('RSA-SHA1')
        .update(signed)
        .verify(certificate, message['Signature'] ?? '', 'base64'),
      path,
    )
  }
  const { MessageId = '' } = await sns.publish({ TopicArn, Message: CARD_NUMBER })
  assert.deepEqual(
    (await failuresAt(MessageId, 2)).map(({ status }) => status),
    [403, 403],
  )
})

test('copies that do not fit into one commit are refused by name', async () => {
  const subscribers = policyOf(toGuests(MASK, EMAIL), { ...toGuests(REDACT, EMAIL), Principal: [`arn:aws:iam::${OWNER}:root`] })
  const TopicArn = await topicOf('long', subscribers, { MaximumMessageSize: '1048576' })
  const [ours, theirs] = [await subscribe(TopicArn, owner, 'long-ours', RAW), await subscribe(TopicArn, guest, 'long-theirs', RAW)]
  const most = `a@b.example${' x'.repeat(524_000)}`
  await sns.publish({ TopicArn, Message: most })
  assert.deepEqual(
    (await ours.texts()).map((text) => text.length),
    [most.length - 11],
  )
  assert.deepEqual(
    (await theirs.texts()).map((text) => text.slice(0, 13)),
    ['########### x'],
  )
  await sns.setTopicAttributes({ TopicArn, AttributeName: 'KmsMasterKeyId', AttributeValue: 'alias/aws/sns' })
  const bytes = most.length * 2 - 11
  assert.deepEqual(
    await refusalOf(sns.publish({ TopicArn, Message: most })),
    invalid(
      `Message too long: the topic's data protection policy makes 2 different copies of ${bytes} bytes together for its subscribers; ` +
        'at most 1048576 fit',
    ),
  )
})

test('audits of what goes out tell of the messages that its principals are there for', async () => {
  const audit = toGuests({ Audit: { SampleRate: '99', FindingsDestination: {}, NoFindingsDestination: {} } }, EMAIL)
  const TopicArn = await topicOf('audited', policyOf(audit))
  await subscribe(TopicArn, owner, 'audited-ours', RAW)
  for (let at = 0; at < 3; at++) await sns.publish({ TopicArn, Message: 'unheard@b.example' })
  await subscribe(TopicArn, guest, 'audited-theirs', RAW)
  const ids = new Set<unknown>()
  for (let at = 0; at < 20; at++) ids.add((await sns.publish({ TopicArn, Message: 'a@b.example' })).MessageId)
  for (let at = 0; at < 20; at++) await sns.publish({ TopicArn, Message: 'nothing' })
  const sql = `SELECT eventname, CAST(serviceeventdetails AS VARCHAR) AS details FROM events WHERE eventname LIKE '%SensitiveData%'`
  const { output } = await runCommand(['query', '--data', data, '--json', sql])
  const rows = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly eventname: string; readonly details: string })
  const told = rows.map(({ eventname, details }) => ({ eventname, ...(JSON.parse(details) as Record<string, unknown>) }))
  const found = told.filter(({ eventname }) => eventname === 'SensitiveDataFound') as readonly Record<string, unknown>[]
  // One of a hundred is left out: a third that is would be chance beyond belief.
  assert.ok(found.length >= 14 && found.length <= 20 && told.length - found.length >= 14, JSON.stringify(told.length))
  for (const { messageId, ...rest } of found) {
    assert.ok(ids.has(messageId))
    assert.deepEqual(rest, {
      eventname: 'SensitiveDataFound',
      resourceArn: TopicArn,
      callerPrincipal: `arn:aws:iam::${OWNER}:root`,
      dataDirection: 'Outbound',
      dataIdentifiers: [{ name: EMAIL, count: 1 }],
    })
  }
})

test('what waits behind a SIGKILL is the copy that was meant, although the policy is gone by then', async () => {
  const TopicArn = await topicOf('killed', policyOf(toGuests(MASK, EMAIL)))
  const healthyRetryPolicy = { numRetries: 20, minDelayTarget: 1, maxDelayTarget: 1 }
  const retries = { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) }
  await subscribeHttp(TopicArn, owner, 'killed-ours', retries)
  await subscribeHttp(TopicArn, guest, 'killed-theirs', retries)
  for (const path of ['/killed-ours', '/killed-theirs']) failing.add(path)
  await sns.publish({ TopicArn, Message: 'a@b.example' })
  await until('an attempt at each', () => (postedTo('killed-ours').length > 0 && postedTo('killed-theirs').length > 0) || undefined)
  await sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy: '' })
  await server.kill()
  const before = { ours: postedTo('killed-ours').length, theirs: postedTo('killed-theirs').length }
  failing.clear()
  const again = await startTestServer({ data, words: WORDS })
  after(() => again.kill())
  const arrived = () => postedTo('killed-ours').length > before.ours && postedTo('killed-theirs').length > before.theirs
  await until('both to arrive', () => arrived() || undefined)
  assert.deepEqual(new Set(postedTo('killed-ours')), new Set(['a@b.example']))
  assert.deepEqual(new Set(postedTo('killed-theirs')), new Set(['###########']))
})
