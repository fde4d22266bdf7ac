import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { SimulatedClock } from '../base/clock.ts'
import type { Attempt, Outcome } from '../engine/deliverer.ts'
import { createOutbound } from '../engine/outbound.ts'
import { createNotification, formatEnvelope } from '../model/notification.ts'
import { createHttp, createHttps } from './http.ts'

const [http, https] = [createHttp(), createHttps()]

const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const subscriptionArn = `${topicArn}:5e1d2c3b-0000-4000-8000-000000000005`
const now = Date.UTC(2026, 0, 2)
const notification = createNotification({ type: 'Notification', messageId: 'M', topicArn, publishedAt: now }, '{"a":"ü"}', {
  protocol: 'http',
  subscriptionArn,
  baseUrl: 'http://sealcast',
})
const confirmation = createNotification({ type: 'SubscriptionConfirmation', messageId: 'C', topicArn, publishedAt: now }, '', {
  protocol: 'http',
  subscriptionArn,
  baseUrl: 'http://sealcast',
  token: 'abc',
})

interface Received {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver, and a way to deliver to it. */
async function receiver(t: TestContext, answer: (response: ServerResponse, received: Received) => void) {
  const clock = new SimulatedClock(now)
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = { url: request.url, headers: request.headers, body: Buffer.concat(parts).toString() }
      received.push(one)
      answer(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'] })
  t.after(async () => {
    await outbound.close()
    server.closeAllConnections()
    server.close()
  })
  const deliver = (attempt: Partial<Attempt> = {}, at = `http://127.0.0.1:${port}/hook?k=v`): Promise<Outcome> =>
    http.deliver(
      { notification, endpoint: at, raw: false, ...attempt },
      { outbound, envelope: (of) => Promise.resolve(formatEnvelope(of, undefined)), now: () => clock.now() },
    )
  return { deliver, received, clock, port }
}

test('a notification is posted as AWS does', async (t) => {
  const { deliver, received, port } = await receiver(t, (response) => response.writeHead(204).end())
  assert.deepEqual(await deliver(), { kind: 'delivered', status: 204 })
  const [one] = received
  assert.equal(one?.url, '/hook?k=v')
  assert.equal(one.body, formatEnvelope(notification, undefined))
  const { host, connection, 'content-length': length, ...headers } = one.headers
  assert.deepEqual(headers, {
    'x-amz-sns-message-type': 'Notification',
    'x-amz-sns-message-id': 'M',
    'x-amz-sns-topic-arn': topicArn,
    'x-amz-sns-subscription-arn': subscriptionArn,
    'content-type': 'text/plain; charset=UTF-8',
    'user-agent': 'Amazon Simple Notification Service Agent',
    'accept-encoding': 'gzip,deflate',
  })
  assert.deepEqual([host, connection?.toLowerCase(), length], [`127.0.0.1:${port}`, 'keep-alive', String(Buffer.byteLength(one.body))])
})

test('raw: the message alone, with its content type; confirmations stay in the envelope', async (t) => {
  const { deliver, received } = await receiver(t, (response) => response.end())
  await deliver({ raw: true, contentType: 'application/json' })
  await deliver({ raw: true, contentType: 'application/json', notification: confirmation })
  const [raw, plain] = received
  assert.deepEqual(
    [raw?.body, raw?.headers['content-type'], raw?.headers['x-amz-sns-rawdelivery']],
    ['{"a":"ü"}', 'application/json', 'true'],
  )
  assert.equal((JSON.parse(plain?.body ?? '') as { Token: string }).Token, 'abc')
  assert.deepEqual(
    [plain?.headers['content-type'], plain?.headers['x-amz-sns-rawdelivery'], plain?.headers['x-amz-sns-subscription-arn']],
    ['text/plain; charset=UTF-8', undefined, undefined],
  )
})

test('statuses: 2xx is delivered, 5xx and 429 come again, the rest is final', async (t) => {
  const { deliver, port } = await receiver(t, (response, { url }) =>
    response.writeHead(Number(url?.slice(1)), { location: 'http://10.0.0.1/' }).end(),
  )
  const kinds = new Map<number, string>()
  for (const status of [200, 202, 299, 301, 302, 307, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504])
    kinds.set(status, (await deliver({}, `http://127.0.0.1:${port}/${status}`)).kind)
  assert.deepEqual(Object.fromEntries(kinds), {
    200: 'delivered',
    202: 'delivered',
    299: 'delivered',
    301: 'refused',
    302: 'refused',
    307: 'refused',
    400: 'refused',
    401: 'refused',
    403: 'refused',
    404: 'refused',
    410: 'refused',
    429: 'retry',
    500: 'retry',
    502: 'retry',
    503: 'retry',
    504: 'retry',
  })
})

test('429 may say when to come again, in seconds or as a date', async (t) => {
  const pauses = ['7', 'Fri, 02 Jan 2026 00:01:00 GMT', '999999999', 'Fri, 02 Jan 2015 00:01:00 GMT', 'soon', '-1']
  const { deliver } = await receiver(t, (response) => response.writeHead(429, { 'retry-after': pauses.shift() ?? '' }).end())
  const asked: (number | undefined)[] = []
  while (pauses.length > 0) {
    const outcome = await deliver()
    assert.equal(outcome.kind, 'retry')
    asked.push('retryAfterMs' in outcome ? outcome.retryAfterMs : undefined)
  }
  assert.deepEqual(asked.slice(0, 5), [7000, 60_000, 3_600_000, 0, undefined])
})

test('credentials are given when they are asked for, not before, and not for other schemes', async (t) => {
  let scheme = 'Basic realm="x"'
  const { deliver, received, port } = await receiver(t, (response, { headers }) => {
    if (headers.authorization === `Basic ${Buffer.from('user:p@ss').toString('base64')}`) response.end()
    else response.writeHead(401, { 'www-authenticate': scheme }).end()
  })
  assert.equal((await deliver({}, `http://user:p%40ss@127.0.0.1:${port}/`)).kind, 'delivered')
  assert.deepEqual(
    received.map(({ headers }) => headers.authorization !== undefined),
    [false, true],
  )
  assert.deepEqual(await deliver({}, `http://user:wrong@127.0.0.1:${port}/`), {
    kind: 'refused',
    status: 401,
    reason: 'the endpoint answered with status 401',
  })
  assert.equal(received.length, 4)
  assert.equal((await deliver()).kind, 'refused')
  scheme = 'Bearer'
  assert.equal((await deliver({}, `http://user:p%40ss@127.0.0.1:${port}/`)).kind, 'refused')
  assert.equal(received.length, 6)
})

test('no answer for 15 s comes again', async (t) => {
  const { deliver, clock } = await receiver(t, () => clock.advance(15_000))
  assert.deepEqual(await deliver(), { kind: 'retry', reason: 'no complete answer in time' })
})

test('a connection that fails comes again, an address that is not allowed does not, and says what would allow it', async (t) => {
  const { deliver, port } = await receiver(t, (response) => response.destroy())
  assert.deepEqual(await deliver({}, `http://127.0.0.1:${port}/`), { kind: 'retry', reason: 'the connection was closed before the answer' })
  const refused = await deliver({}, 'http://10.1.2.3/')
  assert.equal(refused.kind, 'refused')
  assert.match(
    'reason' in refused ? refused.reason : '',
    /10\.1\.2\.3 is a private address; outbound\.allow: \["10\.0\.0\.0\/8"\] permits it/,
  )
})

test('endpoints that can be subscribed', () => {
  for (const endpoint of [
    'http://example.com',
    'http://user:pass@example.com:8080/a?b=c',
    'HTTP://EXAMPLE.com/',
    'http://[::1]:80/',
    'http://localhost:3000/x',
  ])
    assert.equal(http.validate(endpoint), undefined, endpoint)
  assert.equal(https.validate('https://example.com/x'), undefined)
  assert.equal(https.validate('http://example.com/x'), 'Endpoint must match the specified protocol')
  assert.equal(http.validate('https://example.com/x'), 'Endpoint must match the specified protocol')
  for (const endpoint of [
    '',
    'http://',
    'http://a b/',
    'http://under_score.example.com/',
    'http://exa\nmple.com/\u0000',
    `http://example.com/${'x'.repeat(2048)}`,
  ])
    assert.ok(http.validate(endpoint) !== undefined, JSON.stringify(endpoint))
})
