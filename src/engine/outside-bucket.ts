// Writes objects to buckets of another S3. What it answers becomes an error of ours with S3's own code, so that a trail's status can show
// it; what is no answer (refused, reset, too late) is told apart, because it says nothing about the bucket.
import { createHash } from 'node:crypto'
import { LOOP_DETECTED, type OutsideBucket, outsideObjectUrl, outsideSecretContext, SENDER_HEADER } from '../model/outside-bucket.ts'
import { ServiceError } from '../model/service-error.ts'
import type { Env } from './env.ts'
import { OutboundFailed, OutboundRefused } from './outbound-failure.ts'
import type { OutboundResponse } from './outbound.ts'
import { signRequest } from './request-signature.ts'

export interface OutsideObject {
  readonly key: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly content: AsyncIterable<Buffer>
  /** Gives the attempt up. */
  readonly signal?: AbortSignal
}

/** An attempt has this long, and more by its size. */
const ATTEMPT_MS = 30_000
const BYTES_PER_SECOND = 256 * 1024

type Parts = Pick<Env, 'clock' | 'outbound' | 'seal'>

/** Undefined when the object stands there. */
export async function putOutside(
  parts: Parts,
  bucket: OutsideBucket,
  { key, headers, content, signal }: OutsideObject,
): Promise<ServiceError | undefined> {
  const chunks: Buffer[] = []
  const sha256 = createHash('sha256')
  for await (const chunk of content) {
    chunks.push(chunk)
    // Chunk by chunk, so that a large file holds up nobody else.
    sha256.update(chunk)
  }
  const digest = sha256.digest()
  return ask(parts, bucket, {
    method: 'PUT',
    key,
    // Buckets with object lock take nothing without a checksum.
    headers: { ...headers, 'x-amz-checksum-sha256': digest.toString('base64') },
    body: Buffer.concat(chunks),
    bodySha256: digest.toString('hex'),
    signal,
  })
}

/**
 * Whether the bucket is there and knows the key, without writing anything: undefined, or why not. A key that may only write, or only under
 * some prefix, passes.
 */
export async function reachOutside(parts: Parts, bucket: OutsideBucket): Promise<ServiceError | undefined> {
  const body = Buffer.alloc(0)
  const bodySha256 = createHash('sha256').update(body).digest('hex')
  const error = await ask(parts, bucket, { method: 'GET', key: 'AWSLogs/', headers: {}, body, bodySha256, signal: undefined })
  return error?.code === 'NoSuchKey' || error?.code === 'AccessDenied' ? undefined : error
}

interface Question {
  readonly method: 'GET' | 'PUT'
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly bodySha256: string
  readonly signal: AbortSignal | undefined
}

async function ask({ clock, outbound, seal }: Parts, bucket: OutsideBucket, question: Question): Promise<ServiceError | undefined> {
  const { method, key, body, signal } = question
  const headers = outbound.mark === undefined ? question.headers : { ...question.headers, [SENDER_HEADER]: outbound.mark }
  const { accessKeyId, region } = bucket
  const secretAccessKey = seal.open(bucket.sealedSecret, outsideSecretContext(bucket.name))
  const url = outsideObjectUrl(bucket, key)
  try {
    const answer = await outbound.request({
      method,
      url,
      headers: signRequest({ ...question, headers, url }, { accessKeyId, secretAccessKey }, { service: 's3', region }, clock.now()),
      ...(method === 'PUT' && { body }),
      isRepeatable: true,
      timeoutMs: ATTEMPT_MS + Math.ceil((body.length / BYTES_PER_SECOND) * 1000),
      ...(signal !== undefined && { signal }),
    })
    return answer.status >= 200 && answer.status < 300 ? undefined : answeredError(answer, bucket)
  } catch (error) {
    if (error instanceof OutboundRefused || error instanceof OutboundFailed) return unansweredError(error)
    throw error
  }
}

/** Codes of S3 for answers that name none, which proxies and HEAD requests give. */
const CODES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  307: 'TemporaryRedirect',
  400: 'BadRequest',
  403: 'AccessDenied',
  404: 'NoSuchBucket',
  405: 'MethodNotAllowed',
  429: 'SlowDown',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}

function answeredError({ status, headers, body }: OutboundResponse, bucket: OutsideBucket): ServiceError {
  const text = body.toString('utf8')
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] ?? CODES[status] ?? `Http${status}`
  const region = headers['x-amz-bucket-region'] ?? /<Region>([a-z0-9-]{1,32})<\/Region>/.exec(text)?.[1]
  if (code === LOOP_DETECTED)
    return new ServiceError(
      code,
      status,
      `${bucket.endpoint} is this very server, which would log its own deliveries for ever: ${OWN_BUCKETS}`,
    )
  const isElsewhere = region !== undefined && region !== bucket.region
  const where = isElsewhere ? `; the bucket lies in ${region.slice(0, 32)}: connect it again with that region and its endpoint` : ''
  return new ServiceError(code, status, `${bucket.endpoint} answered ${status} ${code}${where}`)
}

const OWN_BUCKETS = 'give a trail a bucket of this server as its S3BucketName, without connecting it'

/** Codes of our own, where no S3 has answered. A time-out's never stands in a trail's status (CloudTrail API, GetTrailStatus). */
export const TIMED_OUT = 'RequestTimeout'
const UNREACHABLE = 'EndpointUnreachable'

function unansweredError(error: OutboundRefused | OutboundFailed): ServiceError {
  if (error instanceof OutboundFailed && error.reason === 'timeout') return new ServiceError(TIMED_OUT, 504, error.message)
  return new ServiceError(UNREACHABLE, 502, error.message)
}
