// The payload of an S3 upload as the service gets it: unpacked from aws-chunked, held against its declared length, hash and checksums.
// All of it is checked only when the stream ends, by an error; whoever stores the bytes MUST discard what a failed stream gave.
import { createHash } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { CHECKSUMS, type Checksum } from '../base/checksums.ts'
import { ServiceError } from '../model/service-error.ts'
import { decodeChunked } from './aws-chunked.ts'
import { readBase64 } from './codecs/values.ts'
import { invalidSignature, mismatch, payloadMismatch } from './sigv4/errors.ts'
import { scopeOf } from './sigv4/claim.ts'
import { type Signature, STREAMING_PAYLOADS } from './sigv4/signature.ts'

export interface Payload {
  readonly stream: AsyncIterable<Uint8Array>
  /** The number of bytes that the stream will give, where the client said it. */
  readonly bytes: number | undefined
  /** Headers that came behind the body (x-amz-checksum-*), once the stream has ended. */
  readonly trailers: () => ReadonlyMap<string, string>
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Throws a ServiceError when the headers contradict each other. `signature` MUST have been verified before the stream is read. */
export function openPayload(source: AsyncIterable<Uint8Array>, headers: Headers, signature: Signature | undefined): Payload {
  const claimed = text(headers, 'x-amz-content-sha256')
  const isChunked = claimed !== undefined && STREAMING_PAYLOADS.has(claimed)
  const declared = text(headers, isChunked ? 'x-amz-decoded-content-length' : 'content-length')
  if (isChunked && declared === undefined) {
    throw new ServiceError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.')
  }
  const bytes = declared === undefined ? undefined : readLength(declared)
  const expectations = expectationsOf(headers, claimed)
  let trailers: ReadonlyMap<string, string> = new Map()
  const trailerNames = (text(headers, 'x-amz-trailer') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  for (const name of trailerNames) expectations.push(trailerExpectation(name, () => trailers.get(name)))

  const plain = (): AsyncIterable<Uint8Array> => {
    if (!isChunked) return source
    return decodeChunked(source, {
      signing: claimed.startsWith('STREAMING-AWS4') ? signingOf(signature) : undefined,
      hasTrailers: claimed.endsWith('-TRAILER'),
      onTrailers: (found) => (trailers = found),
    })
  }
  return { stream: checked(plain, bytes, expectations), bytes, trailers: () => trailers }
}

/** Holds a body that was collected to what its headers say of it, its hash apart, which belongs to the signature. Throws a ServiceError. */
export function checkCollected(body: Buffer, headers: Headers): void {
  for (const { checksum, check } of expectationsOf(headers, undefined)) {
    checksum.update(body)
    check(checksum.digest())
  }
}

interface Expectation {
  readonly checksum: Checksum
  /** Throws when the digest is not what was expected. */
  readonly check: (digest: Buffer) => void
}

async function* checked(
  open: () => AsyncIterable<Uint8Array>,
  expectedBytes: number | undefined,
  expectations: readonly Expectation[],
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of open()) {
    bytes += chunk.length
    if (expectedBytes !== undefined && bytes > expectedBytes) throw wrongLength()
    for (const { checksum } of expectations) checksum.update(chunk)
    yield chunk
  }
  if (expectedBytes !== undefined && bytes !== expectedBytes) throw wrongLength()
  for (const { checksum, check } of expectations) check(checksum.digest())
}

function expectationsOf(headers: Headers, claimed: string | undefined): Expectation[] {
  const expectations: Expectation[] = []
  if (claimed !== undefined && /^[0-9a-f]{64}$/.test(claimed)) {
    const hash = createHash('sha256')
    expectations.push({
      checksum: { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() },
      check(digest) {
        if (digest.toString('hex') !== claimed) throw payloadMismatch(claimed, digest.toString('hex'))
      },
    })
  }
  const md5 = text(headers, 'content-md5')
  if (md5 !== undefined) {
    const expected = readBase64(md5)
    if (expected?.length !== 16)
      throw new ServiceError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', { details: { 'Content-MD5': md5 } })
    expectations.push({
      checksum: create('md5'),
      check(digest) {
        if (!digest.equals(expected))
          throw new ServiceError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
      },
    })
  }
  for (const name of Object.keys(headers)) {
    const value = isChecksumName(name) ? text(headers, name) : undefined
    if (value !== undefined) expectations.push(trailerExpectation(name, () => value))
  }
  return expectations
}

const CHECKSUM_PREFIX = 'x-amz-checksum-'
const NOT_CHECKSUMS = ['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']

function isChecksumName(name: string): boolean {
  return name.startsWith(CHECKSUM_PREFIX) && !NOT_CHECKSUMS.includes(name)
}

function trailerExpectation(name: string, expected: () => string | undefined): Expectation {
  const algorithm = name.slice(CHECKSUM_PREFIX.length)
  if (!isChecksumName(name) || CHECKSUMS[algorithm] === undefined) {
    throw new ServiceError(
      'InvalidRequest',
      400,
      `The value specified in the x-amz-trailer header is not supported: ${name}. Use one of ${Object.keys(CHECKSUMS).join(', ')}.`,
    )
  }
  return {
    checksum: create(algorithm),
    check(digest) {
      const value = expected()
      const given = value === undefined ? undefined : readBase64(value)
      if (given?.length !== digest.length) throw new ServiceError('InvalidRequest', 400, `Value for ${name} header is invalid.`)
      if (!given.equals(digest))
        throw new ServiceError('BadDigest', 400, `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`)
    },
  }
}

function create(algorithm: string): Checksum {
  const make = CHECKSUMS[algorithm]
  assert(make !== undefined, `a checksum ${algorithm}`)
  return make()
}

function signingOf(signature: Signature | undefined) {
  if (signature === undefined) throw invalidSignature('A body of signed chunks needs a signed request.')
  const key = signature.signingKey
  assert(key !== undefined, 'a signature that was verified before its chunks')
  const { claim } = signature
  return {
    key,
    signedTime: claim.signedTime,
    scope: scopeOf(claim),
    seed: claim.signature,
    mismatch: (stringToSign: string, given: string) => mismatch('s3', { accessKeyId: claim.accessKeyId, stringToSign, signature: given }),
  }
}

function readLength(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new ServiceError('InvalidArgument', 400, 'The length of the body is not a number.')
  return Number(value)
}

function wrongLength(): ServiceError {
  return new ServiceError('IncompleteBody', 400, 'You did not provide the number of bytes specified by the Content-Length HTTP header')
}

function text(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(',') : value
}
