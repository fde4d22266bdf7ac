// Which service and which operation a request is for: by the service of the credential's scope, else by X-Amz-Target, else by Action,
// else by the path as S3 reads it.
import { WIRE } from '../model/limits.ts'
import { ServiceError } from '../model/service-error.ts'
import type { OperationShape, ServiceModel } from '../model/shape.ts'
import { decodePath, EMPTY_FORM, type Form, malformed, parseForm } from './codecs/form.ts'
import type { RequestHead } from './http.ts'
import { invalidSignature } from './sigv4/errors.ts'
import type { Claim } from './sigv4/claim.ts'

export interface WireService {
  readonly model: () => ServiceModel
}
/** By the endpoint's name, which is also the service of the credential scope: sns, sqs, s3. */
export type WireServices = Readonly<Record<string, WireService>>

/** The protocol in which the request is answered. */
export type Speech = 'query' | 'json' | 'rest' | 'restJson'

export interface Route {
  readonly service: string
  readonly model: ServiceModel
  readonly speech: Speech
  readonly operation: OperationShape
  /** The query string's parameters (rest) or those of query string and body together (query). */
  readonly form: Form
  readonly labels: Readonly<Record<string, string>>
}
export interface Unroutable {
  readonly error: ServiceError
  readonly speech: Speech
  /** Known when the request names a service but no operation of it. */
  readonly model: ServiceModel | undefined
  readonly service: string | undefined
}

export interface RouterOptions {
  readonly services: WireServices
  /** Names under which this server is reached; `<bucket>.<name>` is a bucket's own host. */
  readonly hosts: readonly string[]
}

export interface Router {
  route(head: RequestHead, body: Buffer | undefined, claim: Claim | undefined): Route | Unroutable
  /** What the request seems to speak, for errors that come before it is read. */
  speechOf(
    head: RequestHead,
    service: string | undefined,
  ): { readonly speech: Speech; readonly service: string | undefined; readonly model: ServiceModel | undefined }
}

export function createRouter({ services, hosts }: RouterOptions): Router {
  const names = Object.keys(services)
  const modelOf = (service: string | undefined): ServiceModel | undefined =>
    service !== undefined && Object.hasOwn(services, service) ? services[service]?.model() : undefined
  const restService = () => names.find((name) => services[name]?.model().protocol === 'restXml')

  const speechOf: Router['speechOf'] = (head, scope) => {
    if (head.headers['x-amz-target'] !== undefined) {
      const [service] = serviceOfTarget(services, String(head.headers['x-amz-target'])) ?? []
      return { speech: 'json', service: service ?? scope, model: modelOf(service ?? scope) }
    }
    const model = modelOf(scope)
    if (model !== undefined) return { speech: speechOfModel(model), service: scope, model }
    const looksRest = head.method !== 'POST' && !(head.path === '/' && (head.query === '' || /(?:^|&)Action=/.test(head.query)))
    return looksRest ? { speech: 'rest', service: 's3', model: undefined } : { speech: 'query', service: undefined, model: undefined }
  }

  return {
    speechOf,
    route(head, body, claim) {
      const { speech } = speechOf(head, claim?.service)
      const unroutable = (error: ServiceError, service: string | undefined): Unroutable => ({
        error,
        speech,
        service,
        model: modelOf(service),
      })
      const target = head.headers['x-amz-target']
      if (target !== undefined) {
        const found = serviceOfTarget(services, String(target))
        if (found === undefined)
          return unroutable(unknownOperation(`The operation ${String(target).slice(0, 256)} is not known`), claim?.service)
        const [service, name] = found
        if (claim !== undefined && claim.service !== service) return unroutable(wrongScope(service), service)
        const model = modelOf(service)
        const operation = model?.operations[name]
        if (model === undefined || operation === undefined)
          return unroutable(unknownOperation(`The operation ${name.slice(0, 256)} is not known`), service)
        return { service, model, speech, operation, form: EMPTY_FORM, labels: {} }
      }
      if (claim !== undefined) {
        const model = modelOf(claim.service)
        if (model === undefined) return unroutable(unknownService(claim.service, names), undefined)
        if (model.protocol === 'restXml' || model.protocol === 'restJson1') return routeRest(claim.service, model, head)
        if (!isQuery(model) && !model.queryCompatible)
          return unroutable(unknownOperation('The request has no X-Amz-Target header'), claim.service)
        return routeQuery(claim.service, model, head, body)
      }
      if (head.path !== '/' && !/(?:^|&)Action=/.test(head.query) && (body === undefined || body.length === 0 || !isForm(head))) {
        const service = restService()
        const model = modelOf(service)
        if (service !== undefined && model !== undefined) return routeRest(service, model, head)
      }
      return routeAction(head, body)
    },
  }

  function routeAction(head: RequestHead, body: Buffer | undefined): Route | Unroutable {
    const none = (error: ServiceError): Unroutable => ({ error, speech: 'query', service: undefined, model: undefined })
    let form: Form
    try {
      form = formOf(head, body)
    } catch (error) {
      return none(error as ServiceError)
    }
    const action = get(form, 'Action')
    if (action === undefined) {
      return none(
        new ServiceError('MissingAuthenticationToken', 403, 'Request is missing Authentication Token', {
          shape: 'MissingAuthenticationTokenException',
        }),
      )
    }
    const version = get(form, 'Version')
    for (const service of names) {
      const model = modelOf(service)
      if (model === undefined || model.operations[action] === undefined || !(isQuery(model) || model.queryCompatible)) continue
      if (version === undefined || version === model.version) return queryRoute(service, model, form)
    }
    return none(invalidAction(action, version))
  }

  function routeQuery(service: string, model: ServiceModel, head: RequestHead, body: Buffer | undefined): Route | Unroutable {
    try {
      return queryRoute(service, model, formOf(head, body))
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return { error, speech: 'query', service, model }
    }
  }

  function queryRoute(service: string, model: ServiceModel, form: Form): Route | Unroutable {
    const action = get(form, 'Action')
    const version = get(form, 'Version')
    const fail = (error: ServiceError): Unroutable => ({ error, speech: 'query', service, model })
    if (action === undefined) {
      const remedy = 'send it in the query string, or in a body of Content-Type application/x-www-form-urlencoded'
      return fail(new ServiceError('MissingAction', 400, `The request must contain the parameter Action: ${remedy}`))
    }
    const operation = model.operations[action]
    if (operation === undefined || (version !== undefined && version !== model.version)) {
      const other = names.find(
        (name) => name !== service && version !== undefined && modelOf(name)?.version === version && modelOf(name)?.operations[action],
      )
      return fail(other === undefined ? invalidAction(action, version, model) : wrongScope(other))
    }
    return { service, model, speech: 'query', operation, form, labels: {} }
  }

  function routeRest(service: string, model: ServiceModel, head: RequestHead): Route | Unroutable {
    const speech = speechOfModel(model)
    const fail = (error: ServiceError): Unroutable => ({ error, speech, service, model })
    const path = speech === 'rest' ? restPath(head, hosts) : head.path
    let form: Form
    try {
      form = parseForm(Buffer.from(head.query, 'latin1'), { ...WIRE, formParametersMax: WIRE.queryParametersMax })
      const found = matchRest(model, head, path, form)
      if (found === undefined) {
        if (speech === 'restJson') return fail(unknownOperation(`${head.method} ${path.slice(0, 256)} is no operation of ${service}.`))
        return fail(
          new ServiceError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
            details: { Method: head.method },
          }),
        )
      }
      return { service, model, speech, ...found, form }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return fail(new ServiceError('InvalidURI', 400, "Couldn't parse the specified URI."))
    }
  }
}

