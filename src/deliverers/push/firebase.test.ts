import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { type FcmServer, startFcmServer } from '../../../tests/fcm-server.ts'
import type { ProviderFault } from '../../../tests/provider-server.ts'
import { untilTrue } from '../../../tests/until.ts'
import { SimulatedClock } from '../../base/clock.ts'
import { createOutbound } from '../../engine/outbound.ts'
import { createNotification } from '../../model/notification.ts'
import { textNamesOf } from '../../model/platform.ts'
import { createFirebase } from './firebase.ts'
import type { Pushed } from './service.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const applicationArn = 'arn:aws:sns:us-east-1:000000000001:app/GCM/shop'
const endpointArn = `${applicationArn.replace(':app/', ':endpoint/')}/5e1d2c3b-0000-4000-8000-000000000001`

interface Given {
  readonly structure?: 'json'
  readonly attributes?: Record<string, string>
  readonly token?: string
  readonly credential?: Record<string, string> | string
}

interface World {
  readonly server: FcmServer
  readonly clock: SimulatedClock
  push(body: string, given?: Given): Promise<Pushed>
}

async function world(t: TestContext): Promise<World> {
  const clock = new SimulatedClock(NOW)
  const identity = { clientEmail: 'push@shop.iam.example', projectId: 'shop-1' }
  const server = await startFcmServer({ key: publicKey, ...identity, devices: new Set(['device-1']), now: () => clock.now() })
  const outbound = createOutbound({ clock, allow: ['127.0.0.0/8'] })
  const firebase = createFirebase({ clock, now: () => clock.now(), outbound, url: server.url })
  t.after(async () => {
    await outbound.close()
    await server.close()
  })
  const account = {
    ...{ type: 'service_account', project_id: identity.projectId, client_email: identity.clientEmail, private_key: PEM },
    ...{ private_key_id: 'k1', token_uri: `${server.url}/token` },
  }
  return {
    ...{ server, clock },
    push(body, { structure, attributes = {}, token = 'device-1', credential = {} } = {}) {
      const header = {
        ...({ type: 'Notification', messageId: 'm', publishedAt: NOW, structure } as const),
        direct: { protocol: 'application', endpoint: endpointArn, sender: applicationArn } as const,
        attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { type: 'String', value }])),
      }
      const recipient = { protocol: 'application', textNames: textNamesOf(endpointArn), subscriptionArn: '', baseUrl: '' }
      return firebase.push({
        notification: createNotification(header, body, recipient),
        application: {
          ...{ applicationArn, platform: 'GCM', name: 'shop', owner: '000000000001', createdAt: 0, generation: 'g', sealedCredential: '' },
          attributes: {},
        },
        endpoint: { endpointArn, applicationArn, generation: 'g', createdAt: 0, token, isEnabled: true },
        credential: typeof credential === 'string' ? credential : JSON.stringify({ ...account, ...credential }),
        principal: undefined,
      })
    },
  }
}

const json = (texts: Record<string, unknown>) =>
  JSON.stringify(
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, typeof text === 'string' ? text : JSON.stringify(text)])),
  )

test('a plain text goes as data under the name that AWS gives it; the token is asked for once', async (t) => {
  const { push, server } = await world(t)
  const ended = await Promise.all([push('hello'), push('x', { attributes: { 'AWS.SNS.MOBILE.GCM.TTL': '60' } })])
  assert.deepEqual(ended, [
    { kind: 'delivered', status: 200 },
    { kind: 'delivered', status: 200 },
  ])
  const messages = server.received
    .map(({ message }) => message)
    .toSorted((one, other) => Object.keys(one).length - Object.keys(other).length)
  assert.deepEqual(messages, [
    { data: { default: 'hello' }, token: 'device-1' },
    { data: { default: 'x' }, android: { ttl: '60s' }, token: 'device-1' },
  ])
  assert.deepEqual(server.grants, [{ iss: 'push@shop.iam.example', header: { alg: 'RS256', typ: 'JWT', kid: 'k1' } }])
})

test("the platform's own text: of the former API, and of the present one, for this device alone", async (t) => {
  const { push, server, clock } = await world(t)
  const legacy = {
    notification: { title: 't', body: 'b', icon: 'i', android_channel_id: 'c', badge: 3 },
    data: { a: 'x', n: 1, o: { p: true } },
    ...{ priority: 'high', collapse_key: 'k', time_to_live: 30, content_available: true, unknown: 'is left out', to: 'somebody else' },
  }
  await push(json({ default: 'd', GCM: legacy }), { structure: 'json' })
  const present = { message: { notification: { title: 't' }, android: { priority: 'normal' }, token: 'other', topic: 'all' } }
  await push(json({ default: 'd', GCM: { fcmV1Message: present } }), { structure: 'json', attributes: { 'AWS.SNS.MOBILE.FCM.TTL': '9' } })
  await push(json({ FCM: { data: { only: 'here' } } }), { structure: 'json' })
  await push(json({ default: 'd', APNS: {} }), { structure: 'json' })
  await push(json({ GCM: { dry_run: true, data: {} } }), { structure: 'json' })
  assert.deepEqual(
    server.received.map(({ message, isCheck }) => (isCheck ? 'check' : message)),
    [
      {
        notification: { title: 't', body: 'b' },
        data: { a: 'x', n: '1', o: '{"p":true}' },
        android: { collapse_key: 'k', priority: 'high', ttl: '30s', notification: { channel_id: 'c', icon: 'i' } },
        apns: { payload: { aps: { 'content-available': 1, badge: 3 } } },
        token: 'device-1',
      },
      { notification: { title: 't' }, android: { priority: 'normal', ttl: '9s' }, token: 'device-1' },
      { data: { only: 'here' }, token: 'device-1' },
      { data: { default: 'd' }, token: 'device-1' },
      'check',
    ],
  )
  const refused = (reason: string) => ({ kind: 'refused', reason })
  assert.deepEqual(await push(json({ GCM: '[1]' }), { structure: 'json' }), refused('the text for the platform must be a JSON object'))
  assert.deepEqual(await push(json({ GCM: { fcmV1Message: 1 } }), { structure: 'json' }), refused('fcmV1Message must hold a message'))
  clock.advance(9000)
  assert.deepEqual(await push('x', { attributes: { 'AWS.SNS.MOBILE.FCM.TTL': '9' } }), refused('the message outlived its TTL'))
})

