// What becomes of a message, as an operator sees it: `sealcast deliveries` and the table `deliveries`.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { clientConfig, runCommand } from './server.ts'
import { until } from './until.ts'

const { server, data } = await startFileServer({ words: ['--set', 'outbound.allow=127.0.0.0/8'] })
const statuses: number[] = []
const receiver = await openReceiver({
  answer: ({ headers }) => (headers['x-amz-sns-message-type'] === 'Notification' ? (statuses.shift() ?? 200) : 200),
})
const sqs = new SQS(clientConfig(server.url))
const sns = new SNS(clientConfig(server.url))
after(() => receiver.close())

const deliveries = (...words: string[]) => runCommand(['deliveries', ...words, '--data', data])

async function attemptsAt(messageId: string): Promise<readonly unknown[]> {
  const { output } = await deliveries(messageId, '--json')
  return output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]))
}

test('each attempt at a message is a row, in the terminal and as JSON lines', async () => {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'told' })
  const healthyRetryPolicy = { numRetries: 2, numNoDelayRetries: 2, minDelayTarget: 1, maxDelayTarget: 1 }
  const { SubscriptionArn } = await sns.subscribe({
    ...{ TopicArn, Protocol: 'http', Endpoint: `${receiver.url}/hook?secret=1`, ReturnSubscriptionArn: true },
    Attributes: { DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) },
  })
  const { Token } = await receiver.next('SubscriptionConfirmation')
  await sns.confirmSubscription({ TopicArn, Token })
  statuses.push(500, 429)
  const { MessageId = '' } = await sns.publish({ TopicArn, Message: 'hello' })
  const rows = await until('three attempts', async () => {
    const attempts = (await attemptsAt(MessageId)) as readonly Record<string, unknown>[]
    return attempts.length === 3 ? attempts : undefined
  })
  assert.deepEqual(
    rows.map(({ attempt, outcome, status, reason, endpoint, subscription_arn: arn }) => [attempt, outcome, status, reason, endpoint, arn]),
    [
      [1, 'retry', 500, 'the endpoint answered with status 500', `${receiver.url}/hook`, SubscriptionArn],
      [2, 'retry', 429, 'the endpoint answered with status 429', `${receiver.url}/hook`, SubscriptionArn],
      [3, 'delivered', 200, '', `${receiver.url}/hook`, SubscriptionArn],
    ],
  )
  const table = await deliveries(MessageId)
  assert.match(table.output, /^time +protocol +endpoint +attempt +outcome +status +ms +reason +next_attempt\n/)
  assert.match(table.output, / 2 +retry +429 /)
  assert.match(table.notes, /^3 attempts$/m)
})

test("a topic's feedback attributes are kept, shown, and have their effect on queues and endpoints", async () => {
  const role = 'arn:aws:iam::000000000000:role/feedback'
  const classes = ['HTTP', 'SQS', 'Lambda', 'Firehose', 'Application']
  const names = classes.flatMap((name) => [
    [`${name}SuccessFeedbackRoleArn`, role],
    [`${name}SuccessFeedbackSampleRate`, '100'],
    [`${name}FailureFeedbackRoleArn`, role],
  ])
  const asked = Object.fromEntries(names) as Record<string, string>
  const { TopicArn = '' } = await sns.createTopic({ Name: 'status', Attributes: asked })
  const { Attributes = {} } = await sns.getTopicAttributes({ TopicArn })
  for (const [name, value] of Object.entries(asked)) assert.equal(Attributes[name], value, name)
  const Endpoint = TopicArn.replace(':sns:', ':sqs:')
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint })
  await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: receiver.url })
  const { Token } = await receiver.next('SubscriptionConfirmation', ({ TopicArn: of }) => of === TopicArn)
  await sns.confirmSubscription({ TopicArn, Token })
  const logsOf = async (count: number, MessageId = ''): Promise<readonly unknown[]> =>
    until('the logs', async () => {
      const logs = (await attemptsAt(MessageId)) as readonly { protocol: string; log_group: string | null; status_log: string | null }[]
      if (logs.length < count) return undefined
      return logs
        .map((log) => {
          const { status, delivery } = JSON.parse(log.status_log ?? '{}') as { status?: string; delivery?: { statusCode: number } }
          return [log.protocol, log.log_group?.split('/').slice(3).join('/'), status, delivery?.statusCode]
        })
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
    })
  const first = await sns.publish({ TopicArn, Message: 'hello' })
  assert.deepEqual(await logsOf(2, first.MessageId), [
    ['http', 'status', 'SUCCESS', 200],
    ['sqs', 'status/Failure', 'FAILURE', 400],
  ])
  await sqs.createQueue({ QueueName: 'status', Attributes: { Policy: topicsMaySend(Endpoint) } })
  await sns.setTopicAttributes({ TopicArn, AttributeName: 'HTTPSuccessFeedbackSampleRate', AttributeValue: '0' })
  const second = await sns.publish({ TopicArn, Message: 'hello' })
  assert.deepEqual(await logsOf(2, second.MessageId), [
    ['http', undefined, undefined, undefined],
    ['sqs', 'status', 'SUCCESS', 200],
  ])
})

test('a message that nobody knows, and words that do not fit', async () => {
  const unknown = await deliveries('1b2c3d4e-0000-4000-8000-000000000000')
  assert.deepEqual([unknown.code, unknown.output], [0, ''])
  assert.match(unknown.notes, /^no attempt is recorded for 1b2c3d4e/)
  for (const [words, text] of [
    [[], /give one message id/],
    [['a', 'b'], /give one message id/],
    [["x' OR 1=1"], /is no message id/],
  ] as const) {
    const refused = await deliveries(...words)
    assert.equal(refused.code, 2)
    assert.match(refused.notes, text)
  }
})
