// What no sensible client sends to SNS: documents nested beyond all measure, numbers that are none, names from the language below, forms
// with holes. Each is refused by name in the form of the protocol, soon, and changes nothing; nothing of it is a failure of the server.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { startFileServer } from './file-server.ts'
import { refusalOf } from './refusal.ts'
import { clientConfig } from './server.ts'
import { sendSigned } from './sign.ts'

// Credentials are those of nobody: nothing signs in with them.
const { server } = await startFileServer({ words: ['--set', 'push.provider=capture'] })
const sns = new SNS(clientConfig(server.url))
const [Platform, credentials] = ['ADM', { PlatformPrincipal: 'p', PlatformCredential: 'c' }]
let [TopicArn, FifoArn, SubscriptionArn, PlatformApplicationArn, EndpointArn, state] = ['', '', '', '', '', '']
before(async () => {
  ;({ TopicArn = '' } = await sns.createTopic({ Name: 'kept', Attributes: { DisplayName: 'as it was' } }))
  FifoArn = (await sns.createTopic({ Name: 'kept.fifo', Attributes: { FifoTopic: 'true' } })).TopicArn ?? ''
  const Endpoint = TopicArn.replace(':sns:', ':sqs:')
  const Attributes = { FilterPolicy: '{"a":["b"]}', FilterPolicyScope: 'MessageBody' }
  ;({ SubscriptionArn = '' } = await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }))
  ;({ PlatformApplicationArn = '' } = await sns.createPlatformApplication({ Name: 'kept', Platform, Attributes: credentials }))
  ;({ EndpointArn = '' } = await sns.createPlatformEndpoint({ PlatformApplicationArn, Token: 'kept' }))
  state = await readState()
})

/** All that these tests try to change. */
async function readState(): Promise<string> {
  const told = await Promise.all([
    sns.getTopicAttributes({ TopicArn }),
    sns.getTopicAttributes({ TopicArn: FifoArn }),
    sns.getSubscriptionAttributes({ SubscriptionArn }),
    sns.getDataProtectionPolicy({ ResourceArn: TopicArn }),
    sns.getEndpointAttributes({ EndpointArn }),
    sns.listTopics({}),
    sns.listSubscriptions({}),
    sns.listPlatformApplications({}),
    sns.listEndpointsByPlatformApplication({ PlatformApplicationArn }),
    sns.listTagsForResource({ ResourceArn: TopicArn }),
    sns.getSMSAttributes({}),
  ])
  return JSON.stringify(told.map((answer) => ({ ...answer, $metadata: undefined })))
}

const SLOW_MS = 5000

/** Refused with that code, in words that match, before long. */
async function refused(what: string, call: Promise<unknown>, text: RegExp, code = 'InvalidParameterException'): Promise<void> {
  const started = performance.now()
  const [name, status, message] = await refusalOf(call)
  assert.deepEqual([name, status], [code, 400], `${what}: ${message}`)
  assert.match(message, text, what)
  assert.ok(message.length < 8000, `${what}: ${message.length} characters`)
  assert.ok(performance.now() - started < SLOW_MS, `${what}: too slow`)
}

async function assertUnharmed(): Promise<void> {
  assert.equal(await readState(), state)
  const log = server.log().split('\n')
  assert.deepEqual(
    log.filter((line) => line.includes('"level":"error"')),
    [],
  )
}

