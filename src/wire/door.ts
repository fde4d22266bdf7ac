// The front door: an HTTP request becomes a call, its outcome an HTTP answer in the protocol that the caller speaks. The door finds
// service and operation, decodes, and hands over; who the caller is and what may happen is decided behind `invoke`.
import { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Patience } from '../engine/operation.ts'
import { missingMembers } from '../model/missing-members.ts'
import { LOOP_DETECTED, SENDER_HEADER } from '../model/outside-bucket.ts'
import { ServiceError } from '../model/service-error.ts'
import type { OperationShape, ServiceModel } from '../model/shape.ts'
import type { HttpResponse } from './answer.ts'
import { decodeJson, encodeJson, encodeJsonError } from './codecs/aws-json.ts'
import { decodeOldQuery, decodeQuery, encodeQuery, encodeQueryError, XML_DECLARATION } from './codecs/aws-query.ts'
import { encodePublish, encodePublishBatch } from './codecs/publish.ts'
import { decodeRestJson, encodeRestJson, encodeRestJsonError } from './codecs/rest-json.ts'
import { decodeRest, encodeRest, encodeRestError } from './codecs/rest-xml.ts'
import { sqsCodec } from './codecs/sqs.ts'
import type { Input } from './codecs/values.ts'
import { type HotCall, NOTHING_MISSING, prepareHot } from './hot-calls.ts'
import type { HttpRequest, RequestHead } from './http.ts'
import { pageOf } from './pages.ts'
import { checkCollected, openPayload, type Payload } from './payload.ts'
import type { TlsFacts } from './peer.ts'
import { createRouter, type Route, type Router, type Speech, type Unroutable, type WireServices } from './router.ts'
import { readClaim } from './sigv4/claim.ts'
import { Signature } from './sigv4/signature.ts'

/** A request that was routed to an operation. */
export interface WireCall {
  readonly service: string
  readonly operation: string
  /** Plain object by AWS's member names: blobs Uint8Array, timestamps Date. Empty when `decodeError` is set. */
  readonly input: Readonly<Record<string, unknown>>
  readonly region: string
  readonly requestId: string
  /** Undefined on unsigned calls. */
  readonly signature: Signature | undefined
  readonly sourceIp: string
  readonly userAgent: string
  /** The Host header. */
  readonly host: string
  /** X-Amzn-Trace-Id. */
  readonly traceHeader: string | undefined
  readonly tls: TlsFacts | undefined
  /** Milliseconds since 1970. */
  readonly arrivedAt: number
  /** Of the body as it came; 0 for streams. */
  readonly bodyBytes: number
  readonly patience: Patience | undefined
  /** S3's second id of the request: the same each time it is asked for. */
  readonly hostId: () => string
  /** Required members that are absent, as AWS's framework names them. */
  readonly missing: readonly string[]
  /** The input could not be read: the call is to be refused with this, and recorded. */
  readonly decodeError: ServiceError | undefined
  /** The payload of an upload. MUST NOT be read before the signature was verified. */
  readonly stream: AsyncIterable<Uint8Array> | undefined
  /** Headers behind a streamed payload, once it has ended. */
  readonly trailers: (() => ReadonlyMap<string, string>) | undefined
}

export type WireResult = { readonly output: unknown } | { readonly error: ServiceError }

export interface DoorOptions {
  readonly services: WireServices
  readonly invoke: (call: WireCall) => Promise<WireResult>
  /** Paths of our own: below `/_sealcast/`, and the certificate of notification signatures. */
  readonly internal: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Of calls without a signature. */
  readonly fallbackRegion: string
  /** What requests that this server sent bear (SENDER_HEADER); they are refused. */
  readonly mark?: () => string | undefined
  /** Host names under which buckets may be addressed as `<bucket>.<name>`. */
  readonly hosts?: readonly string[]
}

export interface Door {
  readonly handler: (request: HttpRequest) => Promise<HttpResponse> | HttpResponse
  readonly admit: (head: RequestHead) => 'collect' | 'stream'
  readonly refuse: (head: RequestHead, error: ServiceError) => HttpResponse
}

