// The awsQuery protocol: a form in, XML out. SNS and STS speak it, and SQS with its older clients.
//   Tags.member.1.Key   Attributes.entry.1.key   Attribute.1.Name (flattened)   see smithy.io, "AWS Query protocol"
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'
import type { ListShape, MapShape, OperationShape, ServiceModel, Shape, SimpleType, StructureShape } from '../../model/shape.ts'
import { type Form, malformed } from './form.ts'
import { type Input, readBase64, readBoolean, readNumber, readTimestamp, setKey } from './values.ts'
import { escapeXml } from './xml.ts'
import { writeMembers } from './xml-shapes.ts'

/** A parameter's name split at its dots, as a tree. */
interface Node {
  value?: string
  children?: Map<string, Node>
}

/** The operation's input. Throws MalformedInput or MalformedQueryString. Parameters that the operation does not know are ignored. */
export function decodeQuery({ input }: OperationShape, { names, values }: Form): Input {
  const root: Node = { children: new Map() }
  for (let at = 0; at < names.length; at++) insert(root, names[at] as string, values[at] as string)
  return readStructure(input, root, false)
}

/**
 * The same for a service whose oldest clients leave the number out where a list has one element: AttributeName=All,
 * Attribute.Name=DelaySeconds.
 */
export function decodeOldQuery(operation: OperationShape, { names, values }: Form): Input {
  const flattened = operation.input.memberList.filter((member) => member.flattened).map((member) => member.wireName)
  const numbered = names.map((name) => {
    const dot = name.indexOf('.')
    const first = dot === -1 ? name : name.slice(0, dot)
    if (!flattened.includes(first) || /^\.\d/.test(name.slice(first.length))) return name
    return `${first}.1${name.slice(first.length)}`
  })
  return decodeQuery(operation, { names: numbered, values })
}

/** `<PublishResponse><PublishResult>...`; an operation without output has no Result element. */
export function encodeQuery(
  model: ServiceModel,
  { name, output }: OperationShape,
  value: Readonly<Record<string, unknown>>,
  requestId: string,
): string {
  return wrapResult(model.xmlNamespace, name, output === undefined ? undefined : writeMembers(output, value), requestId)
}

export function wrapResult(xmlNamespace: string, operation: string, members: string | undefined, requestId: string): string {
  const result =
    members === undefined ? '' : members === '' ? `<${operation}Result/>` : `<${operation}Result>${members}</${operation}Result>`
  return (
    `<${operation}Response xmlns="${xmlNamespace}">${result}` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`
  )
}

/** The oldest form, which SQS still has: a declaration, and an error's empty detail. */
export const XML_DECLARATION = '<?xml version="1.0"?>'

/** `hasDetail`: an element for details stands there even when there are none. */
export function encodeQueryError(xmlNamespace: string, error: ServiceError, requestId: string, hasDetail = false): string {
  const details = Object.entries(error.details).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
  return (
    `<ErrorResponse xmlns="${xmlNamespace}"><Error><Type>${error.fault}</Type><Code>${escapeXml(error.code)}</Code>` +
    `<Message>${escapeXml(error.message)}</Message>${details.join('')}${hasDetail ? '<Detail/>' : ''}</Error>` +
    `<RequestId>${requestId}</RequestId></ErrorResponse>`
  )
}

export function malformedInput(what: string): ServiceError {
  return new ServiceError('MalformedInput', 400, what)
}

function insert(root: Node, name: string, value: string): void {
  let node = root
  let start = 0
  for (let depth = 1; ; depth++) {
    if (depth > WIRE.formDepthMax) throw malformed(`a parameter name of more than ${WIRE.formDepthMax} parts`)
    const dot = name.indexOf('.', start)
    const part = dot === -1 ? name.slice(start) : name.slice(start, dot)
    node.children ??= new Map()
    let child = node.children.get(part)
    if (child === undefined) node.children.set(part, (child = {}))
    node = child
    if (dot === -1) break
    start = dot + 1
  }
  if (node.value !== undefined && node.value !== value) throw malformed(`the parameter ${name} stands there twice`)
  node.value = value
}

function readShape(shape: Shape, node: Node, flattened: boolean, path: string): unknown {
  if (shape.type === 'list') return readList(shape, node, flattened, path)
  if (shape.type === 'map') return readMap(shape, node, flattened, path)
  if (shape.type === 'structure' || shape.type === 'union') return readStructure(shape, node, true)
  if (node.children !== undefined || node.value === undefined) throw malformedInput('Start of structure or map found where not expected.')
  return readSimple(shape.type, node.value, path)
}

export function readSimple(type: SimpleType, text: string, path: string): unknown {
  if (type === 'string' || type === 'document') return text
  const value =
    type === 'boolean'
      ? readBoolean(text)
      : type === 'number'
        ? readNumber(text)
        : type === 'blob'
          ? readBase64(text)
          : readTimestamp(text, 'date-time')
  if (value === undefined) throw malformedInput(`The value of ${path} is not a valid ${type === 'blob' ? 'base64 text' : type}`)
  return value
}

function readStructure(shape: StructureShape, { value, children }: Node, isNested: boolean): Input {
  if (isNested && value !== undefined && value !== '') throw malformedInput('Unexpected complex element termination')
  const input: Input = {}
  if (children === undefined) return input
  for (const member of shape.memberList) {
    const child = children.get(member.wireName)
    if (child !== undefined) input[member.name] = readShape(member.shape, child, member.flattened, member.wireName)
  }
  return input
}

function readList(shape: ListShape, node: Node, flattened: boolean, path: string): unknown[] {
  return elements(node, flattened ? undefined : shape.memberName).map((element) => readShape(shape.member, element, false, path))
}

function readMap(shape: MapShape, node: Node, flattened: boolean, path: string): Input {
  const map: Input = {}
  for (const { children } of elements(node, flattened ? undefined : 'entry')) {
    const key = children?.get(shape.keyName)?.value
    if (key === undefined) throw malformedInput(`${path} has an entry without ${shape.keyName}`)
    const value = children?.get(shape.valueName)
    if (value !== undefined) setKey(map, key, readShape(shape.value, value, false, key))
    else if (shape.value.type === 'structure' || shape.value.type === 'union') setKey(map, key, {})
  }
  return map
}

const INDEX = /^[1-9]\d{0,8}$/

/** The numbered children in the order of their numbers; gaps close up. An empty value without children is an empty collection. */
function elements(node: Node, name: string | undefined): Node[] {
  if (node.value !== undefined && node.value !== '') throw malformedInput('Unexpected list element termination')
  const numbered = (name === undefined ? node : node.children?.get(name))?.children
  if (numbered === undefined) return []
  const list: { at: number; node: Node }[] = []
  for (const [index, element] of numbered) {
    if (!INDEX.test(index)) throw malformedInput(`Expected a list index from 1, found ${index.slice(0, 32)}`)
    list.push({ at: Number(index), node: element })
  }
  return list.sort((a, b) => a.at - b.at).map(({ node }) => node)
}
