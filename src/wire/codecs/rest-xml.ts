// The restXml protocol as S3 has it: labels of the path, query, headers and an XML body or a raw payload.
// See smithy.io, "AWS restXml protocol", and the Amazon S3 API Reference, "Error responses".
import type { Readable } from 'node:stream'
import { ServiceError } from '../../model/service-error.ts'
import type { Member, OperationShape, ServiceModel, Shape, StructureShape, TimestampFormat } from '../../model/shape.ts'
import { type Form } from './form.ts'
import { type Input, readBoolean, readNumber, readTimestamp, setKey, writeTimestamp } from './values.ts'
import { escapeXml, parseXml, XmlError } from './xml.ts'
import { readElement, readMembers, writeElement, writeMembers } from './xml-shapes.ts'

export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>

export interface RestRequest {
  readonly labels: Readonly<Record<string, string>>
  readonly query: Form
  readonly headers: HeaderValues
  /** Undefined where the payload is a stream, which the input then lacks. */
  readonly body: Buffer | undefined
}

export interface RestResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | Buffer | Readable
}

const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** Throws MalformedXML, or InvalidArgument for what stands outside the body. */
export function decodeRest({ input: shape }: OperationShape, request: RestRequest): Input {
  const input = readBindings(shape, request)
  const { body } = request
  if (shape.memberList.some(({ http }) => http === undefined) && body !== undefined && body.length > 0)
    Object.assign(
      input,
      xml(body, (root) => readMembers(shape, root)),
    )
  return input
}

/** The members that stand in path, query and headers, or are the payload as a whole. */
export function readBindings(shape: StructureShape, request: RestRequest): Input {
  const input: Input = {}
  for (const member of shape.memberList) {
    const { http, name } = member
    if (http === undefined) continue
    const value = http.in === 'payload' ? readPayload(member, request.body) : readBinding(member, http.in, http.name, request)
    if (value !== undefined) input[name] = value
  }
  return input
}

/** `output` holds a stream, bytes or text where the operation's payload is a blob. */
export function encodeRest(model: ServiceModel, operation: OperationShape, output: Readonly<Record<string, unknown>>): RestResponse {
  const headers: Record<string, string> = {}
  let status = operation.http?.code ?? 200
  let body: RestResponse['body'] | undefined
  let hasBodyMembers = false
  const shape = operation.output
  if (shape === undefined) return { status, headers, body: '' }
  for (const member of shape.memberList) {
    const value = output[member.name]
    const { http } = member
    if (http === undefined) hasBodyMembers = true
    if (value === undefined || value === null || http === undefined) continue
    if (http.in === 'statusCode') status = Number(value)
    else if (http.in === 'header') headers[http.name] = writeHeader(member, value)
    else if (http.in === 'prefixHeaders') {
      for (const [name, text] of Object.entries(value as Input)) headers[(http.name + name).toLowerCase()] = headerText(String(text))
    } else if (http.in === 'payload') body = writePayload(model, member, value, headers)
  }
  if (body === undefined && hasBodyMembers) {
    headers['content-type'] = 'application/xml'
    const namespace = ` xmlns="${model.xmlNamespace}"`
    const root = shape.xmlName ?? shape.name
    const [only] = shape.memberList
    const content = operation.unwrapped && only !== undefined ? escapeXml(String(output[only.name] ?? '')) : writeMembers(shape, output)
    body = `${XML_DECLARATION}<${root}${namespace}${content === '' ? '/>' : `>${content}</${root}>`}`
  }
  // Quirk: no trait of the model says that a part of an object is a 206.
  if (output['ContentRange'] !== undefined && status === 200) status = 206
  return { status, headers, body: body ?? '' }
}

export interface RestErrorContext {
  readonly resource: string
  readonly requestId: string
  readonly hostId: string
}

