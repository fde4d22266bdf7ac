// Publishing straight to phone numbers and platform endpoints on a development server, where everything is captured: through the stock SDK,
// with what arrives read from the inbox and what is told from the record.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import type { CapturedMessage } from '../src/model/captured.ts'
import { invalid, refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until } from './until.ts'

const ACCOUNT = '000000000000'
const SENDER = `arn:aws:sns:us-east-1:${ACCOUNT}:DirectPublishToPhoneNumber`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/feedback`
const folder = temporaryFolder()
const captured = [
  '--set',
  'sms.provider=capture',
  '--set',
  'push.provider=capture',
  '--set',
  'sms.priceUsd=0.4',
  '--set',
  'sms.from=+15550000',
]
const server = await startTestServer({ data: folder.path, words: captured })
const sns = new SNS(clientConfig(server.url))
after(async () => {
  await server.kill()
  folder.remove()
})

async function inbox(to: string): Promise<readonly CapturedMessage[]> {
  const { code, output, notes } = await runCommand(['inbox', '--data', folder.path, '--to', to, '--wait', '20s', '--json'])
  assert.equal(code, 0, notes)
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CapturedMessage)
}

async function told(sql: string): Promise<readonly Record<string, unknown>[]> {
  const { code, output, notes } = await runCommand(['query', '--data', folder.path, '--json', sql])
  assert.equal(code, 0, notes)
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const endOf = (messageId = '') =>
  until('the end of the delivery', async () => {
    const [end] = await told(`SELECT * FROM deliveries WHERE message_id = '${messageId}' AND outcome <> 'retry'`)
    return end
  })

test('a text to a number: in the inbox, in the record without the number, and within 1,600 bytes', async () => {
  await sns.setSMSAttributes({ attributes: { MonthlySpendLimit: '1000', DeliveryStatusIAMRole: ROLE } })
  const text = (Message: string, more: object = {}) => sns.publish({ PhoneNumber: '+15555550101', Message, ...more })
  const { MessageId } = await text('hello')
  const [sms] = await inbox('+15555550101')
  assert.deepEqual(
    { ...sms, id: 0, at: '' },
    {
      ...{ id: 0, at: '', protocol: 'sms', to: '+15555550101', body: 'hello', messageId: MessageId, headers: { From: '+15550000' } },
    },
  )
  const end = await endOf(MessageId)
  assert.deepEqual(
    [end['outcome'], end['reason'], end['endpoint'], end['subscription_arn'], end['topic_arn'], end['account'], end['region']],
    ['delivered', 'captured', '***', SENDER, '', ACCOUNT, 'us-east-1'],
  )
  assert.equal(end['log_group'], `sns/us-east-1/${ACCOUNT}/DirectPublishToPhoneNumber`)
  const { notification, delivery, status } = JSON.parse(String(end['status_log'])) as Record<string, Record<string, unknown>>
  assert.deepEqual(Object.keys(notification ?? {}), ['messageId', 'timestamp'])
  assert.deepEqual(
    [delivery?.['destination'], delivery?.['smsType'], delivery?.['priceInUSD'], delivery?.['numberOfMessageParts'], status],
    ['***', 'Promotional', 0.4, 1, 'SUCCESS'],
  )
  await text('x'.repeat(1600))
  await text('ä'.repeat(800))
  for (const long of ['x'.repeat(1601), 'ä'.repeat(801)]) assert.deepEqual(await refusalOf(text(long)), invalid('Message too long'))
  await text(JSON.stringify({ default: 'd', sms: 'for phones' }), { MessageStructure: 'json' })
  await until('the last text', async () => (await inbox('+15555550101')).find(({ body }) => body === 'for phones'))
  const events = JSON.stringify(await told("SELECT * FROM events WHERE eventname = 'Publish'"))
  assert.ok(events.includes('HIDDEN_DUE_TO_SECURITY_REASONS') && !events.includes('5555550101'))
})

test('what a text refuses, field by field', async () => {
  const refusal = (more: object) => refusalOf(sns.publish({ PhoneNumber: '+15555550102', Message: 'x', ...more }))
  assert.deepEqual(await refusal({ Message: '' }), invalid('Empty message'))
  assert.deepEqual(await refusal({ Message: '{"sms":""}', MessageStructure: 'json' }), invalid('Empty message'))
  assert.deepEqual(await refusal({ TopicArn: SENDER }), invalid('PhoneNumber Reason: give one of TopicArn, TargetArn and PhoneNumber'))
  for (const PhoneNumber of ['+1', '+0123', '+1234567890123456', 'x', '+15555550102,+15555550103'])
    assert.deepEqual(await refusal({ PhoneNumber }), invalid(`PhoneNumber Reason: ${PhoneNumber} is not valid to publish to`), PhoneNumber)
  const attribute = (name: string, StringValue: string) => ({ MessageAttributes: { [name]: { DataType: 'String', StringValue } } })
  for (const [name, value, problem] of [
    ['AWS.SNS.SMS.SenderID', '12345', 'must have 1 to 11 letters, digits or hyphens, and at least one letter'],
    ['AWS.SNS.SMS.SenderID', 'a'.repeat(12), 'must have 1 to 11 letters, digits or hyphens, and at least one letter'],
    ['AWS.SNS.SMS.SMSType', 'Loud', 'must be Promotional or Transactional'],
    ['AWS.SNS.SMS.MaxPrice', 'free', 'must be an amount of US dollars'],
    ['AWS.MM.SMS.OriginationNumber', '1234', 'must be a number of 5 to 14 digits'],
  ] as const)
    assert.deepEqual(await refusal(attribute(name, value)), invalid(`MessageAttributes Reason: ${name} ${problem}`))
  await sns.publish({ PhoneNumber: '+15555550102', Message: 'x', ...attribute('AWS.SNS.SMS.SenderID', 'Acme-1') })
  const [sms] = await inbox('+15555550102')
  assert.deepEqual(sms?.headers, { From: 'Acme-1' })
})

test('texts of a topic bear its name; what an account may spend is not exceeded', async () => {
  const client = new SNS({ ...clientConfig(server.url), region: 'eu-west-1' })
  await client.setSMSAttributes({ attributes: { DeliveryStatusIAMRole: ROLE, DefaultSMSType: 'Transactional' } })
  const { TopicArn } = await client.createTopic({ Name: 'alarms', Attributes: { DisplayName: 'Fire brigade' } })
  const { SubscriptionArn } = await client.subscribe({ TopicArn, Protocol: 'sms', Endpoint: '+1-555-555-0103' })
  await client.publish({ TopicArn, Message: 'burning' })
  const [sms] = await inbox('+15555550103')
  assert.deepEqual([sms?.body, sms?.topicArn, sms?.subscriptionArn], ['Fire briga> burning', TopicArn, SubscriptionArn])
  const dear = { DataType: 'String', StringValue: '0.3' }
  const refused = await endOf(
    (await client.publish({ PhoneNumber: '+15555550104', Message: 'x', MessageAttributes: { 'AWS.SNS.SMS.MaxPrice': dear } })).MessageId,
  )
  assert.deepEqual([refused['outcome'], refused['reason']], ['refused', 'This delivery would exceed max price'])
  // The limit is AWS's own, 1 USD: a second part would still be paid for, a third would not.
  const spent = await endOf((await client.publish({ PhoneNumber: '+15555550104', Message: 'x'.repeat(200) })).MessageId)
  assert.equal(spent['reason'], 'No quota left for account')
  assert.equal(spent['log_group'], `sns/eu-west-1/${ACCOUNT}/DirectPublishToPhoneNumber/Failure`)
  assert.match(String(spent['status_log']), /"providerResponse":"No quota left for account".*"smsType":"Transactional"/)
  assert.equal((await endOf((await client.publish({ PhoneNumber: '+15555550104', Message: 'x' })).MessageId))['outcome'], 'delivered')
})

test('a push to an endpoint: the text of its platform, in the form that goes out', async () => {
  const create = async (Platform: string, Attributes: Record<string, string>, Token: string) => {
    const { PlatformApplicationArn } = await sns.createPlatformApplication({ Name: 'shop', Platform, Attributes })
    return (await sns.createPlatformEndpoint({ PlatformApplicationArn, Token })).EndpointArn ?? ''
  }
  const feedback = { SuccessFeedbackRoleArn: ROLE, FailureFeedbackRoleArn: ROLE, SuccessFeedbackSampleRate: '100' }
  const apple = await create(
    'APNS',
    { PlatformCredential: 'c', PlatformPrincipal: 'p', ApplePlatformBundleID: 'com.shop', ...feedback },
    'AB12',
  )
  const google = await create('GCM', { PlatformCredential: 'c' }, 'g-1')
  const amazon = await create('ADM', { PlatformCredential: 'c', PlatformPrincipal: 'p' }, 'a-1')
  const Message = JSON.stringify({ APNS: '{"aps":{"badge":1}}', GCM: '{"data":{"n":1}}', ADM: '{"x":1}' })
  const ids = []
  for (const TargetArn of [apple, google, amazon]) ids.push((await sns.publish({ TargetArn, Message, MessageStructure: 'json' })).MessageId)
  const [[a], [g], [d]] = [await inbox(apple), await inbox(google), await inbox(amazon)]
  assert.deepEqual([a?.body, g?.body, d?.body], ['{"aps":{"badge":1}}', '{"message":{"data":{"n":"1"},"token":"g-1"}}', '{"x":1}'])
  assert.deepEqual(
    [a?.headers?.['Platform'], a?.headers?.['Token'], a?.headers?.['apns-topic'], a?.messageId, g?.headers],
    ['APNS', 'ab12', 'com.shop', ids[0], { Platform: 'GCM', Token: 'g-1' }],
  )
  assert.deepEqual(
    await refusalOf(sns.publish({ TargetArn: google, Message: '{"APNS":"{}"}', MessageStructure: 'json' })),
    invalid('Message Structure - No default entry in JSON message body'),
  )
  const end = await endOf(ids[0])
  const application = apple.replace(':endpoint/', ':app/').replace(/\/[^/]*$/, '')
  assert.deepEqual(
    [end['endpoint'], end['subscription_arn'], end['log_group']],
    [apple, application, `sns/us-east-1/${ACCOUNT}/app/APNS/shop`],
  )
  assert.match(String(end['status_log']), /"status":"SUCCESS"/)
})

test('the endpoint of a topic: subscribed at once, and disabled it gets nothing', async () => {
  const { PlatformApplicationArn } = await sns.createPlatformApplication({
    Name: 'topic',
    Platform: 'GCM',
    Attributes: { PlatformCredential: 'c' },
  })
  const { EndpointArn = '' } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 't' })
  const { TopicArn } = await sns.createTopic({ Name: 'pushes', Attributes: { ApplicationFailureFeedbackRoleArn: ROLE } })
  await sns.subscribe({ TopicArn, Protocol: 'application', Endpoint: EndpointArn })
  await sns.publish({ TopicArn, Message: 'hello' })
  const [push] = await inbox(EndpointArn)
  assert.equal(push?.body, '{"message":{"data":{"default":"hello"},"token":"t"}}')
  await sns.setEndpointAttributes({ EndpointArn, Attributes: { Enabled: 'false' } })
  const end = await endOf((await sns.publish({ TopicArn, Message: 'again' })).MessageId)
  assert.deepEqual(
    [end['outcome'], end['reason'], end['log_group']],
    ['refused', 'Endpoint is disabled', `sns/us-east-1/${ACCOUNT}/pushes/Failure`],
  )
  assert.equal((await inbox(EndpointArn)).length, 1)
})
