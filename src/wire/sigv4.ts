// Signature Version 4: reads what a request claims (Authorization header or presigned query), rebuilds what it signed, and compares.
// See "Create a signed AWS API request" (IAM User Guide) and "Authenticating Requests" (Amazon S3 API Reference).
// Nothing here knows who owns a key: the engine looks it up and hands the secret to `verify`.
import { hash } from 'node:crypto'
import { WIRE } from '../model/limits.ts'
import { ServiceError } from '../model/service-error.ts'
import { decodePath, EMPTY_FORM, type Form, parseForm } from './codecs/form.ts'
import {
  headersNotSigned,
  incomplete,
  invalidSignature,
  mismatch,
  payloadMismatch,
  presignedExpired,
  presignedParameters,
  type SignatureStyle,
  skewed,
  styleOf,
  unsupportedMechanism,
} from './signature-errors.ts'
import { isSameSignature, sign, type SigningKey, signingKey } from './signing-key.ts'

export interface SignedRequest {
  readonly method: string
  /** As sent: not decoded, without the query. */
  readonly path: string
  readonly query: string
  /** By lower-case names, values as Latin-1, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Undefined where the body is streamed. */
  readonly body: Buffer | undefined
  /** Of the body, in hexadecimal, where it is known already. */
  readonly bodySha256?: string | undefined
}

/** What a request claims before anything is checked. */
export interface Claim {
  readonly accessKeyId: string
  /** The day of the scope, 20260102. */
  readonly date: string
  readonly region: string
  readonly service: string
  /** Lower case, joined by semicolons, as the client gave them. */
  readonly signedHeaders: string
  readonly signedNames: readonly string[]
  readonly signature: string
  readonly isPresigned: boolean
  readonly sessionToken: string | undefined
  /** Only of presigned requests. */
  readonly expiresSeconds: number | undefined
  readonly signedAt: number
  /** The time as the client wrote it, 20260102T030405Z. */
  readonly signedTime: string
}

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'
export const STREAMING_PAYLOADS: ReadonlySet<string> = new Set([
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
])
const ALGORITHM = 'AWS4-HMAC-SHA256'
const HEX_64 = /^[0-9a-f]{64}$/
const BASIC_TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** The claim of a request; undefined when it is not signed, a ServiceError when the claim cannot be read. */
export function readClaim(request: SignedRequest): Claim | ServiceError | undefined {
  const authorization = text(request.headers.authorization)
  if (authorization !== undefined) return readHeader(request, authorization)
  if (!request.query.includes('X-Amz-')) return undefined
  return readPresigned(request)
}

/** A claim with the request it stands in. Cheap until it is verified. */
export class Signature {
  readonly claim: Claim
  readonly accessKeyId: string
  readonly #request: SignedRequest
  readonly #style: SignatureStyle
  #payloadHash: string | undefined
  #canonicalRequest: string | undefined
  #stringToSign: string | undefined
  #signingKey: SigningKey | undefined

  constructor(request: SignedRequest, claim: Claim) {
    this.claim = claim
    this.accessKeyId = claim.accessKeyId
    this.#request = request
    this.#style = styleOf(claim.service)
  }

  get expiresAt(): number | undefined {
    const { signedAt, expiresSeconds } = this.claim
    return expiresSeconds === undefined ? undefined : signedAt + expiresSeconds * 1000
  }

