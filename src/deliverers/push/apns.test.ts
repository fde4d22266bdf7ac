import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { type ApnsServer, startApnsServer } from '../../../tests/apns-server.ts'
import { createAuthority } from '../../../tests/certificates.ts'
import { untilTrue } from '../../../tests/until.ts'
import { SimulatedClock } from '../../base/clock.ts'
import { createOutbound } from '../../engine/outbound.ts'
import { createNotification } from '../../model/notification.ts'
import { textNamesOf } from '../../model/platform.ts'
import { createApns } from './apns.ts'
import type { Push, Pushed } from './service.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const DEVICE = 'ab'.repeat(32)
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const P8 = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const authority = createAuthority()
const applicationArn = 'arn:aws:sns:us-east-1:000000000001:app/APNS/shop'
const endpointArn = `${applicationArn.replace(':app/', ':endpoint/')}/5e1d2c3b-0000-4000-8000-000000000001`

interface Given {
  readonly structure?: 'json'
  readonly attributes?: Record<string, string>
  readonly push?: Partial<Push>
}

interface World {
  readonly server: ApnsServer
  readonly clock: SimulatedClock
  push(body: string, more?: Given): Promise<Pushed>
}

async function world(t: TestContext, options: { readonly clientAuthority?: string } = {}): Promise<World> {
  const clock = new SimulatedClock(NOW)
  const server = await startApnsServer({
    ...{ certificate: authority.issue(), key: KEY.publicKey, keyId: 'KEY1234567', teamId: 'TEAM123456' },
    topics: ['com.example.shop', 'com.example.shop.voip', 'other.app'],
    now: () => clock.now(),
    ...options,
  })
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'], ca: authority.cert })
  const apns = createApns({ clock, now: () => clock.now(), outbound, url: server.url })
  t.after(async () => {
    apns.close()
    await outbound.close()
    await server.close()
  })
  return { server, clock, push: (body, given) => apns.push(pushOf(body, given)) }
}

function pushOf(body: string, { structure, attributes = {}, push = {} }: Given = {}): Push {
  const notification = createNotification(
    {
      type: 'Notification',
      messageId: '5e1d2c3b-0000-4000-8000-00000000000a',
      direct: { protocol: 'application', endpoint: endpointArn, sender: applicationArn },
      publishedAt: NOW,
      structure,
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { type: 'String', value }])),
    },
    body,
    { protocol: 'application', textNames: textNamesOf(endpointArn), subscriptionArn: applicationArn, baseUrl: 'http://x' },
  )
  return {
    notification,
    application: {
      ...{ applicationArn, platform: 'APNS', name: 'shop', owner: '000000000001', createdAt: 0, generation: 'g', sealedCredential: '' },
      attributes: { ApplePlatformTeamID: 'TEAM123456', ApplePlatformBundleID: 'com.example.shop' },
    },
    endpoint: { endpointArn, applicationArn, generation: 'g', createdAt: 0, token: DEVICE, isEnabled: true },
    credential: P8,
    principal: 'KEY1234567',
    ...push,
  }
}

test('a plain text is put into an alert, and the request says what Apple wants to know', async (t) => {
  const { push, server } = await world(t)
  assert.deepEqual(await push('hello "you"'), { kind: 'delivered', status: 200 })
  const [received] = server.received
  assert.equal(received?.device, `/3/device/${DEVICE}`)
  assert.deepEqual(received?.payload, { aps: { alert: 'hello "you"' } })
  const { authorization: _token, ...headers } = received?.headers ?? {}
  assert.deepEqual(headers, {
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String(NOW / 1000 + 4 * 7 * 24 * 3600),
    'apns-topic': 'com.example.shop',
    'apns-id': '5e1d2c3b-0000-4000-8000-00000000000a',
  })
})

test("a platform's own text goes as it is, and attributes say the rest", async (t) => {
  const { push, server, clock } = await world(t)
  const own = { aps: { 'content-available': 1 }, more: [1] }
  await push(JSON.stringify({ default: 'd', APNS: JSON.stringify(own), APNS_SANDBOX: '{}' }), { structure: 'json' })
  await push(JSON.stringify({ default: 'd', GCM: '{}' }), { structure: 'json' })
  await push('x', {
    attributes: {
      'AWS.SNS.MOBILE.APNS.TOPIC': 'other.app',
      'AWS.SNS.MOBILE.APNS.PUSH_TYPE': 'voip',
      'AWS.SNS.MOBILE.APNS.PRIORITY': '5',
      'AWS.SNS.MOBILE.APNS.COLLAPSE_ID': 'c1',
      'AWS.SNS.MOBILE.APNS.TTL': '60',
    },
  })
  await push('x', { attributes: { 'AWS.SNS.MOBILE.APNS.TTL': '0' } })
  const [background, fallback, asked, atOnce] = server.received
  assert.deepEqual(
    [background?.payload, background?.headers['apns-push-type'], background?.headers['apns-priority']],
    [own, 'background', '5'],
  )
  assert.deepEqual(fallback?.payload, { aps: { alert: 'd' } })
  const names = ['apns-topic', 'apns-push-type', 'apns-priority', 'apns-collapse-id', 'apns-expiration']
  assert.deepEqual(
    names.map((name) => asked?.headers[name]),
    ['other.app', 'voip', '5', 'c1', String(NOW / 1000 + 60)],
  )
  assert.equal(atOnce?.headers['apns-expiration'], '0')
  clock.advance(60_000)
  const late = { kind: 'refused', reason: 'the message outlived its TTL' }
  assert.deepEqual(await push('x', { attributes: { 'AWS.SNS.MOBILE.APNS.TTL': '60' } }), late)
  assert.deepEqual(await push(JSON.stringify({ APNS: 'no json' }), { structure: 'json' }), {
    kind: 'refused',
    reason: 'the text for the platform must be a JSON object',
  })
  assert.equal(server.received.length, 4)
})