test('an access token is kept until five minutes before its end, and replaced when it is taken back', async (t) => {
  const { push, server, clock } = await world(t)
  await push('x')
  clock.advance(54 * 60_000)
  await push('x')
  assert.equal(server.grants.length, 1)
  clock.advance(60_000)
  await push('x')
  assert.equal(server.grants.length, 2)
  server.revoked.add('ya29.2')
  assert.equal((await push('x')).kind, 'delivered')
  assert.equal(server.grants.length, 3)
  server.fault = (where) => (where === 'send' ? { kind: 'answer', status: 401 } : undefined)
  assert.deepEqual(await push('x'), { kind: 'retry', status: 401, reason: 'FCM answered with status 401' })
})

test("Google's refusals: what ends the endpoint, what ends the message, what comes again", async (t) => {
  const { push, server } = await world(t)
  assert.deepEqual(await push('x', { token: 'device-2' }), {
    ...{ kind: 'refused', status: 404, reason: 'FCM answered with status 404 UNREGISTERED', isGone: true },
  })
  assert.equal((await push('x', { token: 'malformed' })).isGone, true)
  assert.deepEqual(await push(json({ GCM: { fcmV1Message: { message: { colour: 'red' } } } }), { structure: 'json' }), {
    ...{ kind: 'refused', status: 400, reason: 'FCM answered with status 400 INVALID_ARGUMENT' },
  })
  const ends = async (status: number, code: string, headers: Record<string, string> = {}) => {
    const body = { error: { status: 'X', details: [{ errorCode: code }] } }
    server.fault = (where) => (where === 'send' ? { kind: 'answer', status, body, headers } : undefined)
    const outcome = await push('x')
    return [outcome.kind, outcome.isGone ?? false, 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined]
  }
  assert.deepEqual(await ends(403, 'SENDER_ID_MISMATCH'), ['refused', false, undefined])
  assert.deepEqual(await ends(404, 'NOT_FOUND'), ['refused', false, undefined])
  assert.deepEqual(await ends(403, 'PERMISSION_DENIED'), ['retry', false, undefined])
  assert.deepEqual(await ends(429, 'QUOTA_EXCEEDED'), ['retry', false, 60_000])
  assert.deepEqual(await ends(429, 'QUOTA_EXCEEDED', { 'retry-after': '90' }), ['retry', false, 90_000])
  assert.deepEqual(await ends(500, 'INTERNAL'), ['retry', false, undefined])
  assert.deepEqual(await ends(503, 'UNAVAILABLE', { 'retry-after': '5' }), ['retry', false, 5000])
})

test('no access token: the credentials are not taken, or are none', async (t) => {
  const { push, server } = await world(t)
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const reason = 'Google gave no access token for the service account: status 400 invalid_grant'
  assert.deepEqual(await push('x', { credential: { private_key: other } }), { kind: 'retry', status: 400, reason })
  const legacy = await push('x', { credential: 'AAAA-server-key' })
  assert.deepEqual(legacy, {
    kind: 'retry',
    reason:
      'the credentials of the platform application: Firebase takes legacy server keys no longer: ' +
      'PlatformCredential must be the JSON of a service account',
  })
  server.fault = (where) => (where === 'token' ? { kind: 'answer', status: 503, headers: { 'retry-after': '3' } } : undefined)
  const down = await push('x')
  assert.deepEqual([down.kind, 'retryAfterMs' in down && down.retryAfterMs], ['retry', 3000])
  server.fault = () => undefined
  assert.equal((await push('x')).kind, 'delivered')
})

test('connections that are reset, answers that do not come or not whole: they come again, after 15 s at the latest', async (t) => {
  for (const where of ['token', 'send'] as const)
    for (const kind of ['reset', 'hang', 'drip'] as const) {
      const { push, server, clock } = await world(t)
      let asked = 0
      server.fault = (at): ProviderFault | undefined => (at === where && ++asked > 0 ? { kind } : undefined)
      const ended = push('x')
      await untilTrue('it was asked', () => asked > 0)
      if (kind !== 'reset') clock.advance(15_000)
      const reason = kind === 'reset' ? 'FCM: the connection was closed before the answer' : 'FCM: no complete answer in time'
      assert.deepEqual(await ended, { kind: 'retry', reason }, `${where} ${kind}`)
    }
})
