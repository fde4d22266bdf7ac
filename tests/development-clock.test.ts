// The time of a development server, moved ahead: what waits for time does not wait any more. Clients sign by their own time all the while.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { messageOf, openReceiver } from './receiver.ts'
import { type TestServer, clientConfig, runCommand, startTestServer } from './server.ts'

const DEV_KEY = { accessKeyId: 'test', secretAccessKey: 'test' }
let server: TestServer
let sns: SNS
let sqs: SQS

before(async () => {
  server = await startTestServer({})
  sns = new SNS(clientConfig(server.url, DEV_KEY))
  sqs = new SQS(clientConfig(server.url, DEV_KEY))
})
after(() => server.stop())

interface Time {
  readonly status: number
  readonly now: string
  readonly aheadSeconds: number
  readonly error?: string
}

async function clock(body?: unknown): Promise<Time> {
  const sent = body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(`${server.url}/_sealcast/clock`, sent)
  return { status: response.status, ...((await response.json()) as Omit<Time, 'status'>) }
}

const newQueue = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sqs.createQueue({ QueueName, Attributes })).QueueUrl ?? ''
const bodies = async (QueueUrl: string, more: object = {}): Promise<readonly (string | undefined)[]> =>
  ((await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, ...more })).Messages ?? []).map(({ Body }) => Body)

test('it is told, moves ahead by seconds and to a time, and never back', async () => {
  const first = await clock()
  assert.ok(Math.abs(Date.parse(first.now) - Date.now()) < 10_000)
  assert.equal(first.aheadSeconds, 0)
  const second = await clock({ seconds: 90.5 })
  assert.deepEqual([second.status, second.aheadSeconds], [200, 91])
  const to = new Date(Date.parse(second.now) + 3600_000).toISOString()
  const third = await clock({ to })
  assert.ok(Date.parse(third.now) >= Date.parse(to) && Date.parse(third.now) < Date.parse(to) + 10_000)
  for (const [body, error] of [
    ['', /^the body must be one JSON object/],
    ['[]', /^the body must be one JSON object/],
    [{}, /^give one of seconds and to$/],
    [{ seconds: 1, to }, /^give one of seconds and to$/],
    [{ minutes: 1 }, /^minutes: there is no such member; give seconds or to$/],
    [{ seconds: 0 }, /^seconds: must be a number above 0, at most \d+; time only goes forward$/],
    [{ seconds: -1 }, /^seconds: must be/],
    [{ seconds: '1' }, /^seconds: must be/],
    [{ seconds: 10 * 365 * 86_400 }, /^seconds: must be/],
    [{ to }, /^to: it is .* already; time only goes forward$/],
    [{ to: 'tomorrow' }, /^to: must be a time such as 2027-01-01T00:00:00Z$/],
    [{ to: '9999-01-01T00:00:00Z' }, /^to: must be at most \d+ seconds ahead$/],
  ] as const) {
    const refused = await clock(body)
    assert.equal(refused.status, 400, JSON.stringify(body))
    assert.match(refused.error ?? '', error)
  }
})

test('retries are made on the way, in their number, and end in the dead-letter queue', async (t) => {
  const receiver = await openReceiver({
    answer: (post) => (post.headers['x-amz-sns-message-type'] === 'Notification' && messageOf(post)['Message'] !== 'well' ? 500 : 200),
  })
  t.after(() => receiver.close())
  const { TopicArn = '' } = await sns.createTopic({ Name: 'retried' })
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  const QueueUrl = await newQueue('retried', { Policy: topicsMaySend(queueArn) })
  const { SubscriptionArn = '' } = await sns.subscribe({
    TopicArn,
    Protocol: 'http',
    Endpoint: `${receiver.url}/hook`,
    ReturnSubscriptionArn: true,
    Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) },
  })
  await sns.confirmSubscription({ TopicArn, Token: (await receiver.next('SubscriptionConfirmation'))['Token'] ?? '' })
  await sns.publish({ TopicArn, Message: 'ill' })
  await receiver.next('Notification')
  assert.deepEqual(await bodies(QueueUrl), [])
  // A machine that is very busy may need more time than a step waits for it.
  let letter: string | undefined
  for (let moves = 0; letter === undefined && moves < 5; moves++) {
    await clock({ seconds: 120 })
    letter = (await bodies(QueueUrl, { WaitTimeSeconds: 2 }))[0]
  }
  assert.equal((JSON.parse(letter ?? '{}') as { Message?: string }).Message, 'ill')
  const attempts = receiver.posts.filter((post) => post.headers['x-amz-sns-message-type'] === 'Notification')
  assert.equal(attempts.length, 4, 'the first attempt and three retries, twenty seconds apart')
  await sns.publish({ TopicArn, Message: 'well' })
  await receiver.next('Notification', ({ Message }) => Message === 'well')
  await sns.unsubscribe({ SubscriptionArn })
})

