import assert from 'node:assert/strict'
import { X509Certificate, verify } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { MessageHeader } from '../model/message.ts'
import { createNotification, stringToSign } from '../model/notification.ts'
import { Table } from '../model/tables.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import type { Env } from './env.ts'
import { createSeal } from './seal.ts'
import { createSigningKey } from './signer.ts'
import { createSigning, signingKeyContext } from './signing.ts'
import { Tables } from './tables.ts'

const topicArn = 'arn:aws:sns:us-east-1:000000000001:orders'
const header = (at: number, more: Partial<MessageHeader> = {}): MessageHeader => ({
  type: 'Notification',
  messageId: `0000000${at % 10}-0000-4000-8000-${String(at).padStart(12, '0')}`,
  topicArn,
  publishedAt: Date.UTC(2026, 10, 23) + at,
  ...more,
})
const recipient = { protocol: 'http', subscriptionArn: `${topicArn}:1`, baseUrl: 'http://here' }
const body = 'text'

test('a signature that was foreseen is the one that the envelope has, made once', async () => {
  const random = seededRandom(5)
  const seal = createSeal(Buffer.alloc(32, 7), random)
  const tables = new Tables(memoryRecords())
  const key = await createSigningKey(random, Date.now())
  const { keyId, certificatePem } = key
  const sealedPrivateKey = seal.seal(key.privateKeyPem, signingKeyContext(keyId))
  tables.stage([{ table: Table.signingKeys, key: keyId, value: { keyId, certificatePem, sealedPrivateKey, createdAt: 1 } }], 1)
  const signing = createSigning({ tables, seal, clock: systemClock, random, log: silentLog } as unknown as Env, () => 'http://here')
  const signer = await signing.signer()
  const signaturesFor = (given: MessageHeader): number => {
    const before = signer.waiting
    signing.foresee(given, body, recipient)
    return signer.waiting - before
  }
  // Nobody needed the signer yet: it is not started for what may come.
  assert.equal(signaturesFor(header(0)), 0)
  await signing.envelope(createNotification(header(1), body, recipient))

  assert.equal(signaturesFor(header(2)), 1)
  const notification = createNotification(header(2), body, recipient)
  const envelope = signing.envelope(notification)
  assert.equal(signer.waiting, 1)
  const { Signature } = JSON.parse(await envelope) as { readonly Signature: string }
  const { publicKey } = new X509Certificate(certificatePem)
  assert.ok(verify('sha1', Buffer.from(stringToSign(notification)), publicKey, Buffer.from(Signature, 'base64')))
  assert.equal(signer.waiting, 0)

  // Those of FIFO topics have none, and many that wait come first.
  assert.equal(signaturesFor(header(3, { topicArn: `${topicArn}.fifo`, sequence: 1 })), 0)
  for (let at = 10; at < 30; at++) signing.foresee(header(at), body, recipient)
  assert.equal(signer.waiting, 8)
  await signing.close()
})
