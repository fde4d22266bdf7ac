// Texts that nobody else may ever read are planted in every call that can carry one, and then looked for everywhere.
import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CloudTrail } from '@aws-sdk/client-cloudtrail'
import { S3 } from '@aws-sdk/client-s3'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startFileServer } from './file-server.ts'
import { readLogFiles, trailOfEverything } from './log-files.ts'
import { topicsMaySend } from './queue-policy.ts'
import { openReceiver } from './receiver.ts'
import { sendSigned } from './sign.ts'
import { ROOT_KEY, clientConfig, runCommand } from './server.ts'
import { until, untilTrue } from './until.ts'

const ACCOUNT = '000000000000'
const CANARY = 'canary7f3a'
/** A text that can be told from every other one: where it was planted stands in it. */
const plant = (where: string): string => `${CANARY}-${where}`

const settings = ['trail.deliveryIntervalSeconds=1', 'sms.provider=capture', 'push.provider=capture']
const { server, data } = await startFileServer({ words: settings.flatMap((setting) => ['--set', setting]) })
const failing = await openReceiver({ answer: (post) => (post.text.includes('"Notification"') ? 500 : 200), reply: plant('reply') })
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
const s3 = new S3({ ...clientConfig(server.url), forcePathStyle: true })
const cloudtrail = new CloudTrail(clientConfig(server.url))
after(() => failing.close())

/** Calls of every kind that carry what is nobody's business; the tokens and secrets that came to be on the way. */
async function plantEverywhere(): Promise<readonly string[]> {
  const { TopicArn = '' } = await sns.createTopic({ Name: 'planted' })
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'planted', Attributes: { Policy: topicsMaySend(queueArn) } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn })
  const address = failing.url.replace('//', `//user:${plant('password')}@`)
  const DeliveryPolicy = JSON.stringify({ healthyRetryPolicy: { numRetries: 1, minDelayTarget: 1, maxDelayTarget: 1 } })
  await sns.subscribe({ TopicArn, Protocol: 'http', Endpoint: `${address}/in?key=${plant('query')}`, Attributes: { DeliveryPolicy } })
  const { Token = '' } = await failing.next('SubscriptionConfirmation')
  await assert.rejects(sns.confirmSubscription({ TopicArn, Token: `${Token.slice(0, -4)}0000` }))
  await sns.confirmSubscription({ TopicArn, Token })

  const attributes = { [plant('attribute-name')]: { DataType: 'String', StringValue: plant('attribute-value') } }
  const message = { Message: plant('message'), Subject: plant('subject'), MessageAttributes: attributes }
  await sns.publish({ TopicArn, ...message })
  await sns.publish({
    TopicArn,
    MessageStructure: 'json',
    Message: JSON.stringify({ default: plant('default'), sqs: plant('for-queues') }),
  })
  await sns.publishBatch({
    TopicArn,
    PublishBatchRequestEntries: [
      { Id: 'a', ...message },
      { Id: 'b', Message: plant('entry') },
    ],
  })
  const failures = [
    sns.publish({ TopicArn: TopicArn.replace('planted', 'absent'), ...message }),
    sns.publish({ TopicArn: TopicArn.replace(ACCOUNT, '999999999999'), ...message }),
    sns.publish({ TopicArn, ...message, MessageStructure: 'json' }),
    sns.publish({ TopicArn, ...message, Subject: `${plant('long-subject')}${'x'.repeat(200)}` }),
    sns.publish({ TopicArn, ...message, MessageAttributes: { a: { DataType: 'Number', StringValue: plant('number') } } }),
    sns.publish({ PhoneNumber: '+15555550100', ...message, Message: plant('long-text').repeat(200) }),
    sns.publishBatch({
      TopicArn,
      PublishBatchRequestEntries: [
        { Id: 'a', ...message },
        { Id: 'a', ...message },
      ],
    }),
    new SNS(clientConfig(server.url, { ...ROOT_KEY, secretAccessKey: plant('guessed-secret') })).publish({ TopicArn, ...message }),
    sns.confirmSubscription({ TopicArn, Token: plant('token') }),
    sqs.sendMessage({ QueueUrl: `${QueueUrl}-absent`, MessageBody: plant('absent-queue') }),
  ]
  for (const { status } of await Promise.allSettled(failures)) assert.equal(status, 'rejected')
  for (const body of [
    `Action=Publish&TopicArn=${TopicArn}&Message=${plant('once')}&Message=${plant('twice')}`,
    `Action=Publish&TopicArn=${TopicArn}&Message.member.1=${plant('misplaced')}`,
    `Action=Publish&TopicArn=${TopicArn}&Message=${plant('broken')}%FF`,
  ])
    assert.equal((await sendSigned(server.port, { body })).status, 400, body)
  const json = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' }
  for (const body of [
    `{"QueueUrl":"${QueueUrl}","MessageBody":"${plant('cut-json')}`,
    `{"QueueUrl":"x","MessageBody":["${plant('list')}"]}`,
  ])
    assert.equal((await sendSigned(server.port, { service: 'sqs', headers: json, body })).status, 400)

  await sqs.sendMessage({ QueueUrl, MessageBody: plant('queued'), MessageAttributes: attributes })
  await sqs.sendMessageBatch({ QueueUrl, Entries: [{ Id: 'a', MessageBody: plant('queued-entry'), MessageAttributes: attributes }] })
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] })
  const ReceiptHandle = Messages[0]?.ReceiptHandle ?? ''
  await sqs.deleteMessage({ QueueUrl, ReceiptHandle })
  await s3.putObject({ Bucket: 'logs', Key: 'object', Body: plant('object'), Metadata: { note: plant('metadata') } })
  await s3.getObject({ Bucket: 'logs', Key: 'object' })

  const credentials = { PlatformCredential: plant('credential'), PlatformPrincipal: plant('principal') }
  const application = await sns.createPlatformApplication({ Name: 'planted', Platform: 'ADM', Attributes: credentials })
  const { PlatformApplicationArn } = application
  await sns.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes: credentials })
  const ofDevice = { Token: plant('device'), CustomUserData: plant('user-data') }
  const { EndpointArn } = await sns.createPlatformEndpoint({ PlatformApplicationArn, ...ofDevice, Attributes: ofDevice })
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { ...ofDevice, Token: plant('new-device') } })
  await sns.publish({ PhoneNumber: '+15555550100', ...message, Message: plant('text') })
  await sns.publish({ TargetArn: EndpointArn, ...message, Message: plant('push') })
  for (const call of [
    () =>
      sns.createPlatformApplication({
        Name: 'planted',
        Platform: 'ADM',
        Attributes: { ...credentials, PlatformCredential: plant('other') },
      }),
    () => sns.createPlatformEndpoint({ PlatformApplicationArn, Token: plant('new-device'), Attributes: { Enabled: 'false' } }),
    () => sns.setEndpointAttributes({ EndpointArn, Attributes: { CustomUserData: plant('long').repeat(200) } }),
  ])
    await assert.rejects(call)

  const { output } = await runCommand(['accounts', 'create', '111122223333', '--data', data, '--json'])
  const { SecretAccessKey } = JSON.parse(output) as { SecretAccessKey: string }
  await runCommand(['env', '--data', data])
  return [Token, SecretAccessKey, ROOT_KEY.secretAccessKey, ...Object.values(credentials)]
}

