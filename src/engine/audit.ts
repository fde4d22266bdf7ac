// The audit projection: each call as an event in CloudTrail's record format (spec: CloudTrail user guide, "CloudTrail record contents"),
// serialised once. Names, order and redaction follow what AWS writes; the operation's declaration says what is special.
import { jsonObject, jsonText } from '../base/json-text.ts'
import type { Random } from '../base/random.ts'
import { utcSecond } from '../base/utc-text.ts'
import { EventClass, EventFlag } from '../model/entry.ts'
import type { Principal } from '../model/principal.ts'
import type { ServiceError } from '../model/service-error.ts'
import type { Member, ServiceModel, Shape } from '../model/shape.ts'
import type { AnyOperation, Call, EventResource, Service } from './operation.ts'
import type { Transaction } from './transaction.ts'

export const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
const EVENT_VERSION = '1.11'
const TEXT_CHARS_MAX = 1024
const PARAMETERS_CHARS_MAX = 100 * 1024
const ADDITIONAL_CHARS_MAX = 28 * 1024
/** Stored signature failures in a minute; what comes beyond is counted. */
const SIGNATURE_FAILURES_PER_MINUTE = 600

export interface Told {
  readonly service: Service
  readonly operation: AnyOperation
  readonly call: Call
  readonly input: unknown
  readonly causedByTrail: string | undefined
  readonly causedByTree: string | undefined
}

export interface Audit {
  /** How many events it told. */
  success(tx: Transaction, told: Told, output: unknown): number
  /** How many events it told. */
  failure(tx: Transaction, told: Told, error: ServiceError): number
  mayTellSignatureFailure(now: number): boolean
  signatureFailure(tx: Transaction, service: Service, call: Call, accessKeyId: string | undefined, error: ServiceError): void
  /** Signature failures that were counted and not stored. */
  readonly uncounted: () => number
}

/** Which data events of services other than SNS some trail asks for. */
export interface DataEventFilter {
  /** Whether any of that service's may be asked for: cheap, and asked before the event is built. */
  wants(eventSource: string): boolean
  takes(json: string): boolean
}

export function createAudit(parts: { readonly random: Random; readonly selected: DataEventFilter }): Audit {
  const { random, selected } = parts
  let minute = 0
  let inMinute = 0
  let unstored = 0

  const tell = (tx: Transaction, told: Told, describe: () => Outcome): number => {
    const { service, operation, call } = told
    const isOptional = operation.data === true && service.recordsDataEvents === 'when-selected'
    if (isOptional && !selected.wants(service.eventSource)) return 0
    const outcome = describe()
    const owners = othersIn(outcome.resources, call.account)
    const shared = owners.size > 0 && call.account !== '' ? random.uuid() : undefined
    const isOwn = service.own === true || call.principal.type === 'anonymous'
    const flags =
      (operation.data === true ? EventFlag.data : 0) |
      (told.causedByTrail === undefined && told.causedByTree === undefined ? 0 : EventFlag.caused)
    let events = 0
    const write = (account: string): void => {
      const json = eventJson(told, outcome, { eventId: random.uuid(), account, shared, now: tx.now })
      if (isOptional && !selected.takes(json)) return
      tx.event({ class: isOwn ? EventClass.own : EventClass.aws, flags, arrivedAt: call.arrivedAt, json })
      events++
    }
    if (call.account !== '') write(call.account)
    for (const owner of owners) write(owner)
    if (call.account === '' && owners.size === 0) write('')
    return events
  }

  return {
    success(tx, told, output) {
      const { operation, call, input, service } = told
      const response = (): Outcome['response'] =>
        operation.access === 'read' || output === undefined
          ? null
          : operation.record?.response !== undefined
            ? operation.record.response(output as never, input as never)
            : projectOutput(service.model(), operation.name, output)
      return tell(tx, told, () => ({
        parameters: parametersOf(told),
        response: response(),
        resources: operation.record?.resources?.(input as never, call) ?? [],
        additional: additionalOf(told, operation.record?.additional?.(output as never, input as never, call)),
        error: undefined,
      }))
    },
    failure(tx, told, error) {
      // On a denial by policy CloudTrail keeps the parameters to itself, but says on what.
      const isDenied = error.recordedCode === 'AccessDenied'
      return tell(tx, told, () => ({
        parameters: isDenied ? null : failedParameters(told),
        response: null,
        resources: failedResources(told),
        additional: additionalOf(told, undefined),
        error,
      }))
    },
    mayTellSignatureFailure(now) {
      const current = Math.floor(now / 60_000)
      if (current !== minute) {
        minute = current
        inMinute = 0
      }
      inMinute++
      if (inMinute <= SIGNATURE_FAILURES_PER_MINUTE) return true
      unstored++
      return false
    },
    signatureFailure(tx, service, call, accessKeyId, error) {
      const head = {
        eventVersion: EVENT_VERSION,
        userIdentity: { type: 'Unknown', principalId: '', ...(accessKeyId !== undefined && { accessKeyId: cut(accessKeyId, 128) }) },
        eventTime: utcSecond(tx.now),
        eventSource: service.eventSource,
        eventName: call.operation,
        awsRegion: call.region,
        sourceIPAddress: call.sourceIp,
        userAgent: cut(call.userAgent, TEXT_CHARS_MAX),
        errorCode: error.recordedCode,
        errorMessage: SIGNATURE_TEXTS[error.code] ?? cut(error.message, TEXT_CHARS_MAX),
        requestParameters: null,
        responseElements: null,
        requestID: call.requestId,
        eventID: random.uuid(),
        eventType: 'SealcastSignatureFailure',
        eventCategory: 'Sealcast',
      }
      tx.event({ class: EventClass.own, flags: 0, arrivedAt: call.arrivedAt, json: JSON.stringify(head) })
    },
    uncounted: () => unstored,
  }
}

