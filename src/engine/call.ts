// The call pipeline, the one way to an operation: authenticate, authorize, prepare, then in one synchronous step run, tell the event
// and commit; the answer leaves after the commit. What fails is told as well, in a commit of its own.
import type { Log } from '../base/log.ts'
import type { Counter } from '../base/meter.ts'
import { partitionOf } from '../model/arn.ts'
import { type Principal, anonymous } from '../model/principal.ts'
import { ServiceError } from '../model/service-error.ts'
import { JournalFailed, JournalFull } from '../storage/journal.ts'
import type { Audit, Told } from './audit.ts'
import type { Authenticate, CallSignature } from './authenticate.ts'
import type { Authorize } from './authorize.ts'
import type { CallKind, Census } from './census.ts'
import type { Env } from './env.ts'
import { type AnyOperation, type Call, type Patience, type Service, Wait, type WireFacts } from './operation.ts'
import type { Committed, Transaction } from './transaction.ts'

export interface CallRequest {
  readonly service: string
  readonly operation: string
  /** Plain object by AWS's member names, as its codec gave it. */
  readonly input: unknown
  readonly region: string
  readonly requestId: string
  readonly arrivedAt: number
  readonly sourceIp: string
  readonly userAgent: string
  readonly host: string
  /** X-Amzn-Trace-Id. */
  readonly traceHeader?: string | undefined
  readonly tls?: { readonly version: string; readonly cipher: string } | undefined
  /** From the wire. */
  readonly bodyBytes?: number
  readonly patience?: Patience | undefined
  readonly hostId?: () => string
  /** From the wire; absent on unsigned calls. */
  readonly signature?: CallSignature | undefined
  /** Set by callers inside the process instead of a signature (followers, the operator's socket). */
  readonly principal?: Principal
  readonly stream?: AsyncIterable<Uint8Array> | undefined
  /** The input could not be read: the call is refused with this, and told. */
  readonly decodeError?: ServiceError | undefined
  /** Required members that are absent (wire names), as the codec found. */
  readonly missing?: readonly string[] | undefined
  /** A trail's own delivery caused the call. */
  readonly causedByTrail?: string
  /** The resource on whose behalf a service calls (aws:SourceArn); the trail, where a trail caused the call and nothing else is said. */
  readonly sourceArn?: string
  /** The publication of a checkpoint of that tree (its origin) caused the call. */
  readonly causedByTree?: string
}

export type CallResult = { readonly output: unknown } | { readonly error: ServiceError }

export interface CallsOptions {
  readonly env: Env
  readonly services: Readonly<Record<string, Service>>
  readonly authenticate: Authenticate
  readonly authorize: Authorize
  readonly audit: Audit
  readonly census: Census
  readonly calls: Counter
  /** Regions that are served. */
  readonly regions: ReadonlySet<string>
  /** Undefined while calls are accepted, else why not (recovering, read-only, low disk). */
  readonly refusal: () => string | undefined
}

export function createCalls(options: CallsOptions): (request: CallRequest) => Promise<CallResult> {
  const { services, env } = options
  const counts = new Map<AnyOperation | undefined, () => void>()
  return async (request) => {
    const service = services[request.service]
    const operation = service?.operations[request.operation]
    const result =
      service === undefined || operation === undefined
        ? { error: notOffered(request.operation) }
        : await serve(options, service, operation, request).catch((error: unknown) => ({
            error: unexpected(env.log, service, request, error),
          }))
    if ('error' in result) options.calls.add(1, { service: request.service, operation: request.operation, code: result.error.code })
    else countSuccess(options.calls, counts, request, operation)
    return result
  }
}

function countSuccess(
  calls: Counter,
  counts: Map<AnyOperation | undefined, () => void>,
  request: CallRequest,
  operation: AnyOperation | undefined,
): void {
  let count = counts.get(operation)
  if (count === undefined)
    counts.set(operation, (count = calls.labelled({ service: request.service, operation: request.operation, code: 'OK' })))
  count()
}

async function serve(options: CallsOptions, service: Service, operation: AnyOperation, request: CallRequest): Promise<CallResult> {
  const refusal = options.refusal()
  if (refusal !== undefined) {
    options.census.turnedAway()
    return { error: unavailable(refusal) }
  }
  const found = authenticated(options, operation, request)
  if (found instanceof ServiceError) return refuseSignature(options, service, request, found)
  const call = createCall(options, service, request, found)
  const { input } = request
  let isCounted = false
  try {
    if (request.decodeError !== undefined) throw request.decodeError
    if (request.missing !== undefined && request.missing.length > 0 && service.missing !== undefined)
      throw service.missing(request.missing, operation.name)
    options.authorize.check(service, operation, call, input)
    let prepared: unknown = operation.prepare?.(call, input)
    // Hot calls have nothing to wait for: they are decided in the step they came in.
    if (prepared instanceof Promise) prepared = await prepared
    let { result: output, done, events } = decide(options, service, operation, call, input, prepared, request)
    while (output instanceof Wait) {
      await done
      await output.until
      ;({ result: output, done, events } = decide(options, service, operation, call, input, prepared, request))
    }
    isCounted = true
    if (events > 0 || operation.isFirm === undefined || operation.isFirm(output)) await done
    // Who waits for nothing hears of no failure: then the commit never was, and the next call is told.
    else done.catch(() => {})
    return { output: operation.answer === undefined ? output : await operation.answer(output, call, input) }
  } catch (error) {
    const refused = error instanceof ServiceError ? error : unexpected(options.env.log, service, request, error)
    if (error instanceof JournalFailed || error instanceof JournalFull) {
      if (!isCounted) options.census.turnedAway()
      return { error: refused }
    }
    await tellFailure(options, toldOf(service, operation, call, input, request), refused, isCounted)
    return { error: refused }
  }
}

