// Mobile push through the stock SDK to servers that speak as Apple's and Google's do: credentials as they are given out, pushes as they
// arrive, endpoints that end with their token, and the topics that are told.
import assert from 'node:assert/strict'
import { type KeyObject, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { SQS } from '@aws-sdk/client-sqs'
import { startApnsServer } from './apns-server.ts'
import { createAuthority } from './certificates.ts'
import { startFcmServer } from './fcm-server.ts'
import { topicsMaySend } from './queue-policy.ts'
import { refusalOf } from './refusal.ts'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { until } from './until.ts'

const ROLE = 'arn:aws:iam::000000000000:role/feedback'
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string
const appleKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const googleKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
const authority = createAuthority()
const apns = await startApnsServer({
  ...{ certificate: authority.issue(), key: appleKey.publicKey, keyId: 'KEY1234567', teamId: 'TEAM123456', topics: ['com.shop'] },
  now: () => Date.now(),
  clientAuthority: authority.cert,
})
const identity = { clientEmail: 'push@shop.iam.example', projectId: 'shop-1' }
const devices = new Set(['device-1'])
const fcm = await startFcmServer({ key: googleKey.publicKey, ...identity, devices, now: () => Date.now() })
const folder = temporaryFolder()
const caFile = join(folder.path, 'ca.pem')
writeFileSync(caFile, authority.cert)
const data = join(folder.path, 'data')
const settings = [`push.apnsUrl=${apns.url}`, `push.fcmUrl=${fcm.url}`, `outbound.caFile=${caFile}`]
const server = await startTestServer({ data, words: settings.flatMap((setting) => ['--set', setting]) })
const sns = new SNS(clientConfig(server.url))
const sqs = new SQS(clientConfig(server.url))
after(async () => {
  await server.kill()
  await apns.close()
  await fcm.close()
  folder.remove()
})

const APPLE = {
  ...{ PlatformCredential: pem(appleKey.privateKey), PlatformPrincipal: 'KEY1234567' },
  ...{ ApplePlatformTeamID: 'TEAM123456', ApplePlatformBundleID: 'com.shop' },
}
const account = {
  ...{ type: 'service_account', project_id: identity.projectId, client_email: identity.clientEmail },
  ...{ private_key: pem(googleKey.privateKey), token_uri: `${fcm.url}/token` },
}
const GOOGLE = { PlatformCredential: JSON.stringify(account) }
const create = async (Name: string, Platform: string, Attributes: Record<string, string>) =>
  (await sns.createPlatformApplication({ Name, Platform, Attributes })).PlatformApplicationArn ?? ''
const register = async (PlatformApplicationArn: string, Token: string) =>
  (await sns.createPlatformEndpoint({ PlatformApplicationArn, Token })).EndpointArn ?? ''

const endOf = (messageId = '') =>
  until('the end of the delivery', async () => {
    const sql = `SELECT * FROM deliveries WHERE message_id = '${messageId}' AND outcome <> 'retry'`
    const { output } = await runCommand(['query', '--data', data, '--json', sql])
    return output === '' ? undefined : (JSON.parse(output) as Record<string, unknown>)
  })

/** A queue behind a topic of its own: what the topic tells. */
async function listen(name: string): Promise<{ readonly topic: string; next(): Promise<Record<string, unknown>> }> {
  const { TopicArn = '' } = await sns.createTopic({ Name: name })
  const queueArn = TopicArn.replace(':sns:', ':sqs:')
  const { QueueUrl } = await sqs.createQueue({ QueueName: name, Attributes: { Policy: topicsMaySend(queueArn) } })
  await sns.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: queueArn, Attributes: { RawMessageDelivery: 'true' } })
  return {
    topic: TopicArn,
    next: () =>
      until('what the topic is told', async () => {
        const { Messages } = await sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 })
        const [message] = Messages ?? []
        await (message && sqs.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
        return message && (JSON.parse(message.Body ?? '') as Record<string, unknown>)
      }),
  }
}

test('an app of Apple: pushed to with a signing key, and with a certificate', async () => {
  const application = await create('token', 'APNS_SANDBOX', { ...APPLE, SuccessFeedbackRoleArn: ROLE })
  const endpoint = await register(application, 'AB'.repeat(32))
  const { MessageId } = await sns.publish({ TargetArn: endpoint, Message: 'hello' })
  const end = await endOf(MessageId)
  assert.deepEqual([end['outcome'], end['status'], end['endpoint']], ['delivered', 200, endpoint])
  assert.match(String(end['status_log']), /"statusCode":200.*"status":"SUCCESS"/)
  const [push] = apns.received
  assert.deepEqual(
    [push?.device, push?.payload, push?.headers['apns-id']],
    [`/3/device/${'ab'.repeat(32)}`, { aps: { alert: 'hello' } }, MessageId],
  )

  const { cert, key } = authority.issue()
  const certified = await create('certificate', 'APNS', {
    PlatformCredential: key,
    PlatformPrincipal: cert,
    ApplePlatformBundleID: 'com.shop',
  })
  const attributes = { 'AWS.SNS.MOBILE.APNS.TOPIC': { DataType: 'String', StringValue: 'com.shop' } }
  const second = await sns.publish({ TargetArn: await register(certified, 'cd'.repeat(32)), Message: 'x', MessageAttributes: attributes })
  assert.equal((await endOf(second.MessageId))['outcome'], 'delivered')
  const signed = apns.received.at(-1)
  assert.deepEqual([signed?.token, typeof signed?.certificate], [undefined, 'string'])
})