test('visibility, delays and retention of queues move with it', async () => {
  const QueueUrl = await newQueue('visible', { VisibilityTimeout: '600', MessageRetentionPeriod: '86400' })
  await sqs.sendMessage({ QueueUrl, MessageBody: 'seen' })
  assert.deepEqual(await bodies(QueueUrl), ['seen'])
  await sqs.sendMessage({ QueueUrl, MessageBody: 'delayed', DelaySeconds: 900 })
  assert.deepEqual(await bodies(QueueUrl), [])
  await clock({ seconds: 601 })
  assert.deepEqual(await bodies(QueueUrl), ['seen'])
  await clock({ seconds: 300 })
  assert.deepEqual(await bodies(QueueUrl), ['delayed'])
  // A receive that waits gets what becomes visible by a move within its time.
  await sqs.sendMessage({ QueueUrl, MessageBody: 'soon', DelaySeconds: 15 })
  const waiting = bodies(QueueUrl, { WaitTimeSeconds: 20 })
  await clock({ seconds: 16 })
  assert.deepEqual(await waiting, ['soon'])
  await clock({ seconds: 86_400 })
  assert.deepEqual(await bodies(QueueUrl), [])
})

test('ids of deduplication are forgotten after five minutes', async () => {
  const QueueUrl = await newQueue('ids.fifo', { FifoQueue: 'true' })
  const send = (MessageBody: string) =>
    sqs.sendMessage({ QueueUrl, MessageBody, MessageGroupId: MessageBody, MessageDeduplicationId: 'id' })
  await send('first')
  await send('second')
  await clock({ seconds: 299 })
  await send('third')
  assert.deepEqual(await bodies(QueueUrl, { VisibilityTimeout: 3600 }), ['first'])
  await clock({ seconds: 2 })
  await send('fourth')
  assert.deepEqual(await bodies(QueueUrl), ['fourth'])
})

test('a subscription that nobody confirms is gone after its two days; the command moves time, too', async (t) => {
  const receiver = await openReceiver()
  t.after(() => receiver.close())
  const { TopicArn = '' } = await sns.createTopic({ Name: 'unconfirmed' })
  await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: receiver.url })
  const { Token = '' } = await receiver.next('SubscriptionConfirmation')
  const before = await clock()
  const moved = await runCommand(['clock', '--url', server.url, '--forward', '3d'])
  assert.equal(moved.code, 0, moved.notes)
  assert.match(moved.output, /^\d{4}-\d\d-\d\dT[\d:.]+Z, \d+ d( \d+ h)?( \d+ min)?( \d+ s)? ahead\n$/)
  assert.ok(Date.parse((await clock()).now) - Date.parse(before.now) >= 3 * 86_400_000)
  await assert.rejects(sns.confirmSubscription({ TopicArn, Token }), { message: 'Invalid parameter: Token' })
  assert.deepEqual((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions, [])
  assert.equal((await runCommand(['clock', '--url', server.url, '--to', '2020-01-01T00:00:00Z'])).code, 1)
  for (const words of [[], ['--url', 'x'], ['--url', server.url, '--forward', 'x'], ['--url', server.url, '--forward', '1s', '--to', 'x']])
    assert.equal((await runCommand(['clock', ...words])).code, 2, words.join(' '))
})
