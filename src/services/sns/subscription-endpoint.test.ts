// What SNS knows of endpoints of protocols whose deliverers are plugged: their form, and which need no confirmation.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ACCOUNT, type Harness, OTHER_ACCOUNT, createHarness } from '../../../tests/harness.ts'
import { readEntries } from '../../model/entry.ts'
import { Table } from '../../model/tables.ts'
import { createSns } from './index.ts'

const ROLE = `arn:aws:iam::${ACCOUNT}:role/service/may-write`

async function worldFor(
  t: TestContext,
): Promise<Harness & { subscribe(protocol: string, endpoint: string, attributes?: object): Promise<string> }> {
  const fit = { validate: () => undefined }
  const protocols = { sqs: fit, sms: fit, application: fit, lambda: fit, firehose: fit, email: fit }
  const server = await createHarness((env) => ({ sns: createSns({ tables: env.tables, protocols }) }))
  t.after(() => server.close())
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'endpoints' })
  return {
    ...server,
    subscribe: async (Protocol, Endpoint, Attributes = Protocol === 'firehose' ? { SubscriptionRoleArn: ROLE } : {}) =>
      (await server.call('sns', 'Subscribe', { TopicArn, Protocol, Endpoint, Attributes })).SubscriptionArn ?? '',
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

test('a stream is subscribed with a role, which is shown and can be changed, not taken away', async (t) => {
  const { call, subscribe } = await worldFor(t)
  const stream = `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/s`
  const refusal = (text: string) => ({ code: 'InvalidParameter', message: `Invalid parameter: ${text}` })
  await assert.rejects(
    subscribe('firehose', stream, {}),
    refusal(
      'Attributes Reason: SubscriptionRoleArn: must be specified for protocol firehose: ' +
        'the ARN of a role that may write to the delivery stream',
    ),
  )
  const wrong = ['', 'x', `arn:aws:iam::1:role/x`, `arn:aws:iam::${ACCOUNT}:user/x`, `arn:aws:sns::${ACCOUNT}:role/x`, `${ROLE} x`]
  const text = (value: string) =>
    `SubscriptionRoleArn: Invalid value [${value}]. Must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME.`
  for (const value of wrong)
    await assert.rejects(subscribe('firehose', stream, { SubscriptionRoleArn: value }), refusal(`Attributes Reason: ${text(value)}`))
  const SubscriptionArn = await subscribe('firehose', stream)
  const role = async (): Promise<string | undefined> => {
    const { Attributes } = (await call('sns', 'GetSubscriptionAttributes', { SubscriptionArn })) as { Attributes?: Record<string, string> }
    return Attributes?.['SubscriptionRoleArn']
  }
  assert.equal(await role(), ROLE)
  const set = (AttributeValue: string) =>
    call('sns', 'SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'SubscriptionRoleArn', AttributeValue })
  await assert.rejects(set(''), refusal(text('')))
  await set(`${ROLE}-2`)
  assert.equal(await role(), `${ROLE}-2`)
})

test('a queue of another server is told for ever when it is subscribed, and what it gets goes outside', async (t) => {
  const remote = `arn:aws:sqs:us-east-1:${ACCOUNT}:far`
  let isConfigured = true
  const server = await createHarness((env) => ({
    sns: createSns({
      ...{ tables: env.tables, protocols: { sqs: { validate: () => undefined } } },
      isRemoteQueue: (arn) => isConfigured && arn === remote,
    }),
  }))
  t.after(() => server.close())
  const { TopicArn } = await server.call('sns', 'CreateTopic', { Name: 'far' })
  const forOutside = async (): Promise<boolean> => {
    await server.call('sns', 'Publish', { TopicArn, Message: 'x' })
    const frames = await server.env.journal.read(0, 1 << 24)
    const messages = frames.flatMap(({ payload }) => readEntries(payload)).flatMap(({ entry }) => (entry.kind === 'message' ? [entry] : []))
    return messages.at(-1)?.isForOutside === true
  }
  await server.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: `${remote}-not` })
  assert.equal(await forOutside(), false)
  const { SubscriptionArn = '' } = await server.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint: remote })
  assert.equal(await forOutside(), true)
  isConfigured = false
  await server.call('sns', 'SetSubscriptionAttributes', { SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'true' })
  assert.equal(await forOutside(), true)
  const routes = server.env.tables.range(Table.subscriptions, {}).map(({ value }) => [value.endpoint, value.route] as const)
  assert.deepEqual(
    new Map(routes),
    new Map([
      [remote, 0],
      [`${remote}-not`, 1],
    ]),
  )
})
