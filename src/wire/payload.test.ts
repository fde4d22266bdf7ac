// Uploads as clients send them: plain, in signed chunks, in unsigned chunks, with checksums in front or behind.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { crc32 } from 'node:zlib'
import { ServiceError } from '../model/service-error.ts'
import { openPayload } from './payload.ts'
import { sign, signingKey } from '../model/signing-key.ts'
import { readClaim, scopeOf } from './sigv4/claim.ts'
import { Signature } from './sigv4/signature.ts'
import { TEST_KEY, TEST_TIME, testRequest } from './test-world.ts'

const HASH_OF_NOTHING = createHash('sha256').digest('hex')
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const CONTENT = Buffer.from('All things must pass. '.repeat(20))
const CRC32 = base64Crc(CONTENT)

function base64Crc(bytes: Uint8Array): string {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(crc32(bytes))
  return word.toString('base64')
}

/** A verified signature over the headers of an upload. */
function signUpload(headers: Record<string, string>): Signature {
  const scope = `${TEST_KEY.accessKeyId}/20260102/us-east-1/s3/aws4_request`
  const names = ['host', ...Object.keys(headers)].toSorted()
  const build = (signature: string) => {
    const signedHeaders = [...names, 'x-amz-date'].join(';')
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
    const request = testRequest({
      method: 'PUT',
      path: '/b/k',
      headers: { host: 'h', 'x-amz-date': '20260102T030405Z', ...headers, authorization },
    })
    const claim = readClaim(request)
    assert.ok(claim !== undefined && !(claim instanceof ServiceError))
    return { claim, signature: new Signature({ ...request, body: undefined }, claim) }
  }
  const unsigned = build('0'.repeat(64))
  const { signature } = build(sign(signingKey(TEST_KEY.secretAccessKey, unsigned.claim), unsigned.signature.stringToSign))
  assert.equal(signature.verify(TEST_KEY.secretAccessKey, TEST_TIME), undefined)
  return signature
}

interface Encoded {
  readonly body: Buffer
  readonly headers: Record<string, string>
  readonly signature: Signature
}

