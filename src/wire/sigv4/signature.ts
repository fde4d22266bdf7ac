// Signature Version 4: rebuilds what a request claims to have signed, and compares.
// See "Create a signed AWS API request" (IAM User Guide) and "Authenticating Requests" (Amazon S3 API Reference).
// Nothing here knows who owns a key: the engine looks it up and hands the secret to `verify`.
import { hash } from 'node:crypto'
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'
import { canonicalRequest } from './canonical-request.ts'
import { ALGORITHM, type Claim, HEX_64, scopeOf } from './claim.ts'
import {
  headersNotSigned,
  incomplete,
  invalidSignature,
  mismatch,
  payloadMismatch,
  presignedExpired,
  type SignatureStyle,
  skewed,
  styleOf,
} from './errors.ts'
import { headerText, queryForm, type SignedRequest } from './signed-request.ts'
import { isSameSignature, sign, type SigningKey, signingKey } from '../../model/signing-key.ts'

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'
export const STREAMING_PAYLOADS: ReadonlySet<string> = new Set([
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
])

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

  get isPresigned(): boolean {
    return this.claim.isPresigned
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
  const claimed = headerText(request.headers['x-amz-content-sha256'])
  if (!isPresigned) return claimed ?? ''
  const form = queryForm(request.query)
  return form.values[form.names.indexOf('X-Amz-Content-Sha256')] ?? claimed ?? UNSIGNED_PAYLOAD
}

function payloadProblem(request: SignedRequest, { isPresigned }: Claim, style: SignatureStyle): ServiceError | undefined {
  if (style !== 's3') return undefined
  const claimed = headerText(request.headers['x-amz-content-sha256'])
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

const SCRATCH_BYTES = 16 * 1024
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

/** Header values came as Latin-1, so that their bytes are hashed as they were sent. */
function latin1Hash(value: string): string {
  if (value.length > SCRATCH_BYTES) return hash('sha256', Buffer.from(value, 'latin1'), 'hex')
  return hash('sha256', scratch.subarray(0, scratch.write(value, 0, 'latin1')), 'hex')
}