test('one connection carries all pushes; its token is renewed before Apple tires of it, and when Apple says so', async (t) => {
  const { push, server, clock } = await world(t)
  await Promise.all(Array.from({ length: 50 }, () => push('x')))
  clock.advance(49 * 60_000)
  await push('x')
  clock.advance(60_000)
  await push('x')
  const tokens = [...new Set(server.received.map(({ token }) => token))]
  assert.deepEqual([server.sessions, tokens.length, server.received.length], [1, 2, 52])
  const expired = { kind: 'answer', status: 403, reason: 'ExpiredProviderToken' } as const
  server.fault = ({ token }) => (token === tokens[1] ? expired : undefined)
  // Apple takes no new one within twenty minutes.
  assert.deepEqual(await push('x'), { kind: 'retry', status: 403, reason: 'APNs answered with status 403 ExpiredProviderToken' })
  clock.advance(20 * 60_000)
  assert.equal((await push('x')).kind, 'delivered')
})

test("Apple's refusals: what ends the endpoint, what ends the message, what comes again", async (t) => {
  const { push, server } = await world(t)
  const ends = async (status: number, reason?: string, headers?: Record<string, string>) => {
    server.fault = () => ({ kind: 'answer', status, ...(reason && { reason }), ...(headers && { headers }) })
    const { kind, isGone, ...outcome } = await push('x')
    return [kind, isGone ?? false, 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined]
  }
  assert.deepEqual(await ends(400, 'BadDeviceToken'), ['refused', true, undefined])
  assert.deepEqual(await ends(410, 'Unregistered'), ['refused', true, undefined])
  assert.deepEqual(await ends(410), ['refused', true, undefined])
  for (const [status, reason] of [
    [400, 'DeviceTokenNotForTopic'],
    [400, 'BadTopic'],
    [404, 'BadPath'],
    [405, 'MethodNotAllowed'],
    [413, 'PayloadTooLarge'],
  ] as const)
    assert.deepEqual(await ends(status, reason), ['refused', false, undefined], reason)
  for (const [status, reason] of [
    [403, 'InvalidProviderToken'],
    [429, 'TooManyRequests'],
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
  ] as const)
    assert.deepEqual(await ends(status, reason), ['retry', false, undefined], reason)
  assert.deepEqual(await ends(429, 'TooManyRequests', { 'retry-after': '30' }), ['retry', false, 30_000])
  assert.deepEqual(await ends(503, 'Shutdown', { 'retry-after': '7' }), ['retry', false, 7000])
})

test('a key that Apple does not know, and credentials that are none', async (t) => {
  const { push } = await world(t)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  assert.deepEqual(await push('x', { push: { credential: other } }), {
    kind: 'retry',
    status: 403,
    reason: 'APNs answered with status 403 InvalidProviderToken',
  })
  const none = await push('x', { push: { credential: 'secret-that-is-none' } })
  assert.equal(none.kind, 'retry')
  assert.ok(!JSON.stringify(none).includes('secret-that-is-none'))
})

test('a stream that is reset, a connection that ends or breaks: the next push has a new one', async (t) => {
  const { push, server } = await world(t)
  const reset = { kind: 'retry', reason: 'APNs: the connection was closed before the answer' }
  server.fault = () => ({ kind: 'reset' })
  assert.deepEqual(await push('x'), reset)
  server.fault = () => ({ kind: 'goaway' })
  assert.equal((await push('x')).kind, 'delivered')
  server.fault = () => undefined
  assert.equal((await push('x')).kind, 'delivered')
  assert.equal(server.sessions, 2)
  server.fault = () => ({ kind: 'destroy' })
  assert.deepEqual(await push('x'), reset)
  server.fault = () => undefined
  assert.equal((await push('x')).kind, 'delivered')
  assert.equal(server.sessions, 3)
})

test('a push that is not answered, or by drops, comes again after 15 s; others on the connection do not suffer', async (t) => {
  for (const kind of ['hang', 'drip'] as const) {
    const { push, server, clock } = await world(t)
    await push('first')
    server.fault = ({ payload }) => (JSON.stringify(payload).includes('slow') ? { kind } : undefined)
    const slow = push('slow')
    await untilTrue('the push arrived', () => server.received.length === 2)
    assert.equal((await push('quick')).kind, 'delivered')
    clock.advance(15_000)
    assert.deepEqual(await slow, { kind: 'retry', reason: 'APNs: no complete answer in time' })
    assert.equal((await push('after')).kind, 'delivered')
    assert.equal(server.sessions, 2)
  }
})

test('a server that is not there, and one whose certificate is not trusted', async (t) => {
  const { server, clock } = await world(t)
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'] })
  t.after(() => outbound.close())
  const through = (url: string) => createApns({ clock, now: () => clock.now(), outbound, url }).push(pushOf('x'))
  assert.deepEqual(await through(server.url), { kind: 'retry', reason: 'APNs: the TLS connection failed: certificate or protocol' })
  assert.deepEqual(await through('https://127.0.0.1:1'), { kind: 'retry', reason: 'APNs: the connection was refused' })
  const inside = await through('https://10.0.0.1:443')
  assert.equal(inside.kind, 'retry')
  assert.match('reason' in inside ? inside.reason : '', /10\.0\.0\.1 is a private address; outbound\.allow/)
})
