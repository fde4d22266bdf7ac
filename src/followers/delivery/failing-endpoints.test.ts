// Real servers that fail in every way there is, real sockets, simulated time.
import assert from 'node:assert/strict'
import { type RequestListener, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createAuthority } from '../../../tests/certificates.ts'
import {
  later,
  letters,
  pending,
  publish,
  putQueue,
  REDRIVE,
  retrying,
  subscribe,
  told,
  topicArn,
  world,
} from '../../../tests/delivery-world.ts'
import { createHttp, createHttps } from '../../deliverers/http.ts'
import { type Outbound, createOutbound } from '../../engine/outbound.ts'

const authority = createAuthority()
const foreign = createAuthority('somebody else')
const TIMEOUT_MS = 15_000
/** One retry at once, one after 2 s, one in the backoff phase, one after 8 s. */
const HEALTHY = {
  ...{ numRetries: 4, numNoDelayRetries: 1, numMinDelayRetries: 1, numMaxDelayRetries: 1, minDelayTarget: 2, maxDelayTarget: 8 },
  backoffFunction: 'linear',
}
const PAUSES_MS = [0, 2000, 2000, 8000]

interface Fault {
  /** Undefined: nobody listens. */
  readonly server?: (seen: () => void) => Server
  readonly protocol?: 'https'
  /** No answer comes to an end: time has to pass once the request is seen. */
  readonly isStalled?: true
  readonly attempts: number
  readonly status?: number
  readonly reason: string
  readonly pausesMs?: readonly number[]
}

const answering = (listener: RequestListener) => (seen: () => void) =>
  createServer((request, response) => {
    seen()
    listener(request, response)
  })

/** A byte every now and then, never the last one. */
const dripping = answering((_request, response) => {
  response.writeHead(200, { 'content-length': '1000000' })
  const drip = setInterval(() => void response.write('x'), 1)
  response.on('close', () => clearInterval(drip))
})

const faults: Readonly<Record<string, Fault>> = {
  'refuses connections': { attempts: 5, reason: 'the connection was refused' },
  hangs: { server: answering(() => {}), isStalled: true, attempts: 5, reason: 'no complete answer in time' },
  drips: { server: dripping, isStalled: true, attempts: 5, reason: 'no complete answer in time' },
  resets: {
    server: answering(({ socket }) => void socket.resetAndDestroy()),
    attempts: 5,
    reason: 'the connection was closed before the answer',
  },
  'breaks off its answer': {
    server: answering(
      (_request, response) => void response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy()),
    ),
    attempts: 5,
    reason: 'the connection was closed before the answer',
  },
  'does not speak HTTP': {
    server: (seen) => createTcpServer((socket) => void socket.once('data', () => (seen(), socket.end('SSH-2.0-x\r\n')))),
    attempts: 5,
    reason: 'the answer was not HTTP',
  },
  'has a certificate of a foreign authority': {
    server: () => createTlsServer(foreign.issue(), () => assert.fail('nothing may get there')),
    protocol: 'https',
    attempts: 5,
    reason: 'the TLS connection failed: certificate or protocol',
  },
  'answers 500': {
    server: answering((_request, response) => void response.writeHead(500).end()),
    attempts: 5,
    status: 500,
    reason: 'the endpoint answered with status 500',
  },
  'answers 429 and asks for seven seconds': {
    server: answering((_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end()),
    attempts: 5,
    status: 429,
    reason: 'the endpoint answered with status 429',
    pausesMs: [7000, 7000, 7000, 8000],
  },
  'answers 404': {
    server: answering((_request, response) => void response.writeHead(404).end()),
    attempts: 1,
    status: 404,
    reason: 'the endpoint answered with status 404',
  },
  'redirects to a private address': {
    server: answering((_request, response) => void response.writeHead(302, { location: 'http://10.0.0.1/inside' }).end()),
    attempts: 1,
    status: 302,
    reason: 'the endpoint answered with status 302; redirects are not followed',
  },
}

