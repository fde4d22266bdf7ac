// Deliveries over real sockets, checked by the validator that AWS publishes for its own: it shares no code with what it verifies.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer, globalAgent } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { later, publish, seal, subscribe, told, world } from '../../../tests/delivery-world.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { createHttp, createHttps } from '../../deliverers/http.ts'
import { createCertificate } from '../../engine/certificate.ts'
import { createOutbound } from '../../engine/outbound.ts'
import { createSigner, createSigningKey } from '../../engine/signer.ts'
import { formatEnvelope, stringToSign } from '../../model/notification.ts'

type Validator = new (host: RegExp) => {
  validate(text: string, done: (failure: Error | null, message: Record<string, string>) => void): void
}
const MessageValidator = createRequire(import.meta.url)('sns-validator') as Validator

/** A receiver over TLS that also serves the signing certificate, and a follower that delivers to it. */
async function deliveringOverTls(t: TestContext) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dates = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2049, 0, 1) }
  const issuer = { commonName: 'test authority', key: privateKey }
  const ca = createCertificate({
    ...dates,
    commonName: issuer.commonName,
    subjectKey: privateKey,
    isAuthority: true,
    serial: Buffer.from([1]),
  })
  const cert = createCertificate({ ...dates, commonName: 'localhost', subjectKey: privateKey, issuer, serial: Buffer.from([2]) })
  const random = seededRandom(5)
  const signer = createSigner({ key: await createSigningKey(random, Date.UTC(2026, 0, 1)), clock: systemClock, random, log: silentLog })
  const received: string[] = []
  const server = createServer({ key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert }, (request, response) => {
    if (request.url === signer.certificatePath) return void response.end(signer.certificatePem)
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push(Buffer.concat(parts).toString())
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `https://localhost:${(server.address() as AddressInfo).port}`
  const outbound = createOutbound({ clock: systemClock, allow: ['127.0.0.0/8', '::1/128'], ca })
  const here = await world(
    t,
    {},
    {
      deliverers: { http: createHttp(), https: createHttps() },
      outbound,
      async envelope(notification) {
        const { signatureVersion } = notification
        if (signatureVersion === undefined) return formatEnvelope(notification, undefined)
        const signature = await signer.sign(stringToSign(notification), signatureVersion)
        return formatEnvelope(notification, { signature, signingCertUrl: base + signer.certificatePath })
      },
    },
  )
  globalAgent.options.ca = ca
  t.after(async () => {
    await Promise.all([outbound.close(), signer.close()])
    globalAgent.destroy()
    server.closeAllConnections()
    server.close()
  })
  const arrive = async (count: number): Promise<void> => {
    while (received.length < count) {
      here.clock.advance(1)
      await later()
      for (const { outcome, reason } of told(here)) assert.equal(outcome, 'delivered', reason)
    }
  }
  return { here, base, received, arrive }
}

function validate(text: string): Promise<Record<string, string>> {
  const validator = new MessageValidator(/^localhost:\d+$/)
  return new Promise((resolve, reject) => {
    validator.validate(text, (failure, message) => (failure === null ? resolve(message) : reject(failure)))
  })
}

test('what is delivered over TLS passes sns-validator, in both versions; what was changed on the way does not', async (t) => {
  const { here, base, received, arrive } = await deliveringOverTls(t)
  await subscribe(here, `${base}/hook`, {}, { protocol: 'https' })
  await publish(here, 'grüße \u{1f600}\n"quoted"', { subject: 'subject', attributes: { a: { type: 'Number', value: '8' } } })
  await publish(here, 'version 2', { signatureVersion: '2' })
  await arrive(2)
  const messages = await Promise.all(received.map(validate))
  const found = new Map(messages.map(({ SignatureVersion, Message, Subject }) => [SignatureVersion, [Message, Subject]]))
  assert.deepEqual(found.get('1'), ['grüße \u{1f600}\n"quoted"', 'subject'])
  assert.deepEqual(found.get('2'), ['version 2', undefined])
  await Promise.all(received.map((text) => assert.rejects(validate(text.replace(/"Message" : "./, '"Message" : "X')), /signature/i)))
})

test('a confirmation over TLS passes sns-validator and leads back here', async (t) => {
  const { here, base, received, arrive } = await deliveringOverTls(t)
  const { subscriptionArn, topicArn } = await subscribe(here, `${base}/hook`, {}, { protocol: 'https', state: 'pending' })
  const sealedToken = seal.seal('abcdef', `confirmation ${subscriptionArn}`)
  await publish(here, '', { type: 'SubscriptionConfirmation', subscriptionArn, sealedToken })
  await arrive(1)
  const { SubscribeURL, Token } = await validate(received[0] ?? '')
  assert.deepEqual([SubscribeURL, Token], [`http://sealcast/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=abcdef`, 'abcdef'])
})

test('an endpoint with a foreign certificate gets nothing', async (t) => {
  const { here, base, received } = await deliveringOverTls(t)
  await subscribe(here, base.replace('localhost', '127.0.0.1'), {}, { protocol: 'https' })
  await publish(here, 'secret')
  while (told(here).length === 0) {
    here.clock.advance(1)
    await later()
  }
  assert.deepEqual(
    told(here).map(({ outcome, reason }) => [outcome, reason]),
    [['retry', 'the TLS connection failed: certificate or protocol']],
  )
  assert.deepEqual(received, [])
})
