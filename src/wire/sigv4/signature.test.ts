// Signatures made by the SDK's own signer hold, and nothing else does.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import test from 'node:test'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { ServiceError } from '../../model/service-error.ts'
import type { HttpRequest } from '../http.ts'
import { sign, signingKey } from '../../model/signing-key.ts'
import { readClaim } from './claim.ts'
import { Signature } from './signature.ts'
import { fromSdk, TEST_KEY, TEST_TIME, testRequest } from '../test-world.ts'

const MINUTE = 60_000
const NOW = new Date(TEST_TIME)

/** The hash that the SDK asks for. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

interface Unsigned {
  readonly method?: string
  readonly path?: string
  readonly query?: Record<string, string | string[]>
  readonly headers?: Record<string, string>
  readonly body?: string
}

function signer(service: string, sessionToken?: string): SignatureV4 {
  return new SignatureV4({
    service,
    region: 'eu-west-1',
    credentials: { ...TEST_KEY, sessionToken },
    sha256: Sha256 as never,
    uriEscapePath: service !== 's3',
  })
}

function prepared({ method = 'POST', path = '/', query = {}, headers = {}, body = '' }: Unsigned) {
  const hostname = 'sns.eu-west-1.localhost'
  return { method, protocol: 'http:', hostname, path, query, headers: { host: `${hostname}:4566`, ...headers }, body }
}

async function signed(service: string, request: Unsigned, sessionToken?: string): Promise<HttpRequest> {
  return fromSdk(await signer(service, sessionToken).sign(prepared(request), { signingDate: NOW }))
}

async function presigned(service: string, request: Unsigned, expiresIn = 60, sessionToken?: string): Promise<HttpRequest> {
  return fromSdk(await signer(service, sessionToken).presign(prepared({ method: 'GET', ...request }), { signingDate: NOW, expiresIn }))
}

function verify(request: HttpRequest, now = TEST_TIME, secret = TEST_KEY.secretAccessKey): ServiceError | undefined {
  const claim = readClaim(request)
  assert.ok(claim !== undefined, 'a signed request')
  return claim instanceof ServiceError ? claim : new Signature(request, claim).verify(secret, now)
}

const REQUESTS: readonly Unsigned[] = [
  { body: 'Action=ListTopics&Version=2010-03-31' },
  { body: '', headers: { 'x-amz-target': 'AmazonSQS.ListQueues', 'content-type': 'application/x-amz-json-1.0' } },
  { method: 'GET', query: { Action: 'ListTopics', 'a b': "c+d&e='f'", A: '1', a: ['2', '1'], empty: '' } },
  { method: 'GET', query: { 'list-type': '2', list: '1', 'list.x': '', 'list~': '0', ü: '€' } },
  { path: '/000000000000/queue', body: 'x' },
  { path: '/a%20b/c%2Bd/', body: 'x' },
  { path: '/a/./b/../c//d', body: 'x' },
  { headers: { 'x-custom': '  a   b  ', 'x-amz-meta-a': 'x' } },
]

for (const service of ['sns', 's3']) {
  for (const request of REQUESTS) {
    test(`${service}: what the SDK signs holds: ${JSON.stringify(request)}`, async () => {
      assert.equal(verify(await signed(service, request)), undefined)
      assert.equal(verify(await signed(service, request, 'session/token+==')), undefined)
    })
  }
}

test('S3: keys of any characters', async () => {
  const names = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(names, async (parts) => {
      const escape = (text: string) =>
        encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
      assert.equal(verify(await signed('s3', { method: 'PUT', path: `/bucket/${parts.map(escape).join('/')}`, body: 'x' })), undefined)
    }),
    { numRuns: 60 },
  )
})

test('S3: a path that came less escaped than it was signed still holds', async () => {
  const request = await signed('s3', { method: 'GET', path: '/bucket/a%3Ab%40c' })
  assert.equal(verify({ ...request, path: '/bucket/a:b@c' }), undefined)
})

test('header values beyond ASCII are signed as their bytes', async () => {
  assert.equal(verify(await signed('s3', { method: 'PUT', path: '/b/k', headers: { 'x-amz-meta-a': 'grün €' } })), undefined)
})

test('presigned URLs hold until they expire', async () => {
  for (const [service, request] of [
    ['s3', { path: '/bucket/a%20key', query: { versionId: 'x' }, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
    ['sts', { query: { Action: 'GetCallerIdentity', Version: '2011-06-15' } }],
    ['sts', { query: { Action: 'GetCallerIdentity' }, headers: { 'x-k8s-aws-id': 'cluster' } }],
  ] as const) {
    assert.equal(verify(await presigned(service, request)), undefined)
    const withToken = await presigned(service, request, 60, 'session/token+==')
    assert.equal(verify(withToken, TEST_TIME + 59_000), undefined)
    const expired = verify(withToken, TEST_TIME + 61_000)
    assert.equal(expired?.code, service === 's3' ? 'AccessDenied' : 'SignatureDoesNotMatch')
    assert.match(expired?.message ?? '', /expired/)
    assert.ok(verify({ ...withToken, query: withToken.query.replace('X-Amz-Expires=60', 'X-Amz-Expires=600') }))
  }
})

test('the claim says who, where and when', async () => {
  const request = await signed('sns', { body: 'a' }, 'token')
  const claim = readClaim(request)
  assert.ok(claim !== undefined && !(claim instanceof ServiceError))
  const { accessKeyId, date, region, service, sessionToken, signedAt, isPresigned } = claim
  assert.deepEqual(
    { accessKeyId, date, region, service, sessionToken, signedAt, isPresigned },
    {
      accessKeyId: TEST_KEY.accessKeyId,
      date: '20260102',
      region: 'eu-west-1',
      service: 'sns',
      sessionToken: 'token',
      signedAt: TEST_TIME,
      isPresigned: false,
    },
  )
  assert.equal(readClaim(testRequest({ query: 'Action=ListTopics' })), undefined)
})

test('any change to what was signed breaks it', async () => {
  const request = await signed('sns', { query: { a: '1' }, path: '/x', body: 'Action=ListTopics', headers: { 'x-amz-meta-a': '1' } })
  const changes: Record<string, HttpRequest> = {
    method: { ...request, method: 'GET' },
    path: { ...request, path: '/y' },
    query: { ...request, query: 'a=2' },
    body: { ...request, body: Buffer.from('Action=DeleteTopic') },
    header: { ...request, headers: { ...request.headers, 'x-amz-meta-a': '2' } },
    host: { ...request, headers: { ...request.headers, host: 'elsewhere' } },
  }
  for (const [what, changed] of Object.entries(changes)) {
    assert.equal(verify(changed)?.code, 'SignatureDoesNotMatch', what)
    assert.equal(verify(changed)?.shape, 'InvalidSignatureException', what)
  }
  assert.equal(verify(request, TEST_TIME, 'another secret')?.code, 'SignatureDoesNotMatch')
  assert.equal(verify(request), undefined)
})

test('a header x-amz-* that came unsigned is refused', async () => {
  const request = await signed('sns', { body: 'a' })
  assert.equal(verify({ ...request, headers: { ...request.headers, 'x-amz-target': 'x' } })?.code, 'SignatureDoesNotMatch')
  const upload = await signed('s3', { method: 'PUT', path: '/b/k' })
  const refusal = verify({ ...upload, headers: { ...upload.headers, 'x-amz-acl': 'public-read' } })
  assert.equal(refusal?.code, 'AccessDenied')
  assert.equal(refusal?.details.HeadersNotSigned, 'x-amz-acl')
})

test('fifteen minutes of skew are allowed, and not a second more', async () => {
  const request = await signed('sns', { body: 'a' })
  assert.equal(verify(request, TEST_TIME + 15 * MINUTE), undefined)
  assert.equal(verify(request, TEST_TIME - 15 * MINUTE), undefined)
  assert.equal(
    verify(request, TEST_TIME + 15 * MINUTE + 1000)?.message,
    'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - 15 min.)',
  )
  assert.match(
    verify(request, TEST_TIME - 16 * MINUTE)?.message ?? '',
    /^Signature not yet current: 20260102T030405Z is still later than 20260102T030305Z/,
  )
  const upload = await signed('s3', { method: 'PUT', path: '/b/k' })
  assert.equal(verify(upload, TEST_TIME + 16 * MINUTE)?.code, 'RequestTimeTooSkewed')
})

test('S3 holds the body against x-amz-content-sha256', async () => {
  const request = await signed('s3', { method: 'PUT', path: '/b/k', body: 'x' })
  assert.equal(verify({ ...request, body: Buffer.from('y') })?.code, 'XAmzContentSHA256Mismatch')
  const unsigned = await signed('s3', { method: 'PUT', path: '/b/k', body: 'x', headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })
  assert.equal(verify({ ...unsigned, body: Buffer.from('y') }), undefined)
  const { 'x-amz-content-sha256': _, ...rest } = request.headers
  assert.equal(verify({ ...request, headers: rest })?.code, 'InvalidRequest')
  assert.equal(verify({ ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'MD5' } })?.code, 'InvalidArgument')
})

test('a claim that cannot be read is refused as incomplete', () => {
  const credential = 'Credential=A/20260102/eu-west-1/sns/aws4_request'
  const headers = 'SignedHeaders=host'
  const hex = `Signature=${'0'.repeat(64)}`
  const date = { 'x-amz-date': '20260102T030405Z' }
  const refusal = (authorization: string, others: Record<string, string> = date) => {
    const claim = readClaim(testRequest({ headers: { host: 'h', authorization, ...others } }))
    return claim instanceof ServiceError ? [claim.code, claim.status] : claim
  }
  const incomplete = ['IncompleteSignature', 400]
  assert.deepEqual(refusal('Basic abc'), incomplete)
  assert.deepEqual(refusal('AWS4-HMAC-SHA256'), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 ${credential}, ${hex}`), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 ${credential}, ${headers}, ${hex}`, {}), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 ${credential}, ${headers}, ${hex}`, { 'x-amz-date': 'yesterday' }), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 ${credential}, ${headers}, Signature=xyz`), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 Credential=A/20260102/sns/aws4_request, ${headers}, ${hex}`), incomplete)
  assert.deepEqual(refusal(`AWS4-HMAC-SHA256 Credential=A/20260102/eu-west-1/sns/aws4, ${headers}, ${hex}`), incomplete)
  assert.deepEqual(refusal(`AWS4-ECDSA-P256-SHA256 ${credential}, ${headers}, ${hex}`), incomplete)
  assert.deepEqual(refusal('AWS AKID:signature', { 'x-amz-content-sha256': 'x' }), ['InvalidRequest', 400])
  const query = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260102%2Feu-west-1%2Fs3%2Faws4_request'
  assert.ok(readClaim(testRequest({ query })) instanceof ServiceError)
})

test('a scope of another day, or without host among the signed headers, does not hold', async () => {
  const request = await signed('sns', { body: 'a' })
  const authorization = String(request.headers.authorization)
  const otherDay = verify({ ...request, headers: { ...request.headers, authorization: authorization.replace('20260102', '20260101') } })
  assert.match(otherDay?.message ?? '', /^Date in Credential scope does not match/)
  const noHost = verify({ ...request, headers: { ...request.headers, authorization: authorization.replace('host;', '') } })
  assert.match(noHost?.message ?? '', /'Host'/)
})

test('sign is HMAC-SHA256', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 300 }).map((text) => text.replace(/[^\0-\xff]/g, '?')),
      fc.string(),
      (message, secret) => {
        const scope = { date: '20260102', region: 'r', service: 's' }
        const hmac = (key: string | Buffer, text: string | Buffer) => createHmac('sha256', key).update(text).digest()
        const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), scope.service), 'aws4_request')
        assert.equal(sign(signingKey(secret, scope), message), hmac(key, Buffer.from(message, 'latin1')).toString('hex'))
      },
    ),
    { numRuns: 200 },
  )
  const long = 'x'.repeat(100_000)
  const blocks = { inner: Buffer.alloc(64, 0x36), outer: Buffer.alloc(64, 0x5c) }
  assert.equal(sign(blocks, long), createHmac('sha256', '').update(long).digest('hex'))
})