/** A mismatch's full text quotes the canonical request, and with it parameters; the record says only what happened. */
const SIGNATURE_TEXTS: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: 'The request signature does not match the signature calculated for this key.',
}

const NOBODY: ReadonlySet<string> = new Set()

/** Accounts that own a resource and did not call. */
function othersIn(resources: readonly EventResource[], caller: string): ReadonlySet<string> {
  let owners: Set<string> | undefined
  for (const { account } of resources) if (account !== undefined && account !== caller) (owners ??= new Set()).add(account)
  return owners ?? NOBODY
}

interface Outcome {
  readonly parameters: Readonly<Record<string, unknown>> | null
  readonly response: Readonly<Record<string, unknown>> | null
  readonly resources: readonly EventResource[]
  readonly additional: Readonly<Record<string, unknown>> | undefined
  readonly error: ServiceError | undefined
}

interface Copy {
  readonly eventId: string
  /** recipientAccountId: whose trail gets this copy. */
  readonly account: string
  readonly shared: string | undefined
  readonly now: number
}

function eventJson({ service, operation, call, causedByTrail, causedByTree }: Told, outcome: Outcome, copy: Copy): string {
  const { error, resources } = outcome
  const isForeign = copy.account !== call.account
  // Whom a resource belongs to is not for a stranger who was refused to know.
  const ownerShown = (account: string): string =>
    error?.recordedCode === 'AccessDenied' && !isForeign && account !== call.account ? HIDDEN : account
  let json =
    `{"eventVersion":"${EVENT_VERSION}","userIdentity":${identityJson(call.principal, isForeign)},"eventTime":"${utcSecond(copy.now)}"` +
    `,"eventSource":"${service.eventSource}","eventName":"${operation.eventName ?? operation.name}","awsRegion":"${call.region}"` +
    `,"sourceIPAddress":${jsonText(call.principal.service ?? call.sourceIp)},"userAgent":${quoteAgent(call.userAgent)}`
  if (error !== undefined)
    json += `,"errorCode":${JSON.stringify(error.recordedCode)},"errorMessage":${jsonText(cut(error.recordedMessage, TEXT_CHARS_MAX))}`
  json += `,"requestParameters":${bounded(outcome.parameters, PARAMETERS_CHARS_MAX)}`
  json += `,"responseElements":${bounded(outcome.response, PARAMETERS_CHARS_MAX)}`
  const additional =
    causedByTrail === undefined && causedByTree === undefined
      ? outcome.additional
      : {
          ...outcome.additional,
          ...(causedByTrail !== undefined && { causedByTrail }),
          ...(causedByTree !== undefined && { causedByTree }),
        }
  if (additional !== undefined) json += `,"additionalEventData":${bounded(additional, ADDITIONAL_CHARS_MAX)}`
  json += `,"requestID":"${call.requestId}","eventID":"${copy.eventId}","readOnly":${operation.access === 'read'}`
  if (resources.length > 0)
    json += `,"resources":[${resources.map((resource) => resourceJson(resource, ownerShown(resource.account ?? call.account))).join(',')}]`
  json += `,"eventType":"AwsApiCall","managementEvent":${operation.data !== true},"recipientAccountId":"${copy.account}"`
  if (copy.shared !== undefined) json += `,"sharedEventID":"${copy.shared}"`
  json += `,"eventCategory":"${operation.data === true ? 'Data' : 'Management'}"`
  if (call.tls !== undefined)
    json +=
      `,"tlsDetails":{"tlsVersion":"${call.tls.version}","cipherSuite":"${call.tls.cipher}",` +
      `"clientProvidedHostHeader":${JSON.stringify(call.host)}}`
  return `${json}}`
}

function resourceJson({ type, arn }: EventResource, accountId: string): string {
  return `{"accountId":"${accountId}","type":"${type}","ARN":${jsonText(arn)}}`
}