/** Runs the operation and commits its effect with its event. A result that is a Wait is told by nothing: then it is to be run again. */
function decide(
  { env, audit, census }: CallsOptions,
  service: Service,
  operation: AnyOperation,
  call: Call,
  input: unknown,
  prepared: unknown,
  request: CallRequest,
): Committed<unknown> & { readonly events: number } {
  let events = 0
  const committed = env.commits.commit((tx) => {
    const output: unknown = operation.run(tx, input as never, call, prepared)
    if (!(output instanceof Wait)) events = audit.success(tx, toldOf(service, operation, call, input, request), output)
    return output
  })
  if (!(committed.result instanceof Wait)) census.served(kindOf(service, call), events)
  return { ...committed, events }
}

/** `isCounted`: the call was committed, and failed behind its commit. */
async function tellFailure({ env, audit, census }: CallsOptions, told: Told, error: ServiceError, isCounted: boolean): Promise<void> {
  const { result: events, done } = env.commits.commit((tx: Transaction) => audit.failure(tx, told, error))
  if (isCounted) census.further(events)
  else census.served(kindOf(told.service, told.call), events)
  await done
}

function kindOf(service: Service, call: Call): CallKind {
  if (service.own === true) return 'own'
  return call.principal.type === 'anonymous' ? 'unsigned' : 'aws'
}

function authenticated({ authenticate, regions }: CallsOptions, operation: AnyOperation, request: CallRequest): Principal | ServiceError {
  if (request.principal !== undefined) return request.principal
  if (request.signature === undefined && operation.unsigned === true) return anonymous
  // AWS has no endpoint there; here one port serves them all.
  if (!regions.has(request.region))
    return new ServiceError('SignatureDoesNotMatch', 403, `Credential should be scoped to a valid region, not '${request.region}'.`, {
      shape: 'InvalidSignatureException',
    })
  return authenticate(request.service, request.signature)
}

/** A signature that does not hold names nobody: the event is of our own kind, beyond a rate only counted. */
async function refuseSignature(options: CallsOptions, service: Service, request: CallRequest, error: ServiceError): Promise<CallResult> {
  const { env, audit, census } = options
  const isTold = audit.mayTellSignatureFailure(env.clock.now())
  const call = createCall(options, service, request, anonymous)
  const told = isTold
    ? env.commits.commit((tx) => audit.signatureFailure(tx, service, call, request.signature?.accessKeyId, error))
    : undefined
  census.served('refusedSignature', isTold ? 1 : 0)
  await told?.done
  return { error }
}

function toldOf(service: Service, operation: AnyOperation, call: Call, input: unknown, request: CallRequest): Told {
  return { service, operation, call, input, causedByTrail: request.causedByTrail, causedByTree: request.causedByTree }
}

function createCall({ env, authorize }: CallsOptions, service: Service, request: CallRequest, principal: Principal): Call {
  const sourceArn = request.sourceArn ?? request.causedByTrail
  const call: Call = {
    env,
    requestId: request.requestId,
    service: request.service,
    operation: request.operation,
    region: request.region,
    partition: partitionOf(request.region),
    account: principal.account,
    principal,
    arrivedAt: request.arrivedAt,
    sourceIp: request.sourceIp,
    userAgent: request.userAgent,
    host: request.host,
    traceHeader: request.traceHeader,
    tls: request.tls,
    wire: wireFacts(request),
    patience: request.patience,
    stream: request.stream,
    conditions: sourceArn === undefined ? {} : { 'aws:sourcearn': sourceArn },
    causedByTrail: request.causedByTrail,
    require: (action, resource) => authorize.require(service, call, action, resource),
  }
  return call
}

function wireFacts({ hostId, bodyBytes = 0, signature }: CallRequest): WireFacts | undefined {
  return hostId === undefined ? undefined : { hostId, bodyBytes, isPresigned: signature?.isPresigned ?? false }
}

function unexpected(log: Log, service: Service, request: CallRequest, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  if (error instanceof JournalFull) return new ServiceError('ServiceUnavailable', 503, 'Too many calls wait for the disk. Try again.')
  if (error instanceof JournalFailed) return unavailable(error.message)
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  log.error('a call failed unexpectedly', {
    requestId: request.requestId,
    operation: `${request.service}:${request.operation}`,
    error: text,
  })
  return service.internalError()
}

function notOffered(operation: string): ServiceError {
  return new ServiceError('InvalidAction', 400, `The action ${operation} is not valid for this endpoint.`, {
    shape: 'UnknownOperationException',
  })
}

function unavailable(why: string): ServiceError {
  return new ServiceError('ServiceUnavailable', 503, `The service cannot record calls at the moment: ${why}`)
}