const DEFAULT_HOSTS = ['localhost']

export function createDoor(options: DoorOptions): Door {
  const router = createRouter({ services: options.services, hosts: options.hosts ?? DEFAULT_HOSTS })
  return {
    handler: (request) => (isInternal(request) ? options.internal(request) : serve(options, router, request)),
    admit: (head) => (head.method === 'PUT' && !isInternal(head) && isUpload(router, head) ? 'stream' : 'collect'),
    refuse(head, error) {
      const claim = readClaim({ ...head, body: undefined })
      const service = claim === undefined || claim instanceof ServiceError ? undefined : claim.service
      return answerError(options, { ...router.speechOf(head, service), error }, head)
    },
  }
}

function isInternal({ path }: RequestHead): boolean {
  return path.startsWith('/_sealcast/') || path.startsWith('/SimpleNotificationService-')
}

function isUpload(router: Router, head: RequestHead): boolean {
  const claim = readClaim({ ...head, body: undefined })
  if (claim instanceof ServiceError) return false
  const route = router.route(head, undefined, claim)
  return 'operation' in route && route.operation.input.memberList.some(({ http, streaming }) => streaming && http?.in === 'payload')
}

function serve(options: DoorOptions, router: Router, request: HttpRequest): Promise<HttpResponse> | HttpResponse {
  const claim = readClaim(request)
  if (claim instanceof ServiceError) return answerError(options, { ...router.speechOf(request, undefined), error: claim }, request)
  if (isOwn(options, request)) return answerError(options, { ...router.speechOf(request, claim?.service), error: loopDetected() }, request)
  const signature = claim === undefined ? undefined : new Signature(request, claim)
  const prepared = prepareHot(options.services, request, claim) ?? prepare(router, request, signature)
  if ('error' in prepared) return answerError(options, prepared, request)
  return call(options, request, signature, prepared)
}

/** Not recorded: the event would be what the next delivery delivers. */
function isOwn({ mark }: DoorOptions, { headers }: RequestHead): boolean {
  const sender = headers[SENDER_HEADER]
  return sender !== undefined && sender === mark?.()
}

function loopDetected(): ServiceError {
  return new ServiceError(LOOP_DETECTED, 508, 'This server has sent the request itself, and takes no delivery of its own')
}

interface Prepared extends HotCall {
  readonly decodeError?: ServiceError
  readonly payload?: Payload
}

function prepare(router: Router, request: HttpRequest, signature: Signature | undefined): Prepared | Unroutable {
  const route = router.route(request, request.body, signature?.claim)
  if ('error' in route) return route
  try {
    const payload = request.stream === undefined ? undefined : openPayload(request.stream, request.headers, signature)
    if (route.speech === 'rest' && request.body !== undefined && request.body.length > 0) checkCollected(request.body, request.headers)
    const input = decode(route, request)
    if (payload !== undefined) describePayload(input, payload)
    return { route, input, missing: missingMembers(route.operation, input), payload }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { route, input: {}, missing: NOTHING_MISSING, decodeError: error }
  }
}

function decode({ speech, operation, form, labels, model }: Route, request: HttpRequest): Input {
  if (speech === 'json') return decodeJson(operation, request.body ?? Buffer.alloc(0))
  if (speech === 'rest' || speech === 'restJson') {
    const decodeBound = speech === 'rest' ? decodeRest : decodeRestJson
    return decodeBound(operation, { labels, query: form, headers: request.headers, body: request.body })
  }
  const input = (model.queryCompatible ? decodeOldQuery : decodeQuery)(operation, form)
  // Older SQS clients name the queue by the URL they post to.
  if (
    model.queryCompatible &&
    operation.input.members.QueueUrl !== undefined &&
    input.QueueUrl === undefined &&
    /^\/[^/]+\/[^/]+$/.test(request.path)
  ) {
    input.QueueUrl = `${request.tls === undefined ? 'http' : 'https'}://${request.headers.host ?? ''}${request.path}`
  }
  return input
}

