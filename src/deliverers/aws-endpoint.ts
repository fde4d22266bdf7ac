// Calls of other AWS services, and of what speaks like them, that deliver a message: signed, marked as ours, and the answer as the outcome
// of an attempt. What the credentials lack comes again, so that nothing is lost until they are mended.
import { hash } from 'node:crypto'
import type { DeliveryTools, Outcome } from '../engine/deliverer.ts'
import type { OutboundResponse } from '../engine/outbound.ts'
import type { AwsEndpoint } from '../engine/providers.ts'
import { signRequest } from '../engine/request-signature.ts'
import { LOOP_DETECTED, SENDER_HEADER } from '../model/outside-bucket.ts'
import { providerFailure, retryAfter } from './answers.ts'

/** A POST. */
export interface AwsQuestion {
  /** As signatures name it. */
  readonly service: 'firehose' | 'lambda' | 'sqs'
  readonly region: string
  /** Percent-encoded, with its query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer with a status of 2xx. */
export interface AwsAnswer extends OutboundResponse {
  readonly kind: 'answered'
  /** Its characters are harmless; undefined when the answer has none. */
  readonly requestId: string | undefined
}

export type AwsFailure = Exclude<Outcome, { readonly kind: 'delivered' }>

const ANSWER_BYTES_MAX = 64 * 1024

/** `{"operation": "AmazonSQS.SendMessage", ...}` by the protocols awsJson 1.0 and 1.1. */
export function jsonHeaders(version: '1.0' | '1.1', target: string): Readonly<Record<string, string>> {
  return { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target }
}

export async function askAws(
  { outbound, now }: Pick<DeliveryTools, 'outbound' | 'now'>,
  endpoint: AwsEndpoint,
  { service, region, path, headers, body }: AwsQuestion,
): Promise<AwsAnswer | AwsFailure> {
  const url = `${endpoint.url.replaceAll('{region}', region)}${path}`
  const marked = outbound.mark === undefined ? headers : { ...headers, [SENDER_HEADER]: outbound.mark }
  const unsigned = { method: 'POST', url, headers: marked, bodySha256: hash('sha256', body, 'hex') }
  try {
    const answer = await outbound.request({
      ...{ method: 'POST', url, body, maxResponseBytes: ANSWER_BYTES_MAX },
      headers: signRequest(unsigned, endpoint.key(), { service, region }, now()),
    })
    if (answer.status < 200 || answer.status >= 300) return failureOf(answer, service, now())
    const requestId = answer.headers['x-amzn-requestid']
    return { ...answer, kind: 'answered', requestId: requestId !== undefined && /^[\w-]{1,128}$/.test(requestId) ? requestId : undefined }
  } catch (error) {
    return providerFailure(service, error)
  }
}

/** What is wrong with the request's credentials, by the codes of AWS's services; clocks that disagree among them. */
const OF_CREDENTIALS: ReadonlySet<string> = new Set([
  'AuthFailure',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])
const THROTTLED = /Throttl|SlowDown|TooManyRequests|LimitExceeded|^OverLimit$/
/** A function under change, a request that came too slowly. */
const COMES_AGAIN: ReadonlySet<number> = new Set([408, 409, 425])

function failureOf(answer: OutboundResponse, service: string, now: number): AwsFailure {
  const { status, headers } = answer
  const code = codeOf(answer)
  const reason = `${service} answered ${status}${code === undefined ? '' : ` ${code}`}`
  const pause = retryAfter(headers['retry-after'], now)
  const later = { kind: 'retry', status, ...(pause !== undefined && { retryAfterMs: pause }) } as const
  if (code === LOOP_DETECTED) return { kind: 'refused', status, reason: `${reason}: the endpoint is this very server` }
  if (code !== undefined && OF_CREDENTIALS.has(code)) return { ...later, reason: `${reason}: look at the credentials and the clocks` }
  if (status === 429 || (code !== undefined && THROTTLED.test(code))) return { ...later, reason, isThrottled: true }
  if (status >= 500 || COMES_AGAIN.has(status)) return { ...later, reason }
  return { kind: 'refused', status, reason: status < 400 ? `${reason}; redirects are not followed` : reason }
}

/** The code of an error in the header, in JSON or in XML, without namespace and link. */
function codeOf({ headers, body }: OutboundResponse): string | undefined {
  const given =
    headers['x-amzn-errortype'] ?? /"(?:__type|code)"\s*:\s*"([^"]{1,256})"|<Code>([^<]{1,256})<\/Code>/i.exec(body.toString('utf8'))
  const text = typeof given === 'string' ? given : (given?.[1] ?? given?.[2])
  return /^(?:[^#]*#)?([\w.]{1,128})/.exec(text ?? '')?.[1]
}