function speechOfModel(model: ServiceModel): Speech {
  if (model.protocol === 'restXml') return 'rest'
  if (model.protocol === 'restJson1') return 'restJson'
  return isQuery(model) ? 'query' : 'json'
}

function isQuery({ protocol }: ServiceModel): boolean {
  return protocol === 'awsQuery'
}

/** The service and the operation's name, for a target whose prefix some service has. */
function serviceOfTarget(services: WireServices, target: string): [service: string, operation: string] | undefined {
  const dot = target.lastIndexOf('.')
  const prefix = target.slice(0, dot)
  for (const name of Object.keys(services)) {
    if (services[name]?.model().targetPrefixes.includes(prefix)) return [name, target.slice(dot + 1)]
  }
  return undefined
}

function isForm({ headers }: RequestHead): boolean {
  const type = headers['content-type']
  return type === undefined || type.startsWith('application/x-www-form-urlencoded')
}

/** The parameters of the query string and of the body. A name that stands in both is taken once if its values agree. */
function formOf(head: RequestHead, body: Buffer | undefined): Form {
  const fromBody = body !== undefined && body.length > 0 && isForm(head) ? parseForm(body) : EMPTY_FORM
  if (head.query === '') return fromBody
  const fromQuery = parseForm(Buffer.from(head.query, 'latin1'))
  const names = [...fromQuery.names, ...fromBody.names]
  if (names.length > WIRE.formParametersMax) throw malformed(`more than ${WIRE.formParametersMax} parameters`)
  return { names, values: [...fromQuery.values, ...fromBody.values] }
}

function get({ names, values }: Form, name: string): string | undefined {
  return values[names.indexOf(name)]
}

function invalidAction(action: string, version: string | undefined, model?: ServiceModel): ServiceError {
  if (model?.queryCompatible === true)
    return new ServiceError('InvalidAction', 400, `The action ${action.slice(0, 256)} is not valid for this endpoint.`)
  return new ServiceError(
    'InvalidAction',
    400,
    `Could not find operation ${action.slice(0, 256)} for version ${version?.slice(0, 64) ?? 'NO_VERSION_SPECIFIED'}`,
  )
}

function unknownOperation(message: string): ServiceError {
  return new ServiceError('InvalidAction', 400, message, { shape: 'UnknownOperationException' })
}

