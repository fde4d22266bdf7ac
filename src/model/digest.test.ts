// Digest files against the form that CloudTrail documents and that the AWS CLI checks.
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type DigestLogFile,
  digestKey,
  digestKeyFingerprint,
  type DigestName,
  digestPublicKeyDer,
  digestStringToSign,
  formatDigest,
  parseDigestKey,
} from './digest.ts'

const NAME: DigestName = {
  keyPrefix: '',
  account: '111122223333',
  region: 'eu-west-1',
  trailName: 'all_my.trails-1',
  homeRegion: 'us-east-1',
  endsAt: Date.UTC(2026, 2, 4, 5, 6, 59),
  isBackfill: false,
}
const KEY =
  'AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/04/' +
  '111122223333_CloudTrail-Digest_eu-west-1_all_my.trails-1_us-east-1_20260304T050659Z.json.gz'

test('a key has the folders and the name that CloudTrail gives, and says so again', () => {
  assert.equal(digestKey(NAME), KEY)
  assert.equal(digestKey({ ...NAME, keyPrefix: 'a/b' }), `a/b/${KEY}`)
  assert.equal(digestKey({ ...NAME, isBackfill: true }), KEY.replace('Z.json', 'Z_backfill.json'))
  for (const name of [NAME, { ...NAME, keyPrefix: 'a/b' }, { ...NAME, isBackfill: true }])
    assert.deepEqual(parseDigestKey(digestKey(name)), name)
  for (const other of ['', KEY.replace('/04/', '/05/'), KEY.replace('-Digest', ''), `${KEY}x`, KEY.replace('T05', 'T25')])
    assert.equal(parseDigestKey(other), undefined, other)
})

test('any text is a key or is none', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => void parseDigestKey(text)))
  const cut = fc.tuple(fc.nat(KEY.length), fc.nat(KEY.length), fc.string({ maxLength: 4 }))
  fc.assert(fc.property(cut, ([from, to, text]) => void parseDigestKey(KEY.slice(0, from) + text + KEY.slice(to))))
})

test('a digest has all members, in their order', () => {
  const file = (number: number, oldest: string | null, newest: string | null): DigestLogFile => ({
    s3Bucket: 'logs',
    s3Object: `file-${number}`,
    hashValue: 'ab',
    hashAlgorithm: 'SHA-256',
    newestEventTime: newest,
    oldestEventTime: oldest,
  })
  const parts = {
    account: '111122223333',
    startsAt: NAME.endsAt - 3_600_000,
    endsAt: NAME.endsAt,
    bucketName: 'logs',
    objectKey: KEY,
    fingerprint: 'f0',
    previous: { bucketName: 'before', objectKey: 'key', hash: 'h', signature: 's' },
    logFiles: [file(2, '2026-03-04T04:20:00Z', '2026-03-04T04:30:00Z'), file(1, '2026-03-04T04:10:00Z', '2026-03-04T04:15:00Z')],
  }
  assert.equal(
    formatDigest(parts),
    '{"awsAccountId":"111122223333","digestStartTime":"2026-03-04T04:06:59Z","digestEndTime":"2026-03-04T05:06:59Z",' +
      `"digestS3Bucket":"logs","digestS3Object":"${KEY}","digestPublicKeyFingerprint":"f0",` +
      '"digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"2026-03-04T04:30:00Z","oldestEventTime":"2026-03-04T04:10:00Z",' +
      '"previousDigestS3Bucket":"before","previousDigestS3Object":"key","previousDigestHashValue":"h",' +
      '"previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"s","logFiles":[' +
      '{"s3Bucket":"logs","s3Object":"file-2","hashValue":"ab","hashAlgorithm":"SHA-256",' +
      '"newestEventTime":"2026-03-04T04:30:00Z","oldestEventTime":"2026-03-04T04:20:00Z"},' +
      '{"s3Bucket":"logs","s3Object":"file-1","hashValue":"ab","hashAlgorithm":"SHA-256",' +
      '"newestEventTime":"2026-03-04T04:15:00Z","oldestEventTime":"2026-03-04T04:10:00Z"}]}',
  )
  const first = JSON.parse(formatDigest({ ...parts, previous: undefined, logFiles: [] })) as Record<string, unknown>
  for (const name of ['S3Bucket', 'S3Object', 'HashValue', 'HashAlgorithm', 'Signature']) assert.equal(first[`previousDigest${name}`], null)
  assert.deepEqual([first['newestEventTime'], first['oldestEventTime'], first['logFiles']], [null, null, []])
})

test('what is signed names time, place, content and predecessor', () => {
  const parts = { digestEndTime: '2026-03-04T05:06:59Z', digestS3Bucket: 'logs', digestS3Object: 'key', hash: 'ab' }
  assert.equal(digestStringToSign({ ...parts, previousDigestSignature: null }), '2026-03-04T05:06:59Z\nlogs/key\nab\nnull')
  assert.equal(digestStringToSign({ ...parts, previousDigestSignature: 'cd' }), '2026-03-04T05:06:59Z\nlogs/key\nab\ncd')
})

test('a key is told as PKCS #1 and named by the MD5 of just that', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const der = digestPublicKeyDer(privateKey)
  assert.deepEqual(der, digestPublicKeyDer(publicKey))
  assert.equal(der.length, 270)
  assert.ok(createPublicKey({ key: der, type: 'pkcs1', format: 'der' }).equals(publicKey))
  assert.equal(digestKeyFingerprint(der), hash('md5', der, 'hex'))
})
