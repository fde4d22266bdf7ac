// Captured functions: kept, and run by a command or at a URL; which endpoints are functions and streams at all.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { Outcome } from '../engine/deliverer.ts'
import { createOutbound } from '../engine/outbound.ts'
import { type LambdaProvider, NO_PROVIDERS } from '../engine/providers.ts'
import type { CapturedMessage } from '../model/captured.ts'
import { lambdaEvent } from '../model/lambda-event.ts'
import { createNotification, formatEnvelope } from '../model/notification.ts'
import { createFirehose } from './firehose.ts'
import { createLambda } from './lambda.ts'

const functionArn = 'arn:aws:lambda:eu-west-1:000000000001:function:orders'
const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`
const notification = createNotification({ type: 'Notification', messageId: 'M', topicArn, publishedAt: 0 }, 'hi', {
  ...{ protocol: 'lambda', subscriptionArn, baseUrl: 'http://sealcast' },
})
const EVENT = lambdaEvent(formatEnvelope(notification, undefined), subscriptionArn)

function capturing(t: TestContext, lambda: LambdaProvider) {
  const kept: Omit<CapturedMessage, 'id' | 'at'>[] = []
  const captured = { keep: (message: (typeof kept)[number]) => Promise.resolve(void kept.push(message)) }
  const deliverer = createLambda({ clock: systemClock, providers: { ...NO_PROVIDERS, lambda }, captured } as never)
  const outbound = createOutbound({ clock: systemClock, allow: ['127.0.0.0/8'] })
  t.after(() => outbound.close())
  const tools = { outbound, envelope: () => Promise.resolve(formatEnvelope(notification, undefined)), now: () => systemClock.now() }
  const deliver = (endpoint = functionArn): Promise<Outcome> => deliverer.deliver({ notification, endpoint, raw: false }, tools)
  return { kept, deliver, deliverer }
}

const command = (program: string): LambdaProvider => ({
  kind: 'capture',
  runs: { kind: 'command', command: { argv: [process.execPath, '-e', program], environment: {} } },
})

test('captured: the event is kept, and that is all', async (t) => {
  const { kept, deliver, deliverer } = capturing(t, { kind: 'capture' })
  assert.deepEqual(await deliver(), { kind: 'delivered', captured: true })
  assert.deepEqual(kept, [{ protocol: 'lambda', to: functionArn, messageId: 'M', topicArn, subscriptionArn, body: EVENT }])
  assert.equal(deliverer.isCapture, true)
})

test('a command gets the event and says by its exit code how it went; a failed function does not get it again', async (t) => {
  const reads = `const event = JSON.parse(require('fs').readFileSync(0, 'utf8')).Records[0]
    const { AWS_LAMBDA_FUNCTION_NAME: name, AWS_LAMBDA_FUNCTION_VERSION: version, AWS_REGION: region } = process.env
    process.exit(event.Sns.Message === 'hi' && name === 'orders' && version === 'live' && region === 'eu-west-1' ? 0 : 3)`
  const well = capturing(t, command(reads))
  assert.deepEqual(await well.deliver(`${functionArn}:live`), { kind: 'delivered', captured: true })
  assert.equal(well.kept.length, 1)
  assert.deepEqual(await well.deliver(), { kind: 'refused', reason: 'the command of lambda.command failed: exit code 3' })
  assert.equal(well.kept.length, 2)
  const missing = capturing(t, { kind: 'capture', runs: { kind: 'command', command: { argv: ['/no/such'], environment: {} } } })
  const reason = 'the command of lambda.command failed: it cannot be started (ENOENT)'
  assert.deepEqual(await missing.deliver(), { kind: 'retry', reason })
  assert.equal(missing.kept.length, 0)
})

test('many at once take turns', async (t) => {
  const { deliver, kept } = capturing(t, command('process.exit(0)'))
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => deliver()))
  assert.deepEqual([outcomes.filter(({ kind }) => kind === 'delivered').length, kept.length], [12, 12])
})

test('a URL gets the event, with the name of the function in it where that is asked for', async (t) => {
  let answer = (_request: IncomingMessage, response: ServerResponse): void => void response.end()
  const asked: { url: string | undefined; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString('utf8')))
    request.on('end', () => {
      asked.push({ url: request.url, body })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/run/{function}`
  const { kept, deliver } = capturing(t, { kind: 'capture', runs: { kind: 'url', url } })
  assert.deepEqual(await deliver(), { kind: 'delivered', captured: true, status: 200 })
  assert.deepEqual(asked, [{ url: '/run/orders', body: EVENT }])
  answer = (_request, response) => void response.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end()
  assert.deepEqual(await deliver(), { kind: 'refused', status: 200, reason: 'the function failed: Unhandled' })
  answer = (_request, response) => void response.writeHead(500).end()
  assert.deepEqual(await deliver(), { kind: 'retry', status: 500, reason: 'the endpoint answered with status 500' })
  answer = ({ socket }) => void socket.destroy()
  assert.deepEqual(await deliver(), { kind: 'retry', reason: 'lambda.url: the connection was closed before the answer' })
  assert.equal(kept.length, 2)
})

test('endpoints: functions with or without a qualifier, streams by their names', () => {
  const { validate: isFunction } = createLambda({ providers: NO_PROVIDERS } as never)
  const name = 'x'.repeat(64)
  for (const more of ['', ':live', ':3', ':$LATEST', ':a-b_c']) assert.equal(isFunction(`${functionArn}${more}`), undefined, more)
  assert.equal(isFunction(`arn:aws-cn:lambda:cn-north-1:000000000001:function:${name}`), undefined)
  for (const endpoint of [
    ...['', 'orders', `${functionArn}:`, `${functionArn}:a:b`, `${functionArn}:$OLDEST`, `${functionArn}/x`],
    ...[
      `arn:aws:lambda:eu-west-1:1:function:f`,
      `arn:aws:lambda::000000000001:function:f`,
      `arn:aws:sqs:eu-west-1:000000000001:function:f`,
    ],
    ...[`arn:aws:lambda:eu-west-1:000000000001:function:${name}x`, `arn:aws:lambda:eu-west-1:000000000001:layer:f`],
  ])
    assert.equal(isFunction(endpoint), 'Lambda endpoint ARN', endpoint)
  const { validate: isStream } = createFirehose({ providers: NO_PROVIDERS } as never)
  const stream = 'arn:aws:firehose:eu-west-1:000000000001:deliverystream/'
  for (const fit of ['s', 'a.b-c_d', name]) assert.equal(isStream(`${stream}${fit}`), undefined, fit)
  for (const unfit of ['', 'a/b', `${name}x`, 'a b']) assert.equal(isStream(`${stream}${unfit}`), 'Firehose endpoint ARN', unfit)
})

test('where nothing is configured, it says what to set', () => {
  assert.equal(
    createLambda({ providers: NO_PROVIDERS } as never).unconfigured,
    'Protocol Reason: nothing delivers lambda here: ' +
      'set lambda.provider to endpoint (with lambda.endpoint and lambda.credentialsFile) or to capture',
  )
  assert.match(
    createFirehose({ providers: NO_PROVIDERS } as never).unconfigured ?? '',
    /set firehose\.provider to endpoint .* or to capture$/,
  )
})