  get payloadHash(): string {
    return (this.#payloadHash ??= payloadHashOf(this.#request, this.claim, this.#style))
  }

  get canonicalRequest(): string {
    return (this.#canonicalRequest ??= canonicalRequest(this.#request, this.claim, this.#style, this.payloadHash))
  }

  get stringToSign(): string {
    const { claim } = this
    return (this.#stringToSign ??= `${ALGORITHM}\n${claim.signedTime}\n${scopeOf(claim)}\n${latin1Hash(this.canonicalRequest)}`)
  }

  /** Undefined when the signature holds for this secret at this time (ms since 1970), else the refusal in the service's form. */
  verify(secretAccessKey: string, now: number): ServiceError | undefined {
    const { claim } = this
    const problem =
      timeProblem(this, this.#style, now) ??
      headerProblem(this.#request, claim, this.#style) ??
      payloadProblem(this.#request, claim, this.#style)
    if (problem !== undefined) return problem
    const key = signingKey(secretAccessKey, claim)
    if (!isSameSignature(sign(key, this.stringToSign), claim.signature)) {
      return mismatch(this.#style, { accessKeyId: claim.accessKeyId, stringToSign: this.stringToSign, signature: claim.signature })
    }
    this.#signingKey = key
    return undefined
  }

  /** The key that `verify` found good, for the chunks of a streamed body; undefined before. */
  get signingKey(): SigningKey | undefined {
    return this.#signingKey
  }
}

export function scopeOf({ date, region, service }: Claim): string {
  return `${date}/${region}/${service}/aws4_request`
}

const SIGNATURE = ' Signature='
const SIGNATURE_CHARS = 64
const OPENINGS_KEPT_MAX = 1000
/**
 * What stands before the signature, which clients put last, is the same in all requests of a client on one day: it is taken apart once.
 * Only openings of requests that could be read are kept.
 */
const openings = new Map<string, Opening>()

interface Opening extends Scope {
  readonly signedHeaders: string
  readonly signedNames: readonly string[]
}

function readHeader(request: SignedRequest, authorization: string): Claim | ServiceError {
  const { headers } = request
  const end = authorization.length - SIGNATURE_CHARS
  const isUsual = authorization.endsWith(SIGNATURE, end)
  const known = isUsual ? openings.get(authorization.slice(0, end)) : undefined
  if (known !== undefined) {
    const signature = authorization.slice(end)
    const date = text(headers['x-amz-date']) ?? text(headers.date)
    const at = date === undefined || !HEX_64.test(signature) ? undefined : readTime(date)
    const sessionToken = text(headers['x-amz-security-token'])
    if (at !== undefined) return claimFrom(known, known, at, { signature, isPresigned: false, sessionToken })
  }
  const claim = readAnyHeader(request, authorization)
  if (isUsual && !(claim instanceof ServiceError) && claim.signature === authorization.slice(end)) {
    if (openings.size >= OPENINGS_KEPT_MAX) openings.clear()
    const { accessKeyId, date, region, service, signedHeaders, signedNames } = claim
    openings.set(authorization.slice(0, end), { accessKeyId, date, region, service, signedHeaders, signedNames })
  }
  return claim
}

function readAnyHeader(request: SignedRequest, authorization: string): Claim | ServiceError {
  const { headers } = request
  const looksLikeS3 = authorization.includes('/s3/aws4_request') || headers['x-amz-content-sha256'] !== undefined
  const style: SignatureStyle = looksLikeS3 && headers['x-amz-target'] === undefined ? 's3' : 'aws'
  if (!authorization.startsWith(ALGORITHM)) {
    if (/^AWS[\d ]/.test(authorization)) return unsupportedMechanism(style)
    return style === 's3'
      ? new ServiceError('InvalidArgument', 400, 'Unsupported Authorization Type')
      : incomplete(style, missingParts(true, true, true, false))
  }
  const credential = part(authorization, 'Credential=')
  const signature = part(authorization, 'Signature=')
  const signedHeaders = part(authorization, 'SignedHeaders=')
  const date = text(headers['x-amz-date']) ?? text(headers.date)
  if (credential === undefined || signature === undefined || signedHeaders === undefined || date === undefined) {
    return incomplete(
      style,
      missingParts(credential === undefined, signature === undefined, signedHeaders === undefined, date === undefined),
    )
  }
  return claimOf(style, {
    credential,
    signature,
    signedHeaders,
    date,
    isPresigned: false,
    sessionToken: text(headers['x-amz-security-token']),
  })
}

function readPresigned(request: SignedRequest): Claim | ServiceError | undefined {
  const form = queryForm(request.query)
  const get = (name: string) => form.values[form.names.indexOf(name)]
  const algorithm = get('X-Amz-Algorithm')
  const credential = get('X-Amz-Credential')
  const signature = get('X-Amz-Signature')
  const signedHeaders = get('X-Amz-SignedHeaders')
  const date = get('X-Amz-Date')
  const expires = get('X-Amz-Expires')
  if ([algorithm, credential, signature].every((value) => value === undefined)) return undefined
  const style = styleOf(credential?.split('/')[3] ?? '')
  if (algorithm !== undefined && algorithm !== ALGORITHM) return unsupportedMechanism(style)
  if (
    algorithm === undefined ||
    credential === undefined ||
    signature === undefined ||
    signedHeaders === undefined ||
    date === undefined ||
    (style === 's3' && expires === undefined)
  ) {
    return presignedParameters(
      style,
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, ' +
        'X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (expires !== undefined && !/^\d{1,9}$/.test(expires)) return presignedParameters(style, 'X-Amz-Expires should be a number')
  const expiresSeconds = expires === undefined ? undefined : Number(expires)
  if (expiresSeconds !== undefined && expiresSeconds > WIRE.presignedSecondsMax) {
    const reason = 'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than'
    return presignedParameters(style, `${reason} ${WIRE.presignedSecondsMax} seconds`)
  }
  const sessionToken = get('X-Amz-Security-Token')
  return claimOf(style, { credential, signature, signedHeaders, date, isPresigned: true, sessionToken, expiresSeconds })
}

interface ClaimParts {
  readonly credential: string
  readonly signature: string
  readonly signedHeaders: string
  readonly date: string
  readonly isPresigned: boolean
  readonly sessionToken: string | undefined
  readonly expiresSeconds?: number | undefined
}

function claimOf(style: SignatureStyle, parts: ClaimParts): Claim | ServiceError {
  const { credential, signature, signedHeaders, isPresigned, sessionToken, expiresSeconds } = parts
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/')
  if (!accessKeyId || !date || !region || !service || terminator === undefined || rest.length > 0) {
    return incomplete(style, 'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term')
  }
  if (terminator !== 'aws4_request') return incomplete(style, "Credential should be scoped with a valid terminator: 'aws4_request'.")
  if (signedHeaders.length > WIRE.signedHeadersBytesMax) return incomplete(style, "The 'SignedHeaders' parameter is too long.")
  if (!HEX_64.test(signature)) return incomplete(style, "The 'Signature' parameter must be 64 lower-case hexadecimal digits.")
  const at = readTime(parts.date)
  if (at === undefined) {
    return incomplete(
      style,
      `Date must be in ISO-8601 'basic format'. Got '${parts.date.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  const signed = { signedHeaders, signedNames: signedHeaders.split(';') }
  return claimFrom({ accessKeyId, date, region, service }, signed, at, { signature, isPresigned, sessionToken, expiresSeconds })
}

interface Scope {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
}

function claimFrom(
  { accessKeyId, date, region, service }: Scope,
  { signedHeaders, signedNames }: Pick<Claim, 'signedHeaders' | 'signedNames'>,
  at: SignedTime,
  { signature, isPresigned, sessionToken, expiresSeconds }: Omit<ClaimParts, 'credential' | 'signedHeaders' | 'date'>,
): Claim {
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders,
    signedNames,
    signature,
    isPresigned,
    sessionToken,
    expiresSeconds,
    signedAt: at.time,
    signedTime: at.basic,
  }
}

interface SignedTime {
  readonly time: number
  readonly basic: string
}
/** Requests come many to the second. */
let lastTime: { readonly text: string; readonly read: SignedTime | undefined } = { text: '', read: undefined }

function readTime(value: string): SignedTime | undefined {
  if (lastTime.text !== value) lastTime = { text: value, read: parseTime(value) }
  return lastTime.read
}

function parseTime(value: string): SignedTime | undefined {
  const found = BASIC_TIME.exec(value)
  if (found !== null) {
    const [, year, month, day, hour, minute, second] = found
    const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
    return Number.isNaN(time) ? undefined : { time, basic: value }
  }
  const time = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : { time, basic: `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z` }
}

function missingParts(credential: boolean, signature: boolean, signedHeaders: boolean, date: boolean): string {
  const reasons: string[] = []
  if (credential) reasons.push("Authorization header requires 'Credential' parameter.")
  if (signature) reasons.push("Authorization header requires 'Signature' parameter.")
  if (signedHeaders) reasons.push("Authorization header requires 'SignedHeaders' parameter.")
  if (date) reasons.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  return reasons.join(' ')
}

/** `name` up to the next comma or the end. */
function part(authorization: string, name: string): string | undefined {
  let start = authorization.indexOf(name)
  // `SignedHeaders=` ends in no other name, but `Signature=` must not be found inside a longer word.
  while (start > 0 && !/[ ,]/.test(authorization.charAt(start - 1))) start = authorization.indexOf(name, start + 1)
  if (start === -1) return undefined
  const end = authorization.indexOf(',', start)
  return authorization.slice(start + name.length, end === -1 ? undefined : end).trim()
}

function timeProblem({ claim, expiresAt }: Signature, style: SignatureStyle, now: number): ServiceError | undefined {
  const { signedAt, signedTime, date, isPresigned } = claim
  const day = signedTime.slice(0, 8)
  if (day !== date) {
    const reason =
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
      `'${date.slice(0, 32)}' != '${day}', from '${signedTime}'.`
    return style === 's3' ? incomplete(style, reason) : invalidSignature(reason)
  }
  if (!isPresigned || expiresAt === undefined) return skewed(style, signedAt, now, WIRE.signatureSkewMs)
  if (now > expiresAt) return presignedExpired(style, signedAt, expiresAt, now)
  if (signedAt <= now + WIRE.signatureSkewMs) return undefined
  return style === 's3'
    ? new ServiceError('AccessDenied', 403, 'Request is not valid yet')
    : skewed(style, signedAt, now, WIRE.signatureSkewMs)
}

/** `host` and every x-amz-* header that was sent must be signed: an unsigned one could have been added on the way. */
function headerProblem({ headers }: SignedRequest, claim: Claim, style: SignatureStyle): ServiceError | undefined {
  const { signedNames: signed, isPresigned } = claim
  if (!signed.includes('host')) {
    return style === 's3'
      ? headersNotSigned(style, ['host'])
      : invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  let unsigned: string[] | undefined
  for (const name in headers) {
    if (!name.startsWith('x-amz-') || signed.includes(name)) continue
    // Quirk: S3's presigned URLs leave the payload's hash unsigned, and clients send the header all the same.
    if (isPresigned && name === 'x-amz-content-sha256') continue
    unsigned ??= []
    unsigned.push(name)
  }
  return unsigned === undefined ? undefined : headersNotSigned(style, unsigned)
}

function payloadHashOf(request: SignedRequest, { isPresigned }: Claim, style: SignatureStyle): string {
  if (style !== 's3') return request.body === undefined ? UNSIGNED_PAYLOAD : (request.bodySha256 ?? hash('sha256', request.body, 'hex'))
  const claimed = text(request.headers['x-amz-content-sha256'])
  if (!isPresigned) return claimed ?? ''
  const form = queryForm(request.query)
  return form.values[form.names.indexOf('X-Amz-Content-Sha256')] ?? claimed ?? UNSIGNED_PAYLOAD
}

function payloadProblem(request: SignedRequest, { isPresigned }: Claim, style: SignatureStyle): ServiceError | undefined {
  if (style !== 's3') return undefined
  const claimed = text(request.headers['x-amz-content-sha256'])
  if (claimed === undefined) {
    return isPresigned
      ? undefined
      : new ServiceError('InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256')
  }
  if (claimed === UNSIGNED_PAYLOAD || STREAMING_PAYLOADS.has(claimed)) return undefined
  if (!HEX_64.test(claimed)) {
    return new ServiceError(
      'InvalidArgument',
      400,
      `x-amz-content-sha256 must be ${UNSIGNED_PAYLOAD}, ${[...STREAMING_PAYLOADS].join(', ')}, or a valid sha256 value.`,
      { details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: claimed.slice(0, 128) } },
    )
  }
  if (request.body === undefined) return undefined
  const computed = request.bodySha256 ?? hash('sha256', request.body, 'hex')
  return computed === claimed ? undefined : payloadMismatch(claimed, computed)
}

function canonicalRequest(request: SignedRequest, claim: Claim, style: SignatureStyle, payloadHash: string): string {
  const { method, path, query, headers } = request
  let lines = `${method}\n${path === '/' ? path : canonicalPath(path, style)}\n${query === '' ? '' : canonicalQuery(query)}\n`
  for (const name of claim.signedNames) {
    const value = headers[name]
    lines += name + ':' + (value === undefined ? '' : tidy(typeof value === 'string' ? value : value.join(','))) + '\n'
  }
  return `${lines}\n${claim.signedHeaders}\n${payloadHash}`
}

function tidy(value: string): string {
  return value.includes('  ') || value.includes('\t') ? value.replace(/[ \t]+/g, ' ').trim() : value
}

/** S3 signs the path once encoded and as it is; the others normalise it and encode it a second time. */
function canonicalPath(path: string, style: SignatureStyle): string {
  if (path === '') return '/'
  // Decoded and encoded again: clients need not send a path as escaped as they signed it.
  if (style === 's3')
    return path
      .split('/')
      .map((segment) => encode(decodeOr(segment)))
      .join('/')
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(encode(segment))
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  const { names, values } = queryForm(query)
  const pairs: string[] = []
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as string
    if (name !== 'X-Amz-Signature') pairs.push(`${encode(name)}=${encode(values[at] as string)}`)
  }
  // '=' sorts after '-', '.' and digits, so that a name that begins another must be compared apart from its value.
  return pairs
    .map((pair) => pair.replace('=', '\0'))
    .sort()
    .join('&')
    .replaceAll('\0', '=')
}

/** RFC 3986: everything but letters, digits and -._~ */
function encode(value: string): string {
  if (/^[\w.~-]*$/.test(value)) return value
  return encodeURIComponent(value.isWellFormed() ? value : value.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function decodeOr(path: string): string {
  try {
    return decodePath(path)
  } catch {
    return path
  }
}

/** A query that cannot be read signs nothing; who reads it for its meaning says what is wrong with it. */
function queryForm(query: string): Form {
  try {
    return parseForm(Buffer.from(query, 'latin1'))
  } catch {
    return EMPTY_FORM
  }
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(',') : value
}

const SCRATCH_BYTES = 16 * 1024
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

/** Header values came as Latin-1, so that their bytes are hashed as they were sent. */
function latin1Hash(value: string): string {
  if (value.length > SCRATCH_BYTES) return hash('sha256', Buffer.from(value, 'latin1'), 'hex')
  return hash('sha256', scratch.subarray(0, scratch.write(value, 0, 'latin1')), 'hex')
}