/** A follower that delivers over real sockets, and what it asked to be sent. */
async function delivering(t: TestContext) {
  const urls: string[] = []
  const sockets: { outbound?: Outbound } = {}
  const outbound: Outbound = {
    request(request) {
      urls.push(request.url)
      return sockets.outbound?.request(request) ?? assert.fail('not yet')
    },
    connect: () => assert.fail('not asked for here'),
    origins: 0,
    close: () => Promise.resolve(),
  }
  const here = await world(t, {}, { deliverers: { http: createHttp(), https: createHttps() }, outbound })
  sockets.outbound = createOutbound({ clock: here.clock, allow: ['127.0.0.0/8', '::1/128'], ca: authority.cert })
  t.after(() => sockets.outbound?.close())
  return { here, urls }
}

async function listening(t: TestContext, server: Server | undefined): Promise<number> {
  const opened = server ?? createTcpServer()
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve))
  const { port } = opened.address() as AddressInfo
  const close = (): Promise<void> => new Promise((resolve) => opened.close(() => resolve()))
  if (server === undefined) await close()
  else t.after(close)
  return port
}

for (const [name, fault] of Object.entries(faults))
  test(`an endpoint that ${name}`, async (t) => {
    const { here, urls } = await delivering(t)
    let stalled = 0
    const port = await listening(
      t,
      fault.server?.(() => void stalled++),
    )
    await putQueue(here)
    const protocol = fault.protocol ?? 'http'
    const url = `${protocol}://127.0.0.1:${port}/hook`
    const subscription = await subscribe(here, url, { ...REDRIVE, ...retrying(HEALTHY) }, { protocol })
    const messageId = await publish(here, 'hello', { subject: 'about', attributes: { a: { type: 'Number', value: '8' } } })
    for (let ended = 0; told(here).at(-1)?.outcome !== 'dead-lettered';) {
      await later()
      const attempts = told(here).length
      if (here.delivery.deliveries().running === 0 || attempts > ended) {
        ended = attempts
        here.clock.advance(Math.max(0, (here.clock.nextTimerAt() ?? 0) - here.clock.monotonic()))
      } else if (fault.isStalled && stalled > attempts) here.clock.advance(TIMEOUT_MS)
    }

    const records = told(here)
    assert.deepEqual(
      records.map(({ attempt, outcome, status, reason, protocol: by, endpoint }) => [attempt, outcome, status, reason, by, endpoint]),
      Array.from({ length: fault.attempts }, (_, at) => [
        at + 1,
        at + 1 === fault.attempts ? 'dead-lettered' : 'retry',
        fault.status,
        fault.reason,
        protocol,
        url,
      ]),
    )
    records.slice(1).forEach(({ startedAt }, at) => {
      const last = records[at]
      const pause = startedAt - (last?.startedAt ?? 0) - (last?.durationMs ?? 0)
      const least = (fault.pausesMs ?? PAUSES_MS)[at] ?? 0
      assert.ok(pause >= least - 1 && pause <= least * 1.1 + 300, `pause ${at + 1} was ${pause}`)
    })
    if (fault.isStalled) for (const { durationMs } of records) assert.ok(durationMs >= TIMEOUT_MS && durationMs < TIMEOUT_MS + 500)
    assert.deepEqual([...new Set(urls)], [url])

    const [letter, ...others] = letters(here)
    assert.ok(letter !== undefined && others.length === 0)
    assert.deepEqual(Object.keys(letter.header).sort(), ['messageId', 'publishedAt', 'senderId', 'type'])
    const { Timestamp, ...envelope } = JSON.parse(letter.body) as Record<string, unknown>
    assert.equal(typeof Timestamp, 'string')
    assert.deepEqual(envelope, {
      Type: 'Notification',
      MessageId: messageId,
      TopicArn: topicArn,
      Subject: 'about',
      Message: 'hello',
      UnsubscribeURL: `http://sealcast/?Action=Unsubscribe&SubscriptionArn=${subscription.subscriptionArn}`,
      MessageAttributes: { a: { Type: 'Number', Value: '8' } },
    })
    assert.equal(pending(here).length, 0)
  })

test('an endpoint with a good certificate', async (t) => {
  const { here } = await delivering(t)
  const port = await listening(
    t,
    createTlsServer(authority.issue(), (_request, response) => void response.end()),
  )
  await subscribe(here, `https://localhost:${port}/`, {}, { protocol: 'https' })
  await publish(here, 'hello')
  while (told(here).length === 0) {
    here.clock.advance(1)
    await later()
  }
  assert.deepEqual(
    told(here).map(({ outcome, status, reason }) => [outcome, status, reason]),
    [['delivered', 200, '']],
  )
})