const open = '['.repeat(100_000)
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}["x"]${'}'.repeat(depth)}`
const policy = (retry: string): string => `{"http":{"defaultHealthyRetryPolicy":${retry}}}`
const pattern = (Regex: string): string => {
  const Statement = [{ DataDirection: 'Inbound', Principal: ['*'], DataIdentifier: ['C'], Operation: { Deny: {} } }]
  return JSON.stringify({ Name: 'p', Version: '2021-06-01', Configuration: { CustomDataIdentifier: [{ Name: 'C', Regex }] }, Statement })
}

test('settings of topics', async () => {
  for (const [name, value, text] of [
    ['DeliveryPolicy', open, /DeliveryPolicy: failed to parse JSON\. Document nesting depth/],
    ['DeliveryPolicy', 'null', /must be a JSON object/],
    ['DeliveryPolicy', '{"http":[]}', /http must be a JSON object/],
    ['DeliveryPolicy', '{"https":{}}', /Unexpected JSON member: https/],
    ['DeliveryPolicy', '{"http":{"__proto__":{}}}', /Unexpected JSON member: __proto__/],
    ['DeliveryPolicy', policy('{"numRetries":1e999}'), /numRetries must be an integer/],
    ['DeliveryPolicy', policy('{"numRetries":2.5}'), /numRetries must be an integer/],
    ['DeliveryPolicy', policy('{"backoffFunction":"__proto__"}'), /\[__proto__\] is not a valid backoff function/],
    ['DeliveryPolicy', '{"http":{"defaultRequestPolicy":{"headerContentType":"a\\r\\nX: y"}}}', /headerContentType must be one of/],
    ['DeliveryPolicy', '{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":-1}}}', /maxReceivesPerSecond must be greater/],
    ['Policy', open, /Policy Error: null/],
    ['Policy', nested(20_000), /Policy Error: null/],
    ['Policy', ' '.repeat(40_000), /Policy Error: null/],
    ['DisplayName', '😀'.repeat(60), /DisplayName: must be at most 100 characters long/],
    ['MaximumMessageSize', '1e5', /whole number from 1024/],
    ['MaximumMessageSize', '١٢٣٤', /whole number from 1024/],
    ['SQSSuccessFeedbackSampleRate', 'NaN', /not an integer between 0-100/],
    ['__proto__', 'x', /AttributeName/],
    ['constructor', 'x', /AttributeName/],
  ] as const)
    await refused(`${name} ${value.slice(0, 60)}`, sns.setTopicAttributes({ TopicArn, AttributeName: name, AttributeValue: value }), text)
  await assertUnharmed()
})

test('settings of subscriptions, and what is subscribed', async () => {
  for (const [name, value, text] of [
    ['FilterPolicy', open, /FilterPolicy: failed to parse JSON\. Document nesting depth \(1001\) exceeds the maximum/],
    ['FilterPolicy', `{"a":${open}`, /Document nesting depth/],
    ['FilterPolicy', nested(5000), /Document nesting depth/],
    ['FilterPolicy', nested(50_000), /can not be larger than 262144 bytes/],
    ['FilterPolicy', '{"a":[{"__proto__":"x"}]}', /Unrecognized match type __proto__/],
    ['FilterPolicy', '{"a":[{"constructor":"x"}]}', /Unrecognized match type constructor/],
    ['FilterPolicy', 'null', /Filter is not an object/],
    ['FilterPolicy', '{"a":["\\ud8"]}', /failed to parse JSON/],
    ['RedrivePolicy', open, /RedrivePolicy: failed to parse JSON/],
    ['RedrivePolicy', 'null', /RedrivePolicy: must be a JSON object/],
    ['RedrivePolicy', '{"deadLetterTargetArn":{"a":1}}', /deadLetterTargetArn is an invalid arn/],
    ['toString', 'x', /AttributeName/],
  ] as const)
    await refused(
      `${name} ${value.slice(0, 60)}`,
      sns.setSubscriptionAttributes({ SubscriptionArn, AttributeName: name, AttributeValue: value }),
      text,
    )
  for (const [Protocol, Endpoint, text] of [
    ['__proto__', 'x', /does not support this protocol string: __proto__/],
    ['constructor', 'x', /does not support this protocol string: constructor/],
    ['http', 'http://a\r\nb/', /not a valid URL/],
    ['http', 'http://[::1', /not a valid URL/],
    ['http', 'http://a:99999/', /not a valid URL/],
    ['http', 'javascript:alert(1)', /must match the specified protocol/],
    ['http', 'http://under_score.example.com/', /must not contain an underscore/],
    ['http', `http://x/${'y'.repeat(2100)}`, /at most 2048 characters/],
    ['sqs', 'arn:aws:sqs:us-east-1:000000000000:', /SQS endpoint ARN/],
    ['application', `${EndpointArn}/../x`, /Invalid parameter: /],
  ] as const)
    await refused(`${Protocol} ${Endpoint.slice(0, 40)}`, sns.subscribe({ TopicArn, Protocol, Endpoint }), text)
  await refused('a long token', sns.confirmSubscription({ TopicArn, Token: 'a'.repeat(100_000) }), /Invalid parameter: Token/)
  await refused('no token', sns.confirmSubscription({ TopicArn, Token: '' }), /Invalid token/)
  for (const NextToken of ['\u0000', 'x'.repeat(100_000), '__proto__', 'bm9uc2Vuc2U=']) {
    await refused('a token', sns.listSubscriptions({ NextToken }), /NextToken/)
    await refused('a token', sns.listPlatformApplications({ NextToken }), /NextToken/)
    await refused('a token', sns.listSMSSandboxPhoneNumbers({ NextToken }), /NextToken/)
  }
  await assertUnharmed()
})

test('data protection policies', async () => {
  for (const [document, text] of [
    [open, /at most 30720 characters, and has 100000/],
    [nested(5000), /a is no member of a data protection policy/],
    ['{"__proto__":1}', /__proto__ is no member/],
    ...['(', '(a+)+$', '(?<x>a)\\k<x>', '[😀-a]'].map((regex) => [pattern(regex), /Regex the character '.+' is not allowed/u] as const),
    [pattern('a{100000}'), /begins no count/],
  ] as const)
    await refused(document.slice(0, 60), sns.putDataProtectionPolicy({ ResourceArn: TopicArn, DataProtectionPolicy: document }), text)
  await assertUnharmed()
})