/** What a client sends: the content in chunks of 100 bytes, with a CRC-32 behind it where the kind has trailers. */
function encodeUpload(kind: string, change: Partial<{ content: Buffer; checksum: string; decoded: number }> = {}): Encoded {
  const { content = CONTENT, checksum = CRC32, decoded = CONTENT.length } = change
  const hasTrailer = kind.endsWith('TRAILER')
  const headers: Record<string, string> = {
    'x-amz-content-sha256': kind,
    'x-amz-decoded-content-length': String(decoded),
    ...(hasTrailer ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {}),
  }
  const signature = signUpload(headers)
  const { claim } = signature
  const key = signingKey(TEST_KEY.secretAccessKey, claim)
  const isSigned = kind.startsWith('STREAMING-AWS4')
  let previous = claim.signature
  const pieces: Buffer[] = []
  for (let at = 0; ; at += 100) {
    const chunk = content.subarray(at, at + 100)
    const hash = createHash('sha256').update(chunk).digest('hex')
    const toSign = `AWS4-HMAC-SHA256-PAYLOAD\n20260102T030405Z\n${scopeOf(claim)}\n${previous}\n${HASH_OF_NOTHING}\n${hash}`
    if (isSigned) previous = sign(key, toSign)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}${isSigned ? `;chunk-signature=${previous}` : ''}\r\n`))
    if (chunk.length === 0) break
    pieces.push(chunk, Buffer.from('\r\n'))
  }
  if (hasTrailer) pieces.push(Buffer.from(`x-amz-checksum-crc32:${checksum}\r\n`))
  if (hasTrailer && isSigned) {
    const hash = createHash('sha256').update(`x-amz-checksum-crc32:${checksum}\n`).digest('hex')
    const signed = sign(key, `AWS4-HMAC-SHA256-TRAILER\n20260102T030405Z\n${scopeOf(claim)}\n${previous}\n${hash}`)
    pieces.push(Buffer.from(`x-amz-trailer-signature:${signed}\r\n`))
  }
  pieces.push(Buffer.from('\r\n'))
  return { body: Buffer.concat(pieces), headers, signature }
}

async function* inPieces(body: Buffer, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += bytes) yield body.subarray(at, at + bytes)
}

async function read(
  { body, headers, signature }: Encoded,
  pieceBytes = 37,
): Promise<{ content: Buffer; trailers: ReadonlyMap<string, string> }> {
  const payload = openPayload(inPieces(body, pieceBytes), headers, signature)
  const chunks: Uint8Array[] = []
  for await (const chunk of payload.stream) chunks.push(chunk)
  return { content: Buffer.concat(chunks), trailers: payload.trailers() }
}

const refuses = (code: string) => (error: unknown) => error instanceof ServiceError && error.code === code

for (const kind of [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]) {
  test(`${kind}: unpacked, however the bytes come`, async () => {
    for (const bytes of [1, 2, 37, 100, 10_000]) {
      const { content, trailers } = await read(encodeUpload(kind), bytes)
      assert.deepEqual(content, CONTENT)
      assert.equal(trailers.get('x-amz-checksum-crc32'), kind === SIGNED ? undefined : CRC32)
    }
  })

  test(`${kind}: any flipped byte is found`, async () => {
    const { body, ...rest } = encodeUpload(kind)
    for (let at = 0; at < body.length; at += 7) {
      const flipped = Buffer.from(body)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      await assert.rejects(read({ body: flipped, ...rest }, 1000), ServiceError, `byte ${at}`)
    }
  })

  test(`${kind}: a body that ends early is refused`, async () => {
    const { body, ...rest } = encodeUpload(kind)
    for (const end of [0, 1, 50, 300, body.length - 30]) await assert.rejects(read({ body: body.subarray(0, end), ...rest }), ServiceError)
    await assert.rejects(read({ body: Buffer.concat([body, Buffer.from('x')]), ...rest }), refuses('InvalidRequest'))
  })
}

test('the declared length is held', async () => {
  await assert.rejects(read(encodeUpload(UNSIGNED_TRAILER, { decoded: CONTENT.length + 1 })), refuses('IncompleteBody'))
  await assert.rejects(read(encodeUpload(UNSIGNED_TRAILER, { decoded: CONTENT.length - 1 })), refuses('IncompleteBody'))
})

test('a checksum behind the body is held', async () => {
  await assert.rejects(read(encodeUpload(SIGNED_TRAILER, { checksum: base64Crc(Buffer.from('x')) })), refuses('BadDigest'))
  await assert.rejects(read(encodeUpload(UNSIGNED_TRAILER, { checksum: 'abc' })), refuses('InvalidRequest'))
})

test('chunks that another request signed do not pass', async () => {
  const { body, headers } = encodeUpload(SIGNED)
  await assert.rejects(
    read({ body, headers, signature: signUpload({ 'x-amz-meta-a': '1', 'x-amz-content-sha256': SIGNED }) }),
    refuses('SignatureDoesNotMatch'),
  )
})

test('checksums and hashes in front of a plain body are held', async () => {
  const sha256 = createHash('sha256').update(CONTENT).digest('hex')
  const md5 = createHash('md5').update(CONTENT).digest('base64')
  const length = String(CONTENT.length)
  const plain = async (headers: Record<string, string>) => {
    const { stream } = openPayload(inPieces(CONTENT, 64), headers, undefined)
    let bytes = 0
    for await (const chunk of stream) bytes += chunk.length
    return bytes
  }
  assert.equal(
    await plain({ 'content-length': length, 'x-amz-content-sha256': sha256, 'content-md5': md5, 'x-amz-checksum-crc32': CRC32 }),
    CONTENT.length,
  )
  await assert.rejects(
    plain({ 'x-amz-content-sha256': sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }),
    refuses('XAmzContentSHA256Mismatch'),
  )
  await assert.rejects(plain({ 'content-md5': createHash('md5').digest('base64') }), refuses('BadDigest'))
  await assert.rejects(plain({ 'content-md5': 'abc' }), refuses('InvalidDigest'))
  await assert.rejects(plain({ 'x-amz-checksum-crc32': base64Crc(Buffer.from('x')) }), refuses('BadDigest'))
  await assert.rejects(plain({ 'content-length': String(CONTENT.length + 1) }), refuses('IncompleteBody'))
  await assert.rejects(plain({ 'x-amz-trailer': 'x-amz-checksum-unknown' }), refuses('InvalidRequest'))
})

test('signed chunks need a signature, and chunks a length', () => {
  const { body, headers, signature } = encodeUpload(SIGNED)
  const { 'x-amz-decoded-content-length': _, ...without } = headers
  assert.throws(() => openPayload(inPieces(body, 10), without, signature), refuses('MissingContentLength'))
  return assert.rejects(read({ body, headers, signature: undefined as unknown as Signature }), refuses('SignatureDoesNotMatch'))
})