/** Every column of every row, as the operator can read it. */
async function readTable(table: 'events' | 'deliveries'): Promise<string> {
  const { code, output, notes } = await runCommand(['query', '--data', data, '--json', `SELECT * FROM ${table}`])
  assert.equal(code, 0, notes)
  return output
}

/** All log files, one text. */
async function logTexts(): Promise<string> {
  return [...(await readLogFiles({ s3 })).values()].map((bytes) => gunzipSync(bytes).toString('utf8')).join('\n')
}

/** The bytes of the files below the data directory's folders that `isAsked` names, one text. */
function readStores(isAsked: (store: string) => boolean): string {
  return globSync('**/*', { cwd: data })
    .filter((path) => isAsked(path.split('/')[0] ?? '') && statSync(join(data, path)).isFile())
    .map((path) => readFileSync(join(data, path)).toString('latin1'))
    .join('\n')
}

function around(text: string, found: string): string {
  const at = text.indexOf(found)
  return text.slice(Math.max(0, at - 300), at + 300)
}

test('invariant 7: secrets and personal content never enter an event, a log line or a delivery record', async () => {
  await trailOfEverything({ s3, cloudtrail })
  const secrets = await plantEverywhere()
  const deliveries = await until('the end of the failing deliveries', async () => {
    const text = await readTable('deliveries')
    return text.includes('"outcome":"refused"') || text.includes('"outcome":"retry"') ? text : undefined
  })
  const events = await readTable('events')
  await untilTrue('the last event in a log file', async () => (await logTexts()).includes('"CreateTopic"'))
  await untilTrue('the batch in a log file', async () => (await logTexts()).includes('"PublishBatch"'))
  const shown = { events, deliveries, 'log files': await logTexts(), log: server.log() }
  for (const [where, text] of Object.entries(shown))
    for (const secret of [CANARY, '15555550100', ...secrets])
      assert.ok(!text.includes(secret), `${secret} in ${where}: ${around(text, secret)}`)

  await server.stop()
  const holdsBodies = (store: string) => ['journal', 'queues', 'blobs'].includes(store)
  const bodies = readStores(holdsBodies)
  for (const where of ['message', 'queued']) assert.ok(bodies.includes(plant(where)), 'what is looked for can be found')
  const others = readStores((store) => !holdsBodies(store) && store !== 'records')
  assert.ok(!others.includes(CANARY), around(others, CANARY))
  // Records hold deliveries that wait for another attempt, each with its own copy; what went elsewhere is not among them.
  const records = readStores((store) => store === 'records')
  for (const where of ['for-queues', 'queued', 'queued-entry', 'object', 'absent-queue', 'twice', 'cut-json'])
    assert.ok(!records.includes(`${plant(where)}"`), `a body in the records: ${around(records, plant(where))}`)
  const everything = readStores(() => true)
  assert.ok(!new RegExp(`${plant('object')}(?![-a-z])`).test(everything), 'objects are sealed at rest')
  for (const secret of secrets) assert.ok(!everything.includes(secret), `${secret} is on disk: ${around(everything, secret)}`)
})
