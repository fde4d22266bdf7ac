import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, generateKeyPairSync, verify } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SimulatedClock, systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { createCertificate } from './certificate.ts'
import { type Signer, SignerBusy, SignerFailed, type SigningKey, createSigner, createSigningKey } from './signer.ts'

const now = Date.UTC(2026, 0, 1)
let key: SigningKey
let signer: Signer
before(async () => {
  key = await createSigningKey(seededRandom(1), now)
  signer = createSigner({ key, clock: new SimulatedClock(now), random: seededRandom(2), log: silentLog })
})
after(() => signer.close())

test('the certificate is one: named, dated, self-signed, for the private key', () => {
  const certificate = new X509Certificate(key.certificatePem)
  assert.equal(certificate.subject, 'CN=sns.amazonaws.com')
  assert.equal(certificate.subjectAltName, 'DNS:sns.amazonaws.com')
  assert.equal(certificate.ca, false)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key.privateKeyPem)))
  assert.equal(new Date(certificate.validFrom).getTime(), now - 86_400_000)
  assert.equal(new Date(certificate.validTo).getTime(), now + 3650 * 86_400_000)
  assert.match(signer.certificatePath, /^\/SimpleNotificationService-[0-9a-f]{32}\.pem$/)
})

test('certificates of an authority: chain, dates beyond 2049, IP addresses', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dates = { notBefore: now, notAfter: Date.UTC(2060, 5, 1) }
  const authority = createCertificate({
    commonName: 'root',
    subjectKey: privateKey,
    isAuthority: true,
    serial: Buffer.from([0x80, 1]),
    ...dates,
  })
  const leaf = createCertificate({
    commonName: 'localhost',
    hosts: ['127.0.0.1', '::1', 'fd00::1:2'],
    subjectKey: privateKey,
    issuer: { commonName: 'root', key: privateKey },
    serial: Buffer.from([0, 7]),
    ...dates,
  })
  const certificate = new X509Certificate(leaf)
  assert.ok(certificate.checkIssued(new X509Certificate(authority)))
  assert.ok(new X509Certificate(authority).ca)
  assert.equal(certificate.serialNumber, '07')
  assert.equal(new X509Certificate(authority).serialNumber, '8001')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(certificate.checkIP('fd00::1:2'), 'fd00::1:2')
  assert.equal(certificate.checkIP('127.0.0.2'), undefined)
  assert.equal(new Date(certificate.validTo).getTime(), dates.notAfter)
})

test('both versions verify against the certificate, and not against each other', async () => {
  const { publicKey } = new X509Certificate(key.certificatePem)
  const texts = Array.from({ length: 40 }, (_, at) => `Message\n${at} \u00fc\u{1f600}\n`)
  const [first, second] = await Promise.all([
    Promise.all(texts.map((text) => signer.sign(text, '1'))),
    Promise.all(texts.map((text) => signer.sign(text, '2'))),
  ])
  texts.forEach((text, at) => {
    const [one, two] = [Buffer.from(first[at] ?? '', 'base64'), Buffer.from(second[at] ?? '', 'base64')]
    assert.equal(first[at]?.length, 344)
    assert.ok(verify('sha1', Buffer.from(text), publicKey, one))
    assert.ok(verify('sha256', Buffer.from(text), publicKey, two))
    assert.ok(!verify('sha256', Buffer.from(text), publicKey, one))
  })
})

test('what was asked before is not signed again', async () => {
  const first = signer.sign('the same', '1')
  assert.equal(signer.sign('the same', '1'), first)
  assert.notEqual(signer.sign('the same', '2'), first)
  await first
})

test('more texts than may wait are refused, the others are served', async () => {
  const small = createSigner({ key, clock: systemClock, random: seededRandom(3), log: silentLog, waitingMax: 2 })
  const accepted = [small.sign('a', '1'), small.sign('b', '1')]
  await assert.rejects(small.sign('c', '1'), SignerBusy)
  assert.equal((await Promise.all(accepted)).length, 2)
  assert.equal((await small.sign('c', '1')).length, 344)
  await small.close()
})

test('a child that is killed is replaced and its work done again', async () => {
  const fresh = createSigner({ key, clock: systemClock, random: seededRandom(4), log: silentLog })
  await fresh.sign('warm', '1')
  const pid = fresh.processId
  assert.ok(pid !== undefined)
  const work = Array.from({ length: 200 }, (_, at) => fresh.sign(`job ${at}`, '1'))
  await new Promise((resolve) => setImmediate(resolve))
  process.kill(pid, 'SIGKILL')
  assert.equal(new Set(await Promise.all(work)).size, 200)
  assert.notEqual(fresh.processId, pid)
  await fresh.close()
})

test('after close nothing is signed and what waited is told', async () => {
  const fresh = createSigner({ key, clock: systemClock, random: seededRandom(5), log: silentLog })
  const waiting = assert.rejects(fresh.sign('x', '1'), SignerFailed)
  await fresh.close()
  await waiting
  await assert.rejects(fresh.sign('y', '1'), SignerFailed)
})

test('a key that does not parse is refused at once', () => {
  assert.throws(() =>
    createSigner({ key: { ...key, privateKeyPem: 'no key' }, clock: systemClock, random: seededRandom(6), log: silentLog }),
  )
})
