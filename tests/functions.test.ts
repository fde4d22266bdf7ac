// Functions and delivery streams where nothing is invoked: events are kept, and a program of the operator's runs them.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until } from './until.ts'

const ACCOUNT = '000000000000'
const folder = temporaryFolder()
const data = join(folder.path, 'data')
const events = join(folder.path, 'events')
const handler = join(folder.path, 'handler.cjs')
writeFileSync(events, '')
writeFileSync(
  handler,
  `const text = require('fs').readFileSync(0, 'utf8')
   require('fs').appendFileSync(process.argv[2], text + '\\n')
   process.exit(JSON.parse(text).Records[0].Sns.Message === 'fail' ? 1 : 0)`,
)
const server = await startTestServer({
  data,
  words: ['--set', 'lambda.provider=capture', '--set', `lambda.command=${[process.execPath, handler, events].join(',')}`],
})
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(async () => {
  await server.kill()
  folder.remove()
})

const functionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:orders`
const role = `arn:aws:iam::${ACCOUNT}:role/feedback`

test('a function is confirmed at once, its command gets the event, and the inbox keeps it; a failure is a dead letter', async () => {
  const Attributes = { LambdaSuccessFeedbackRoleArn: role, LambdaFailureFeedbackRoleArn: role }
  const { TopicArn = '' } = await sns.createTopic({ Name: 'orders', Attributes })
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'dead', Attributes: { Policy: topicsMaySend('*') } })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:dead` })
  const { SubscriptionArn } = await sns.subscribe({ TopicArn, Protocol: 'lambda', Endpoint: functionArn, Attributes: { RedrivePolicy } })
  const { MessageId } = await sns.publish({
    ...{ TopicArn, Message: 'hi', Subject: 's' },
    MessageAttributes: { kind: { DataType: 'String', StringValue: 'a' } },
  })
  const [event] = await until('the event', () => {
    const lines = readFileSync(events, 'utf8').split('\n').slice(0, -1)
    return lines.length === 0 ? undefined : lines
  })
  type Sns = Record<string, unknown>
  const { Records } = JSON.parse(event ?? '') as { Records: { EventSource: string; EventSubscriptionArn: string; Sns: Sns }[] }
  const [record] = Records
  assert.deepEqual([Records.length, record?.EventSource, record?.EventSubscriptionArn], [1, 'aws:sns', SubscriptionArn])
  const { Timestamp, Signature, SigningCertUrl, UnsubscribeUrl, ...members } = record?.Sns ?? {}
  assert.match(String(Timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(Buffer.from(String(Signature), 'base64').length, 256)
  assert.match(String(SigningCertUrl), /\/SimpleNotificationService-[0-9a-f]{32}\.pem$/)
  assert.equal(UnsubscribeUrl, `${server.url}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}`)
  assert.deepEqual(members, {
    ...{ Type: 'Notification', MessageId, TopicArn, Subject: 's', Message: 'hi', SignatureVersion: '1' },
    MessageAttributes: { kind: { Type: 'String', Value: 'a' } },
  })
  const { output } = await runCommand(['inbox', '--data', data, '--to', functionArn, '--wait', '5s', '--json'])
  const kept = JSON.parse(output) as Record<string, string>
  assert.deepEqual([kept['protocol'], kept['messageId'], kept['body']], ['lambda', MessageId, event])

  const failed = await sns.publish({ TopicArn, Message: 'fail' })
  const { Messages: [letter] = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20 })
  // A dead letter is the envelope, whatever the endpoint would have got.
  assert.equal((JSON.parse(letter?.Body ?? '{}') as Record<string, string>)['MessageId'], failed.MessageId)
  const sql = 'SELECT outcome, reason, status_log FROM deliveries ORDER BY started_at'
  const rows = await until('both attempts', async () => {
    const answer = await runCommand(['query', '--data', data, '--json', sql])
    const lines = answer.output.split('\n').filter((line) => line !== '')
    return lines.length < 2 ? undefined : lines.map((line) => JSON.parse(line) as Record<string, string>)
  })
  const logs = rows.map(({ status_log: log }) => JSON.parse(log ?? '{}') as { status: string; delivery: { destination: string } })
  assert.deepEqual(
    rows.map(({ outcome, reason }, at) => [outcome, reason, logs[at]?.status, logs[at]?.delivery.destination]),
    [
      ['delivered', 'captured', 'SUCCESS', functionArn],
      ['dead-lettered', 'the command of lambda.command failed: exit code 1', 'FAILURE', functionArn],
    ],
  )
})

test('what is no function or stream, and what nothing is configured for, is refused at once', async () => {
  const { TopicArn } = await sns.createTopic({ Name: 'refused' })
  const subscribing = (Protocol: string, Endpoint: string, Attributes = {}) =>
    refusalOf(sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes }))
  assert.deepEqual(await subscribing('lambda', functionArn.replace('function', 'layer')), invalid('Lambda endpoint ARN'))
  assert.deepEqual(
    await subscribing('lambda', functionArn, { RawMessageDelivery: 'true' }),
    invalid('Attributes Reason: Delivery protocol [lambda] does not support raw message delivery.'),
  )
  assert.deepEqual(
    await subscribing('firehose', `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/s`, { SubscriptionRoleArn: role }),
    invalid(
      'Protocol Reason: nothing delivers firehose here: ' +
        'set firehose.provider to endpoint (with firehose.endpoint and firehose.credentialsFile) or to capture',
    ),
  )
  const { TopicArn: fifo } = await sns.createTopic({ Name: 'refused.fifo', Attributes: { FifoTopic: 'true' } })
  for (const Protocol of ['lambda', 'firehose'])
    assert.deepEqual(
      await refusalOf(sns.subscribe({ TopicArn: fifo, Protocol, Endpoint: functionArn })),
      invalid(`Invalid protocol type: ${Protocol}`),
    )
})