test('an app of Google, as the endpoint of a topic, and what is told when a device leaves', async () => {
  const failures = await listen('failures')
  const updates = await listen('updates')
  const application = await create('shop', 'GCM', {
    ...GOOGLE,
    ...{ EventDeliveryFailure: failures.topic, EventEndpointUpdated: updates.topic, FailureFeedbackRoleArn: ROLE },
  })
  const EndpointArn = await register(application, 'device-1')
  const { TopicArn } = await sns.createTopic({ Name: 'offers' })
  await sns.subscribe({ TopicArn, Protocol: 'application', Endpoint: EndpointArn })
  const Message = JSON.stringify({ default: 'd', GCM: JSON.stringify({ notification: { body: 'for you' } }) })
  await endOf((await sns.publish({ TopicArn, Message, MessageStructure: 'json' })).MessageId)
  assert.deepEqual(fcm.received.at(-1)?.message, { notification: { body: 'for you' }, token: 'device-1' })

  devices.delete('device-1')
  const { MessageId } = await sns.publish({ TargetArn: EndpointArn, Message: 'gone?' })
  const end = await endOf(MessageId)
  assert.deepEqual([end['outcome'], end['status'], end['reason']], ['refused', 404, 'FCM answered with status 404 UNREGISTERED'])
  assert.match(String(end['log_group']), /\/app\/GCM\/shop\/Failure$/)
  const { Time: failedAt, ...failure } = await failures.next()
  const common = { EndpointArn, Resource: application, Service: 'SNS' }
  assert.deepEqual(failure, {
    ...{ ...common, DeliveryAttempts: 1, EventType: 'DeliveryFailure', FailureType: 'InvalidPlatformToken', MessageId },
    FailureMessage: 'Platform token associated with the endpoint is not valid',
  })
  assert.match(String(failedAt), /^\d{4}-/)
  const { Time: _at, ...update } = await updates.next()
  assert.deepEqual(update, { ...common, Attributes: { Enabled: 'false', Token: 'device-1' }, EventType: 'EndpointUpdated' })
  assert.deepEqual((await sns.getEndpointAttributes({ EndpointArn })).Attributes, { Enabled: 'false', Token: 'device-1' })
  assert.deepEqual(await refusalOf(sns.publish({ TargetArn: EndpointArn, Message: 'x' })), [
    'EndpointDisabledException',
    400,
    'Endpoint is disabled',
  ])
  const { output } = await runCommand([
    'query',
    '--data',
    data,
    '--json',
    "SELECT * FROM events WHERE eventname = 'PlatformEndpointDisabled'",
  ])
  assert.ok(output.includes(EndpointArn) && !output.includes('device-1'))
})

test('credentials that no push service would take are refused where they are set', async () => {
  const problem = async (Platform: string, Attributes: Record<string, string>) =>
    (await refusalOf(sns.createPlatformApplication({ Name: 'refused', Platform, Attributes })))[2]
  const about = 'Invalid parameter: Attributes Reason: Platform credentials are invalid'
  const rsa = pem(googleKey.privateKey)
  const { cert } = authority.issue()
  for (const [platform, attributes, text] of [
    ['APNS', { ...APPLE, PlatformCredential: rsa }, /^: PlatformCredential must be the signing key as Apple gave it out/],
    ['APNS', { ...APPLE, PlatformPrincipal: 'short' }, /^: PlatformPrincipal must be the 10 characters of the id of the signing key$/],
    [
      'APNS',
      { PlatformCredential: APPLE.PlatformCredential, PlatformPrincipal: 'KEY1234567', ApplePlatformTeamID: 'TEAM123456' },
      /^: ApplePlatformBundleID is missing: the id of the app$/,
    ],
    ['APNS', { ...APPLE, ApplePlatformTeamID: 'x' }, /^: ApplePlatformTeamID must be the 10 characters of the id of the team$/],
    ['APNS', { PlatformCredential: rsa, PlatformPrincipal: cert }, /^: PlatformCredential is not the private key of the certificate$/],
    ['GCM', { PlatformCredential: 'AAAA-server-key' }, /^: Firebase takes legacy server keys no longer: /],
    [
      'GCM',
      { PlatformCredential: JSON.stringify({ ...account, token_uri: 'http://a.example/' }) },
      /^: token_uri in PlatformCredential must be an https URL$/,
    ],
    ['GCM', { PlatformCredential: '{}' }, /: project_id, client_email, private_key missing$/],
    [
      'GCM',
      { PlatformCredential: JSON.stringify({ ...account, private_key: 'x' }) },
      /^: private_key in PlatformCredential must be an RSA private key$/,
    ],
  ] as const) {
    const told = await problem(platform, attributes)
    assert.ok(String(told).startsWith(about), String(told))
    assert.match(String(told).slice(about.length), text)
  }
  assert.equal(
    await problem('ADM', { PlatformCredential: 'c', PlatformPrincipal: 'p' }),
    'Invalid parameter: Platform Reason: ADM is not offered by this version of Sealcast: it delivers to APNs and FCM (GCM)',
  )
  const PlatformApplicationArn = await create('mended', 'APNS', APPLE)
  const set = (Attributes: Record<string, string>) => sns.setPlatformApplicationAttributes({ PlatformApplicationArn, Attributes })
  assert.match(String((await refusalOf(set({ ApplePlatformTeamID: 'x' })))[2]), /ApplePlatformTeamID must be/)
  await set({ ApplePlatformTeamID: 'TEAM654321' })
  assert.ok(!server.log().includes('PRIVATE KEY'))
})