export function encodeRestError(error: ServiceError, { resource, requestId, hostId }: RestErrorContext): string {
  const details = Object.entries({ ...error.details, Resource: error.details.Resource ?? resource, RequestId: requestId, HostId: hostId })
  return (
    `${XML_DECLARATION}<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
    `${details.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join('')}</Error>`
  )
}

function readBinding(member: Member, place: string, name: string, request: RestRequest): unknown {
  if (place === 'label') return request.labels[name]
  if (place === 'query') return readQuery(member, name, request.query)
  if (place === 'header') {
    const text = headerOf(request.headers, name)
    return text === undefined ? undefined : readBound(member, text, 'http-date')
  }
  if (place !== 'prefixHeaders') return undefined
  const map: Input = {}
  for (const header of Object.keys(request.headers)) {
    const text = header.startsWith(name) ? headerOf(request.headers, header) : undefined
    if (text !== undefined) setKey(map, header.slice(name.length), text)
  }
  return Object.keys(map).length === 0 ? undefined : map
}

function readQuery(member: Member, name: string, { names, values }: Form): unknown {
  if (member.shape.type === 'list') {
    const { shape } = member
    const list = values.filter((_, at) => names[at] === name).map((text) => readScalar(shape.member, text, member, 'date-time'))
    return list.length === 0 ? undefined : list
  }
  const text = values[names.indexOf(name)]
  return text === undefined ? undefined : readBound(member, text, 'date-time')
}

function readBound(member: Member, text: string, format: TimestampFormat): unknown {
  const { shape } = member
  if (shape.type !== 'list') return readScalar(shape, text, member, format)
  return text.split(',').map((part) => readScalar(shape.member, part.trim(), member, format))
}

function readScalar({ type }: Shape, text: string, { http, name, timestampFormat }: Member, format: TimestampFormat): unknown {
  if (type === 'string') return text
  const trimmed = text.trim()
  const value =
    type === 'number'
      ? readNumber(trimmed)
      : type === 'boolean'
        ? readBoolean(trimmed)
        : type === 'timestamp'
          ? readTimestamp(trimmed, timestampFormat ?? format)
          : text
  if (value !== undefined) return value
  // Quirk: Expires is any text to S3, which stores it as it came.
  if (name === 'Expires') return undefined
  throw new ServiceError('InvalidArgument', 400, `Provided ${http?.name ?? name} is not a valid ${type}`, {
    details: { ArgumentName: http?.name ?? name, ArgumentValue: text },
  })
}

function readPayload(member: Member, body: Buffer | undefined): unknown {
  if (body === undefined || member.streaming) return member.streaming ? body : undefined
  if (member.shape.type === 'blob') return body
  if (member.shape.type === 'string') return body.length === 0 ? undefined : body.toString('utf8')
  return body.length === 0 ? undefined : xml(body, (root) => readElement(member.shape, root))
}

function xml<Result>(body: Buffer, read: (root: ReturnType<typeof parseXml>) => Result): Result {
  try {
    return read(parseXml(body))
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new ServiceError('MalformedXML', 400, 'The XML you provided was not well-formed or did not validate against our published schema')
  }
}

/** Node hands header values over as Latin-1; S3 clients send UTF-8. */
function headerOf(headers: HeaderValues, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value.join(',') : (value as string | undefined)
  if (text === undefined || !/[^\0-\x7f]/.test(text)) return text
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}

function headerText(text: string): string {
  const line = text.replace(/[\r\n\0]/g, ' ')
  return /[^\0-\x7f]/.test(line) ? Buffer.from(line, 'utf8').toString('latin1') : line
}

function writeHeader({ shape, timestampFormat }: Member, value: unknown): string {
  if (shape.type === 'timestamp' && value instanceof Date) return writeTimestamp(value, timestampFormat ?? 'http-date')
  return headerText(Array.isArray(value) ? value.join(',') : String(value))
}

function writePayload(model: ServiceModel, member: Member, value: unknown, headers: Record<string, string>): RestResponse['body'] {
  const { shape } = member
  if (shape.type === 'string') return String(value)
  if (shape.type === 'blob' || member.streaming) return value as Buffer | string | Readable
  headers['content-type'] = 'application/xml'
  const isStructure = shape.type === 'structure' || shape.type === 'union'
  const name = member.wireName !== member.name || !isStructure ? member.wireName : (shape.xmlName ?? shape.name)
  return XML_DECLARATION + writeElement(name, shape, value, undefined, ` xmlns="${model.xmlNamespace}"`)
}
