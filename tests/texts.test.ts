// Texts through the stock SDK to providers that speak as Twilio and as a message centre do: verification of sandbox numbers, publishing,
// and opting out.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SNS } from '@aws-sdk/client-sns'
import { clientConfig, runCommand, startTestServer, temporaryFolder } from './server.ts'
import { startSmppServer } from './smpp-server.ts'
import { startTwilioServer } from './twilio-server.ts'
import { until, untilTrue } from './until.ts'

const folder = temporaryFolder()
after(() => folder.remove())
const words = (...settings: string[]) => settings.flatMap((setting) => ['--set', setting])

const endOf = (data: string, messageId = '') =>
  until('the end of the delivery', async () => {
    const sql = `SELECT outcome, reason, endpoint, status FROM deliveries WHERE message_id = '${messageId}' AND outcome <> 'retry'`
    const { output } = await runCommand(['query', '--data', data, '--json', sql])
    return output === '' ? undefined : (JSON.parse(output) as Record<string, unknown>)
  })

test('an API like that of Twilio: a number is verified by the text that reaches it, and published to until it replies STOP', async () => {
  const account = `AC${'1'.repeat(32)}`
  const stopped = new Set<string>()
  const provider = await startTwilioServer({ account, token: 'token-1', optedOut: stopped })
  after(() => provider.close())
  const credentials = join(folder.path, 'twilio')
  writeFileSync(credentials, `${account}:token-1\n`)
  const data = join(folder.path, 'twilio-data')
  const server = await startTestServer({
    data,
    words: words(
      ...['sms.provider=twilio', `sms.twilioUrl=${provider.url}`, `sms.credentialsFile=${credentials}`],
      ...['sms.from=+15550000/US', 'sms.sandbox=true'],
    ),
  })
  try {
    const sns = new SNS(clientConfig(server.url))
    assert.equal((await sns.getSMSSandboxAccountStatus({})).IsInSandbox, true)
    assert.deepEqual((await sns.listOriginationNumbers({})).PhoneNumbers, [
      { PhoneNumber: '+15550000', Status: 'Active', Iso2CountryCode: 'US', RouteType: 'Transactional', NumberCapabilities: ['SMS'] },
    ])
    const PhoneNumber = '+15555550101'
    const refused = await endOf(data, (await sns.publish({ PhoneNumber, Message: 'too early' })).MessageId)
    assert.deepEqual([refused['outcome'], refused['reason']], ['refused', 'Sandboxed account unable to send to number'])
    await sns.createSMSSandboxPhoneNumber({ PhoneNumber })
    const code = provider.received[0]?.body.replace('Your verification code is: ', '')
    await sns.verifySMSSandboxPhoneNumber({ PhoneNumber, OneTimePassword: code })
    const delivered = await endOf(data, (await sns.publish({ PhoneNumber, Message: 'hello' })).MessageId)
    assert.deepEqual(delivered, { outcome: 'delivered', reason: '', endpoint: '***', status: 201 })
    assert.deepEqual(provider.received.at(-1), { to: PhoneNumber, from: '+15550000', service: undefined, body: 'hello' })
    stopped.add(PhoneNumber)
    assert.equal((await endOf(data, (await sns.publish({ PhoneNumber, Message: 'x' })).MessageId))['reason'], 'Phone number is opted out')
    assert.equal((await sns.checkIfPhoneNumberIsOptedOut({ phoneNumber: PhoneNumber })).isOptedOut, true)
    assert.ok(!server.log().includes('token-1') && !server.log().includes('5555550101'))
  } finally {
    await server.kill()
  }
})

test('through a message centre: texts of a topic, and a reply that opts out', async () => {
  const centre = await startSmppServer({ user: 'shop', password: 'secret' })
  after(() => centre.close())
  const data = join(folder.path, 'smpp-data')
  const server = await startTestServer({
    data,
    words: words('sms.provider=smpp', `sms.smppUrl=smpp://127.0.0.1:${centre.port}`, 'sms.from=Shop'),
    environment: { SEALCAST_SMS_CREDENTIALS: 'shop:secret' },
  })
  try {
    const sns = new SNS(clientConfig(server.url))
    const { TopicArn } = await sns.createTopic({ Name: 'alarms' })
    await sns.subscribe({ TopicArn, Protocol: 'sms', Endpoint: '+15555550102' })
    const delivered = await endOf(data, (await sns.publish({ TopicArn, Message: 'fire' })).MessageId)
    assert.deepEqual([delivered['outcome'], delivered['status']], ['delivered', 0])
    assert.deepEqual([centre.submitted[0]?.from, centre.submitted[0]?.to], ['Shop', '15555550102'])
    centre.deliver('15555550102', Buffer.from('STOP'))
    await untilTrue('the number opted out', async () => {
      const { isOptedOut } = await sns.checkIfPhoneNumberIsOptedOut({ phoneNumber: '+15555550102' })
      return isOptedOut === true
    })
    assert.equal((await endOf(data, (await sns.publish({ TopicArn, Message: 'x' })).MessageId))['reason'], 'Phone number is opted out')
    assert.equal(centre.submitted.length, 1)
    // What waits for the centre is nothing that fsck wonders about.
    centre.fault = () => ({ kind: 'reset' })
    await sns.publish({ PhoneNumber: '+15555550103', Message: 'waits' })
    await untilTrue('it was tried', () => centre.submitted.length === 2)
    assert.equal(await server.stop(), 0)
    const { code, output } = await runCommand(['fsck', '--data', data, '--json'])
    assert.equal(code, 0)
    assert.ok(!output.includes('its subscription is gone'), output)
  } finally {
    await server.kill()
  }
})