test('applications, endpoints and numbers', async () => {
  const attributes = (name: string, value: string) => Object.fromEntries([[name, value]])
  const application = (Attributes: Record<string, string>, more: object = {}) =>
    sns.createPlatformApplication({ Name: 'more', Platform, Attributes, ...more })
  await refused('a name', application(credentials, { Name: '../x' }), /must contain only characters/)
  await refused('a platform', application(credentials, { Platform: '__proto__' }), /Platform Reason: __proto__ is not supported/)
  await refused('an attribute', application(attributes('__proto__', 'x')), /Invalid attribute name: __proto__/)
  await refused('credentials', application({ ...credentials, PlatformCredential: 'x'.repeat(100_000) }), /Platform credentials are invalid/)
  const endpoint = (Token: string, Attributes = {}) => sns.createPlatformEndpoint({ PlatformApplicationArn, Token, Attributes })
  await refused('a long token', endpoint('t'.repeat(10_000)), /must be at most 4096 characters/)
  await refused('an attribute', endpoint('t', attributes('__proto__', 'x')), /Invalid attribute name: __proto__/)
  await refused('a state', endpoint('t', { Enabled: 'perhaps' }), /Enabled/)
  for (const arn of [`${EndpointArn}/../x`, EndpointArn.replace(/endpoint.*/, 'endpoint////')])
    await refused(arn, sns.deleteEndpoint({ EndpointArn: arn }), /Wrong number of slashes/)
  for (const number of ['+1555\u0000', '+'.repeat(5000), '+1555 ; drop', '١٢٣٤٥٦٧']) {
    await refused(number.slice(0, 20), sns.optInPhoneNumber({ phoneNumber: number }), /input incorrectly formatted/)
    await refused(number.slice(0, 20), sns.createSMSSandboxPhoneNumber({ PhoneNumber: number }), /phoneNumber/, 'ValidationError')
    await refused(number.slice(0, 20), sns.publish({ PhoneNumber: number, Message: 'x' }), /is not valid to publish to/)
  }
  for (const name of ['__proto__', 'constructor', ''])
    await refused(name, sns.setSMSAttributes({ attributes: attributes(name, 'x') }), /is not a valid attribute/)
  await assertUnharmed()
})

test('messages and batches', async () => {
  for (const MessageStructure of ['xml', 'JSON', ''])
    await refused(MessageStructure, sns.publish({ TopicArn, Message: 'x', MessageStructure }), /MessageStructure/)
  await refused('nested', sns.publish({ TopicArn, Message: open, MessageStructure: 'json' }), /JSON message body failed to parse/)
  await refused('a prototype', sns.publish({ TopicArn, Message: '{"__proto__":{"default":"x"}}', MessageStructure: 'json' }), /No default/)
  for (const id of ['a\nb', '', 'ä', 'x'.repeat(129)]) {
    const [MessageGroupId, MessageDeduplicationId] = ['g', 'd']
    await refused(id, sns.publish({ TopicArn: FifoArn, Message: 'x', MessageGroupId: id, MessageDeduplicationId }), /MessageGroupId/)
    await refused(
      id,
      sns.publish({ TopicArn: FifoArn, Message: 'x', MessageGroupId, MessageDeduplicationId: id }),
      /MessageDeduplicationId/,
    )
  }
  const entry = 'PublishBatchRequestEntries.member.'
  const batch = async (form: string) => (await sendSigned(server.port, { body: `Action=PublishBatch&TopicArn=${TopicArn}&${form}` })).body
  for (const [form, text] of [
    [`${entry}1.Message=x`, /ValidationError.+'publishBatchRequestEntries\.1\.member\.id' failed/],
    [`${entry}1.Id=x`, /ValidationError.+'publishBatchRequestEntries\.1\.member\.message' failed/],
    [`${entry}0.Id=x&${entry}0.Message=x`, /MalformedInput.+Expected a list index from 1, found 0/],
    [`${entry}99999999999.Id=x`, /MalformedInput.+found 99999999999/],
    [`${entry}__proto__.Id=x`, /MalformedInput.+found __proto__/],
    [`${entry}1.Id=x&${entry}1.Message=`, /InvalidParameter.+Empty message/],
    [`${entry}1=x`, /MalformedInput/],
  ] as const)
    assert.match((await batch(form)).replaceAll('&apos;', "'"), text)
  // Numbers with holes are taken in their order, and any name is a name.
  const taken = await batch(`${entry}7.Id=last&${entry}7.Message=x&${entry}3.Id=__proto__&${entry}3.Message=x`)
  assert.match(taken, /<Id>__proto__<\/Id>.*<Id>last<\/Id>/)
  await assertUnharmed()
})
