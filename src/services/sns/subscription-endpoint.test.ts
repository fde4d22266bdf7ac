// What SNS knows of endpoints of protocols whose deliverers are plugged: their form, and which need no confirmation.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, type Harness, OTHER_ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { createSns } from './index.ts'

async function worldFor(t: TestContext): Promise<Harness & { subscribe(protocol: string, endpoint: string): Promise<string> }> {
  const fit = { validate: () => undefined }
  const protocols = { sqs: fit, sms: fit, application: fit, lambda: fit, firehose: fit, email: fit }
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols }) }))
  t.after(() => server.close())
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'endpoints' })
  return {
    ...server,
    subscribe: async (Protocol, Endpoint) =>
      (await server.call('sns', 'Subscribe', { TopicArn, Protocol, Endpoint })).SubscriptionArn ?? '',
  }
}

test('numbers of phones: some separators are taken; a refusal bears no prefix, and its event no number', async (t) => {
  const { subscribe, events } = await worldFor(t)
  for (const number of ['+15555550100', '+12/34-567.890']) assert.match(await subscribe('sms', number), /^arn:/)
  for (const number of ['invalid-number', '+15--551234567', 'NAA+15551234567', '+15551234567.', '/+15551234567', ''])
    await assert.rejects(subscribe('sms', number), { code: 'InvalidParameter', message: `Invalid SMS endpoint: ${number}` })
  const told = JSON.stringify((await events()).map(({ record }) => record))
  assert.ok(told.includes('Invalid SMS endpoint: ***'))
  for (const number of ['5551234567', '5555550100']) assert.ok(!told.includes(number), number)
})

test('a platform endpoint is one that exists', async (t) => {
  const server = await worldFor(t)
  const { PlatformApplicationArn } = await server.call('sns', 'CreatePlatformApplication', {
    Name: 'app',
    Platform: 'GCM',
    Attributes: { PlatformCredential: 'c' },
  })
  const { EndpointArn = '' } = await server.call('sns', 'CreatePlatformEndpoint', { PlatformApplicationArn, Token: 't' })
  assert.match(await server.subscribe('application', EndpointArn), /^arn:/)
  await server.call('sns', 'DeleteEndpoint', { EndpointArn })
  await assert.rejects(server.subscribe('application', EndpointArn), {
    message: `Invalid parameter: Endpoint Reason: Endpoint does not exist for endpoint arn${EndpointArn}`,
  })
  await assert.rejects(server.subscribe('application', 'invalid arn'), {
    message: 'Invalid parameter: Application endpoint arn invalid:invalid arn',
  })
})

test('what runs in the account of the topic is confirmed at once, what does not is asked', async (t) => {
  const { subscribe } = await worldFor(t)
  for (const [protocol, endpoint] of [
    ['lambda', `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`],
    ['firehose', `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/s`],
    ['sqs', `arn:aws:sqs:us-east-1:${ACCOUNT}:q`],
  ] as const) {
    assert.match(await subscribe(protocol, endpoint), /^arn:/, protocol)
    assert.equal(await subscribe(protocol, endpoint.replace(ACCOUNT, OTHER_ACCOUNT)), 'pending confirmation', protocol)
  }
  assert.equal(await subscribe('email', 'somebody@example.com'), 'pending confirmation')
})