const identities = new WeakMap<Principal, string>()

function identityJson(principal: Principal, isForeign: boolean): string {
  if (isForeign)
    return JSON.stringify({
      type: 'AWSAccount',
      principalId: principal.principalId,
      ...(principal.account && { accountId: principal.account }),
    })
  const known = identities.get(principal)
  if (known !== undefined) return known
  const json = JSON.stringify(identityOf(principal))
  identities.set(principal, json)
  return json
}

function identityOf(principal: Principal): Readonly<Record<string, unknown>> {
  const { principalId, arn, account: accountId, accessKeyId, userName } = principal
  switch (principal.type) {
    case 'service':
      return { type: 'AWSService', invokedBy: principal.service }
    case 'anonymous':
      return { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' }
    case 'operator':
      return { type: 'SealcastOperator', principalId, accountId, userName }
    case 'root':
      return { type: 'Root', principalId, arn, accountId, accessKeyId }
    case 'user':
      return { type: 'IAMUser', principalId, arn, accountId, accessKeyId, userName }
    case 'role-session':
      return { type: 'AssumedRole', principalId, arn, accountId, accessKeyId }
  }
}

function bounded(value: Readonly<Record<string, unknown>> | null | undefined, charsMax: number): string {
  if (value === null || value === undefined) return 'null'
  const json = jsonObject(value)
  return json.length > charsMax ? 'null' : json
}

const AGENTS_KEPT_MAX = 1000
const agents = new Map<string, string>()

/** A server meets few user agents, each again and again. */
function quoteAgent(agent: string): string {
  let quoted = agents.get(agent)
  if (quoted !== undefined) return quoted
  quoted = JSON.stringify(cut(agent, TEXT_CHARS_MAX))
  if (agents.size >= AGENTS_KEPT_MAX) agents.clear()
  agents.set(agent, quoted)
  return quoted
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : text.slice(0, charsMax)
}

function parametersOf({ service, operation, call, input }: Told): Readonly<Record<string, unknown>> | null {
  const own = operation.record?.parameters
  if (own !== undefined) return own(input as never, call)
  return projectInput(service.model(), operation, input)
}

function additionalOf({ service, call, input }: Told, own: Outcome['additional']): Outcome['additional'] {
  const common = service.additional?.(input as never, call)
  return common === undefined ? own : { ...common, ...own }
}

/** An input that was refused may have any form; what cannot be projected is left out. */
function failedParameters(told: Told): Readonly<Record<string, unknown>> | null {
  try {
    return parametersOf(told)
  } catch {
    return null
  }
}

function failedResources({ operation, call, input }: Told): readonly EventResource[] {
  try {
    return operation.record?.resources?.(input as never, call) ?? []
  } catch {
    return []
  }
}

function projectInput(model: ServiceModel, operation: AnyOperation, input: unknown): Readonly<Record<string, unknown>> | null {
  const shape = model.operations[operation.name]?.input
  if (shape === undefined || typeof input !== 'object' || input === null) return null
  const projected = projectMembers(shape.memberList, input, operation.record?.hidden ?? NOTHING_HIDDEN)
  return Object.keys(projected).length > 0 ? projected : null
}

function projectOutput(model: ServiceModel, operation: string, output: unknown): Readonly<Record<string, unknown>> | null {
  const shape = model.operations[operation]?.output
  if (shape === undefined || typeof output !== 'object' || output === null || Object.keys(output).length === 0) return null
  return projectMembers(shape.memberList, output, NOTHING_HIDDEN)
}

const NOTHING_HIDDEN: Readonly<Record<string, string>> = {}

/** A structure's members in lower-camel; sensitive ones and blobs hidden, streams left out. */
function projectMembers(members: readonly Member[], value: object, hidden: Readonly<Record<string, string>>): Record<string, unknown> {
  const projected: Record<string, unknown> = {}
  for (const { name, shape, sensitive, streaming } of members) {
    const given = (value as Record<string, unknown>)[name]
    if (given === undefined || streaming) continue
    projected[lowerCamel(name)] = hidden[name] ?? (sensitive ? HIDDEN : project(shape, given, hidden))
  }
  return projected
}

/** A value by its shape. Map keys stay as they are. */
function project(shape: Shape, value: unknown, hidden: Readonly<Record<string, string>>): unknown {
  if (typeof value !== 'object' || value === null) return value
  switch (shape.type) {
    case 'structure':
    case 'union':
      return projectMembers(shape.memberList, value, hidden)
    case 'list':
      return Array.isArray(value) ? value.map((item) => project(shape.member, item, hidden)) : value
    case 'map':
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, project(shape.value, item, hidden)]))
    case 'blob':
      return HIDDEN
    default:
      return value
  }
}

export function lowerCamel(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1)
}