function unknownService(service: string, known: readonly string[]): ServiceError {
  return new ServiceError('InvalidAction', 400, `This server does not serve '${service.slice(0, 64)}'; it serves ${known.join(', ')}.`, {
    shape: 'UnknownOperationException',
  })
}

function wrongScope(service: string): ServiceError {
  return invalidSignature(`Credential should be scoped to correct service: '${service}'. `)
}

/** The path with the bucket in front, whether it stood in the path or in the Host header. */
function restPath({ path, headers }: RequestHead, hosts: readonly string[]): string {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  for (const name of hosts) {
    const suffix = `.${name}`
    if (!host.endsWith(suffix)) continue
    const label = host.slice(0, -suffix.length)
    // `s3.<host>` and `s3.<region>.<host>` are the endpoint itself; `<bucket>.s3[.<region>].<host>` belongs to a bucket.
    const bucket = label.replace(/(?:^|\.)s3(?:[.-][a-z]{2,}(?:-[a-z]+)+-\d{1,2})?$/, '')
    return bucket === '' ? path : `/${bucket}${path}`
  }
  return path
}

interface RestPattern {
  readonly operation: OperationShape
  readonly segments: readonly { readonly label: boolean; readonly greedy: boolean; readonly text: string }[]
  readonly query: readonly (readonly [name: string, value: string])[]
  readonly requiredQuery: readonly string[]
  readonly requiredHeaders: readonly string[]
  readonly id: string | undefined
}

const patterns = new WeakMap<ServiceModel, ReadonlyMap<string, readonly RestPattern[]>>()

function matchRest(
  model: ServiceModel,
  head: RequestHead,
  path: string,
  form: Form,
): { operation: OperationShape; labels: Record<string, string> } | undefined {
  let byMethod = patterns.get(model)
  if (byMethod === undefined) patterns.set(model, (byMethod = compile(model)))
  let best: { operation: OperationShape; labels: Record<string, string> } | undefined
  let bestScore = -1
  for (const pattern of byMethod.get(head.method) ?? []) {
    const labels = matchPath(pattern, path)
    if (labels === undefined) continue
    const { query, requiredQuery, requiredHeaders, id } = pattern
    if (!query.every(([name, value]) => (value === '' ? form.names.includes(name) : get(form, name) === value))) continue
    if (!requiredQuery.every((name) => form.names.includes(name))) continue
    if (!requiredHeaders.every((name) => head.headers[name] !== undefined)) continue
    const literals = pattern.segments.filter(({ label }) => !label).length
    const score =
      2 * (4 * literals + query.length + requiredQuery.length + requiredHeaders.length) +
      (id !== undefined && get(form, 'x-id') === id ? 1 : 0)
    if (score > bestScore) {
      best = { operation: pattern.operation, labels }
      bestScore = score
    }
  }
  return best
}

function compile(model: ServiceModel): Map<string, RestPattern[]> {
  const byMethod = new Map<string, RestPattern[]>()
  for (const operation of Object.values(model.operations)) {
    if (operation?.http === undefined) continue
    const { method, uri } = operation.http
    const [path = '', search = ''] = uri.split('?')
    const literal =
      search === '' ? [] : search.split('&').map((pair): [string, string] => [pair.split('=')[0] ?? '', pair.split('=')[1] ?? ''])
    // S3 tells operations apart by the parameters they need; elsewhere a path is one operation, and what is missing is said.
    const required = (place: string) =>
      model.protocol !== 'restXml'
        ? []
        : operation.input.memberList.flatMap(({ http, required }) =>
            required && http?.in === place && !literal.some(([name]) => name === http.name) ? [http.name] : [],
          )
    const pattern: RestPattern = {
      operation,
      segments: path
        .split('/')
        .filter((segment) => segment !== '')
        .map((segment) => ({ label: segment.startsWith('{'), greedy: segment.endsWith('+}'), text: segment.replace(/[{}+]/g, '') })),
      query: literal.filter(([name]) => name !== 'x-id'),
      requiredQuery: required('query'),
      requiredHeaders: required('header'),
      id: literal.find(([name]) => name === 'x-id')?.[1],
    }
    const list = byMethod.get(method)
    if (list === undefined) byMethod.set(method, [pattern])
    else list.push(pattern)
  }
  return byMethod
}

/** The labels, percent-decoded, or undefined. A trailing slash behind the last label that is not greedy is ignored. */
function matchPath({ segments }: RestPattern, path: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  let at = 1
  for (const { label, greedy, text } of segments) {
    if (at > path.length) return undefined
    const slash = greedy ? -1 : path.indexOf('/', at)
    const part = path.slice(at, slash === -1 ? path.length : slash)
    if (part === '') return undefined
    if (label) labels[text] = decodePath(part)
    else if (part !== text) return undefined
    at = slash === -1 ? path.length + 1 : slash + 1
  }
  return at >= path.length ? labels : undefined
}