/** What the headers say of an aws-chunked body is about the wire, not about the object. */
function describePayload(input: Input, { bytes }: Payload): void {
  if (bytes !== undefined) input.ContentLength = bytes
  if (typeof input.ContentEncoding !== 'string') return
  const encodings = input.ContentEncoding.split(',').map((encoding) => encoding.trim())
  const own = encodings.filter((encoding) => encoding !== 'aws-chunked' && encoding !== '')
  if (own.length === 0) delete input.ContentEncoding
  else input.ContentEncoding = own.join(',')
}

async function call(
  options: DoorOptions,
  request: HttpRequest,
  signature: Signature | undefined,
  prepared: Prepared,
): Promise<HttpResponse> {
  const { route, input, missing, decodeError, payload } = prepared
  const { headers } = request
  const identity = identify(options.random, route.speech)
  const result = await options.invoke({
    service: route.service,
    operation: route.operation.name,
    input,
    region: signature?.claim.region ?? options.fallbackRegion,
    requestId: identity.requestId,
    signature,
    sourceIp: request.remoteAddress,
    userAgent: headers['user-agent'] ?? '',
    host: headers.host ?? '',
    traceHeader: textOf(headers['x-amzn-trace-id']),
    tls: request.tls,
    arrivedAt: request.arrivedAt,
    bodyBytes: request.body?.length ?? 0,
    patience: request.patience,
    hostId: identity.hostId,
    missing,
    decodeError,
    stream: payload?.stream,
    trailers: payload?.trailers,
  })
  const page = pageOf(request, { service: route.service, operation: route.operation.name, isSigned: signature !== undefined, result })
  if (page !== undefined) return page
  if ('error' in result)
    return encodeError({ error: result.error, speech: route.speech, service: route.service, model: route.model }, request, identity)
  return encode(route, (result.output ?? {}) as Readonly<Record<string, unknown>>, identity)
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

interface Identity {
  readonly requestId: string
  /** S3's second id. */
  readonly hostId: () => string
}

/** S3's request ids look different from those of other services. */
function identify(random: Random, speech: Speech): Identity {
  const requestId = speech === 'rest' ? random.bytes(8).toString('hex').toUpperCase() : random.uuid()
  let hostId: string | undefined
  return { requestId, hostId: () => (hostId ??= random.bytes(48).toString('base64')) }
}

function answerError(options: DoorOptions, context: ErrorContext, head: RequestHead): HttpResponse {
  return encodeError(context, head, identify(options.random, context.speech))
}

const JSON_TYPES = { awsJson1_0: 'application/x-amz-json-1.0', awsJson1_1: 'application/x-amz-json-1.1' } as const
const REST_JSON_TYPE = 'application/json'
const FAULT_NAMESPACE = 'http://webservices.amazon.com/AWSFault/2005-15-09'

function encode({ speech, operation, model }: Route, output: Readonly<Record<string, unknown>>, identity: Identity): HttpResponse {
  const { requestId } = identity
  if (speech === 'query') {
    return {
      status: 200,
      headers: { 'x-amzn-RequestId': requestId, 'content-type': 'text/xml' },
      body: encodeQueryOutput(model, operation, output, requestId),
    }
  }
  if (speech === 'json') {
    return {
      status: 200,
      headers: { 'x-amzn-RequestId': requestId, 'content-type': jsonType(model) },
      body: encodeJsonOutput(model, operation, output),
    }
  }
  if (speech === 'restJson') {
    return {
      status: operation.http?.code ?? 200,
      headers: { 'x-amzn-RequestId': requestId, 'content-type': REST_JSON_TYPE },
      body: encodeRestJson(operation, output),
    }
  }
  const { status, headers, body } = encodeRest(model, operation, output)
  return { status, headers: { ...restHeaders(identity), ...headers }, body: isIterable(body) ? Readable.from(body) : body }
}

function encodeJsonOutput(model: ServiceModel, operation: OperationShape, output: Readonly<Record<string, unknown>>): string | Readable {
  const codec = model.service === 'sqs' ? sqsCodec(operation.name) : undefined
  if (codec === undefined) return encodeJson(operation, output)
  const pieces = codec.pieces?.(output)
  return pieces === undefined ? codec.encode(output) : Readable.from(pieces)
}

function encodeQueryOutput(
  model: ServiceModel,
  operation: OperationShape,
  output: Readonly<Record<string, unknown>>,
  requestId: string,
): string {
  if (model.service === 'sns' && operation.name === 'Publish') return encodePublish(model.xmlNamespace, output, requestId)
  if (model.service === 'sns' && operation.name === 'PublishBatch') return encodePublishBatch(model.xmlNamespace, output, requestId)
  const body = encodeQuery(model, operation, output, requestId)
  return model.queryCompatible ? XML_DECLARATION + body : body
}

function encodeError({ error, speech, model, service }: ErrorContext, head: RequestHead, identity: Identity): HttpResponse {
  const { requestId } = identity
  if (speech === 'json') {
    const { body, headers } = encodeJsonError(model ?? NO_MODEL, error)
    const type = model === undefined ? askedType(head) : jsonType(model)
    return {
      status: jsonStatus(error),
      headers: { 'x-amzn-RequestId': requestId, 'content-type': type, ...headers, ...error.headers },
      body,
    }
  }
  if (speech === 'restJson') {
    return {
      status: jsonStatus(error),
      headers: { 'x-amzn-RequestId': requestId, 'content-type': REST_JSON_TYPE, 'x-amzn-ErrorType': error.shape, ...error.headers },
      body: encodeRestJsonError(error),
    }
  }
  if (speech === 'query') {
    const namespace = model?.xmlNamespace ?? FAULT_NAMESPACE
    return {
      status: error.status,
      headers: { 'x-amzn-RequestId': requestId, 'content-type': 'text/xml', ...error.headers },
      body:
        model?.queryCompatible === true
          ? XML_DECLARATION + encodeQueryError(namespace, error, requestId, true)
          : encodeQueryError(namespace, error, requestId),
    }
  }
  const ids = restHeaders(identity)
  const resource = head.path.slice(0, 1024)
  const told = service === 's3' ? inTermsOfS3(error) : error
  const bodiless = head.method === 'HEAD' || told.status === 304
  const body = bodiless
    ? ''
    : encodeRestError(told, {
        resource,
        requestId: ids['x-amz-request-id'],
        hostId: ids['x-amz-id-2'],
      })
  return { status: told.status, headers: { ...ids, 'content-type': 'application/xml', ...told.headers }, body }
}

interface ErrorContext {
  readonly error: ServiceError
  readonly speech: Speech
  readonly model: ServiceModel | undefined
  readonly service: string | undefined
}

const NO_MODEL = { errors: {}, queryCompatible: false } as ServiceModel

function askedType({ headers }: RequestHead): string {
  return headers['content-type']?.includes('json-1.0') === true ? JSON_TYPES.awsJson1_0 : JSON_TYPES.awsJson1_1
}

function jsonType({ protocol }: ServiceModel): string {
  return protocol === 'awsJson1_1' ? JSON_TYPES.awsJson1_1 : JSON_TYPES.awsJson1_0
}

/** The JSON protocols answer what concerns the signature with 400, where the query protocol has 403. */
const SIGNATURE_SHAPES: readonly string[] = [
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
]

function jsonStatus({ shape, status }: ServiceError): number {
  return SIGNATURE_SHAPES.includes(shape) ? 400 : status
}

/** S3 has words of its own for what may go wrong before a service is reached. */
function inTermsOfS3(error: ServiceError): ServiceError {
  const { status, details, headers } = error
  switch (error.code) {
    case 'InternalFailure':
      return new ServiceError('InternalError', 500, 'We encountered an internal error. Please try again.', { details, headers })
    case 'InvalidAction':
      return new ServiceError('NotImplemented', 501, error.message, { details, headers })
    case 'RequestEntityTooLarge':
      return new ServiceError('EntityTooLarge', status, 'Your proposed upload exceeds the maximum allowed size', { details, headers })
    default:
      return error
  }
}

function restHeaders({ requestId, hostId }: Identity): { 'x-amz-request-id': string; 'x-amz-id-2': string } {
  return { 'x-amz-request-id': requestId, 'x-amz-id-2': hostId() }
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body && !(body instanceof Readable)
}
