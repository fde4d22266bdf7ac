// What each protocol beyond HTTP and own queues takes, refuses and gets, in the words and shapes of AWS: through the stock SDK, with every
// provider `capture`. How a provider is spoken to is tested beside its deliverer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import type { CapturedMessage } from '../src/model/captured.ts'
import { startFileServer } from './file-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand } from './server.ts'

const ACCOUNT = '000000000000'
const PROVIDERS = ['email', 'sms', 'push', 'lambda', 'firehose']
const { server, data } = await startFileServer({ words: PROVIDERS.flatMap((name) => ['--set', `${name}.provider=capture`]) })
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))

const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:orders`
const STREAM = `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/orders`
const SubscriptionRoleArn = `arn:aws:iam::${ACCOUNT}:role/streams`
const topicNamed = async (Name: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sns.createTopic({ Name, Attributes })).TopicArn ?? ''
const subscribe = async (TopicArn: string, Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await sns.subscribe({ TopicArn, Protocol, Endpoint, Attributes })).SubscriptionArn ?? ''

async function inbox(to: string, count = 1): Promise<readonly CapturedMessage[]> {
  for (;;) {
    const { code, output, notes } = await runCommand(['inbox', '--data', data, '--to', to, '--wait', '20s', '--json'])
    assert.equal(code, 0, notes)
    const messages = output.trim().split('\n')
    if (messages.length >= count) return messages.map((line) => JSON.parse(line) as CapturedMessage)
  }
}

async function endpointNamed(platform: 'APNS' | 'GCM'): Promise<string> {
  const Attributes = { PlatformPrincipal: 'of nobody', PlatformCredential: 'of nobody' }
  const { PlatformApplicationArn } = await sns.createPlatformApplication({ Name: 'app', Platform: platform, Attributes })
  return (await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 'ABCDEF01' })).EndpointArn ?? ''
}

test('endpoints as each protocol takes and refuses them', async () => {
  const TopicArn = await topicNamed('endpoints')
  for (const number of ['+15555550100', '+12/34-567.890']) assert.match(await subscribe(TopicArn, 'sms', number), /^arn:/)
  for (const number of ['invalid-number', '+15--551234567', 'NAA+15551234567', '+15551234567.', '/+15551234567', ''])
    assert.deepEqual(await refusalOf(subscribe(TopicArn, 'sms', number)), [
      'InvalidParameterException',
      400,
      `Invalid SMS endpoint: ${number}`,
    ])
  const EndpointArn = await endpointNamed('GCM')
  assert.match(await subscribe(TopicArn, 'application', EndpointArn), /^arn:/)
  const gone = `${EndpointArn.slice(0, -8)}00000000`
  assert.deepEqual(
    await refusalOf(subscribe(TopicArn, 'application', gone)),
    invalid(`Endpoint Reason: Endpoint does not exist for endpoint arn${gone}`),
  )
  for (const [protocol, endpoint] of [
    ['sms', '+15555550101'],
    ['email', 'raw@example.com'],
    ['email-json', 'raw@example.com'],
    ['application', EndpointArn],
    ['lambda', FUNCTION],
  ] as const)
    assert.deepEqual(
      await refusalOf(subscribe(TopicArn, protocol, endpoint, { RawMessageDelivery: 'true' })),
      invalid(`Attributes Reason: Delivery protocol [${protocol}] does not support raw message delivery.`),
    )
  for (const [protocol, endpoint, attributes] of [
    ['lambda', FUNCTION, {}],
    ['firehose', STREAM, { SubscriptionRoleArn }],
    ['sms', '+15555550102', {}],
    ['application', EndpointArn, {}],
  ] as const) {
    const SubscriptionArn = await subscribe(TopicArn, protocol, endpoint, attributes)
    const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn })
    assert.deepEqual([Attributes?.['PendingConfirmation'], Attributes?.['ConfirmationWasAuthenticated']], ['false', 'true'], protocol)
  }
  // An endpoint that goes leaves its subscriptions, as on AWS.
  const { Subscriptions: before } = await sns.listSubscriptionsByTopic({ TopicArn })
  await sns.deleteEndpoint({ EndpointArn })
  assert.equal((await sns.listSubscriptionsByTopic({ TopicArn })).Subscriptions?.length, before?.length)
})

test('one publish in the shape of each protocol, with the text that is for it', async () => {
  const TopicArn = await topicNamed('shapes', { SignatureVersion: '2', DisplayName: 'Shop' })
  const SubscriptionArn = await subscribe(TopicArn, 'lambda', `${FUNCTION}-shapes`)
  await subscribe(TopicArn, 'firehose', `${STREAM}-shapes`, { SubscriptionRoleArn })
  await subscribe(TopicArn, 'firehose', `${STREAM}-raw`, { SubscriptionRoleArn, RawMessageDelivery: 'true' })
  await subscribe(TopicArn, 'sms', '+15555550103')
  await subscribe(TopicArn, 'email', 'shapes@example.com')
  const texts = { default: 'for all', lambda: 'for functions', firehose: 'for streams', sms: 'for phones', email: 'for mail', APNS: 7 }
  const MessageAttributes = {
    n: { DataType: 'Number', StringValue: '8' },
    list: { DataType: 'String.Array', StringValue: '["a"]' },
    blob: { DataType: 'Binary', BinaryValue: Uint8Array.of(2, 3, 4) },
  }
  const { MessageId } = await sns.publish({ TopicArn, Message: JSON.stringify(texts), MessageStructure: 'json', MessageAttributes })
  await sns.publish({ TopicArn, Subject: 'second', Message: 'plain' })

  const events = await inbox(`${FUNCTION}-shapes`, 2)
  const notices = events.map(({ body }) => {
    const { Records, ...others } = JSON.parse(body) as { Records: readonly { Sns: Record<string, unknown> }[] }
    assert.deepEqual([Records.length, others], [1, {}])
    const [record] = Records
    assert.deepEqual(
      { ...record, Sns: undefined },
      { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: SubscriptionArn, Sns: undefined },
    )
    return record?.Sns ?? {}
  })
  const first = notices.find((notice) => notice['MessageId'] === MessageId) ?? {}
  assert.deepEqual(Object.keys(first), [
    ...['Type', 'MessageId', 'TopicArn', 'Subject', 'Message', 'Timestamp', 'SignatureVersion', 'Signature', 'SigningCertUrl'],
    ...['UnsubscribeUrl', 'MessageAttributes'],
  ])
  assert.deepEqual(
    [first['Type'], first['Subject'], first['Message'], first['SignatureVersion']],
    ['Notification', null, 'for functions', '1'],
    'the version is told as 1 whatever the topic signs with',
  )
  assert.deepEqual(first['MessageAttributes'], {
    n: { Type: 'String', Value: '8' },
    list: { Type: 'String', Value: '["a"]' },
    blob: { Type: 'Binary', Value: 'AgME' },
  })
  const second = notices.find((notice) => notice['MessageId'] !== MessageId) ?? {}
  assert.deepEqual([second['Subject'], second['Message'], second['MessageAttributes']], ['second', 'plain', {}])

  const lines = (await inbox(`${STREAM}-shapes`, 2)).map(({ body }) => body)
  const line = lines.find((text) => text.includes('for streams')) ?? ''
  assert.ok(!/\n./.test(line), 'one line of JSON')
  assert.deepEqual(Object.keys(JSON.parse(line) as object), [
    ...['Type', 'MessageId', 'TopicArn', 'Message', 'Timestamp', 'UnsubscribeURL', 'MessageAttributes'],
  ])
  assert.deepEqual((await inbox(`${STREAM}-raw`, 2)).map(({ body }) => body.trimEnd()).toSorted(), ['for streams', 'plain'])
  assert.deepEqual((await inbox('+15555550103', 2)).map(({ body }) => body).toSorted(), ['Shop> for phones', 'Shop> plain'])
  const mails = await inbox('shapes@example.com', 2)
  assert.deepEqual(mails.map(({ subject }) => subject ?? '').toSorted(), ['AWS Notification Message', 'second'])
  assert.ok(mails.some(({ body }) => body.startsWith('for mail\n')))
})

test('a batch is allowed by SNS:Publish, and an explicit deny goes before it', async () => {
  const TopicArn = await topicNamed('allowed')
  const { output } = await runCommand(['accounts', 'create', '111122223333', '--data', data, '--json'])
  const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(output) as Record<string, string>
  const guest = new SNS(clientConfig(server.url, { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }))
  const batch = () => guest.publishBatch({ TopicArn, PublishBatchRequestEntries: [{ Id: '1', Message: 'x' }] })
  const refusal = (why: string) => [
    'AuthorizationErrorException',
    403,
    `User: arn:aws:iam::111122223333:root is not authorized to perform: SNS:Publish on resource: ${TopicArn} ${why}`,
  ]
  assert.deepEqual(await refusalOf(batch()), refusal('because no resource-based policy allows the SNS:Publish action'))
  await sns.addPermission({ TopicArn, Label: 'guests', AWSAccountId: ['111122223333'], ActionName: ['Publish'] })
  assert.equal((await batch()).Successful?.length, 1)
  const { Attributes } = await sns.getTopicAttributes({ TopicArn })
  const policy = JSON.parse(Attributes?.['Policy'] ?? '') as { Statement: object[] }
  policy.Statement.push({ Effect: 'Deny', Principal: { AWS: '111122223333' }, Action: 'SNS:Publish', Resource: TopicArn })
  await sns.setTopicAttributes({ TopicArn, AttributeName: 'Policy', AttributeValue: JSON.stringify(policy) })
  assert.deepEqual(await refusalOf(batch()), refusal('with an explicit deny in a resource-based policy'))
})

test('the dead letter of a device is the envelope, not what its platform would have got', async () => {
  const TopicArn = await topicNamed('dead')
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  const { QueueUrl } = await sqs.createQueue({ QueueName: 'dead', Attributes: { Policy: topicsMaySend('*') } })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn })
  const EndpointArn = await endpointNamed('APNS')
  await subscribe(TopicArn, 'application', EndpointArn, { RedrivePolicy })
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { Enabled: 'false' } })
  const { MessageId } = await sns.publish({ TopicArn, Message: 'to a device that is off' })
  const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ['All'] })
  const [letter] = Messages
  const { Type, MessageId: id, Message } = JSON.parse(letter?.Body ?? '{}') as Record<string, string>
  assert.deepEqual([Type, id, Message, letter?.MessageAttributes], ['Notification', MessageId, 'to a device that is off', undefined])
})
