// What a request claims: who signed it, when, for which service and with which headers, from the Authorization header or a presigned query.
// Nothing is checked here but the form.
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'
import { incomplete, presignedParameters, type SignatureStyle, styleOf, unsupportedMechanism } from './errors.ts'
import { headerText, queryForm, type SignedRequest } from './signed-request.ts'

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

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const HEX_64 = /^[0-9a-f]{64}$/
const BASIC_TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** The claim of a request; undefined when it is not signed, a ServiceError when the claim cannot be read. */
export function readClaim(request: SignedRequest): Claim | ServiceError | undefined {
  const authorization = headerText(request.headers.authorization)
  if (authorization !== undefined) return readHeader(request, authorization)
  // Version 2, which old clients still presign with unless they are told otherwise.
  if (/(?:^|&)AWSAccessKeyId=/.test(request.query) && /(?:^|&)Signature=/.test(request.query)) return unsupportedMechanism('s3')
  if (!request.query.includes('X-Amz-')) return undefined
  return readPresigned(request)
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
    const date = headerText(headers['x-amz-date']) ?? headerText(headers.date)
    const at = date === undefined || !HEX_64.test(signature) ? undefined : readTime(date)
    const sessionToken = headerText(headers['x-amz-security-token'])
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
  const date = headerText(headers['x-amz-date']) ?? headerText(headers.date)
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
    sessionToken: headerText(headers['x-amz-security-token']),
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
