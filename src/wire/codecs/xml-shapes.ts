// Values by their shapes to and from XML, as awsQuery and restXml share it.
import type { ListShape, MapShape, Member, Shape, StructureShape, TimestampFormat } from '../../model/shape.ts'
import { type Input, readBase64, readBoolean, readNumber, readTimestamp, setKey, writeBase64, writeTimestamp } from './values.ts'
import { escapeXml, XmlError, type XmlNode } from './xml.ts'

/** The elements of a structure's members that are not bound to another place of the HTTP message. */
export function writeMembers(shape: StructureShape, value: Readonly<Record<string, unknown>>): string {
  let xml = ''
  for (const member of shape.memberList) {
    const inner = value[member.name]
    if (inner !== undefined && inner !== null && !member.xmlAttribute && member.http === undefined) xml += writeMember(member, inner)
  }
  return xml
}

export function writeElement(name: string, shape: Shape, value: unknown, format?: TimestampFormat, attributes = ''): string {
  const content = writeContent(shape, value, format)
  const open = attributes + (isStructure(shape) ? writeAttributes(shape, value as Input) : '')
  return content === '' ? `<${name}${open}/>` : `<${name}${open}>${content}</${name}>`
}

function writeMember({ shape, wireName, flattened, timestampFormat, xmlNamespace }: Member, value: unknown): string {
  if (flattened && shape.type === 'list') {
    return (value as readonly unknown[]).map((element) => writeElement(wireName, shape.member, element)).join('')
  }
  if (flattened && shape.type === 'map') {
    return Object.entries(value as Input)
      .map(([key, element]) => `<${wireName}>${writeEntry(shape, key, element)}</${wireName}>`)
      .join('')
  }
  const attributes =
    xmlNamespace === undefined ? '' : ` xmlns${xmlNamespace[0] === '' ? '' : `:${xmlNamespace[0]}`}="${escapeXml(xmlNamespace[1])}"`
  return writeElement(wireName, shape, value, timestampFormat, attributes)
}

function writeContent(shape: Shape, value: unknown, format: TimestampFormat = 'date-time'): string {
  switch (shape.type) {
    case 'string':
    case 'document':
      return escapeXml(String(value))
    case 'boolean':
    case 'number':
      return String(value)
    case 'blob':
      return writeBase64(value)
    case 'timestamp':
      return writeTimestamp(value as Date, format)
    case 'list':
      return (value as readonly unknown[]).map((element) => writeElement(shape.memberName, shape.member, element)).join('')
    case 'map':
      return Object.entries(value as Input)
        .map(([key, element]) => `<entry>${writeEntry(shape, key, element)}</entry>`)
        .join('')
    default:
      return writeMembers(shape, value as Input)
  }
}

function writeEntry(shape: MapShape, key: string, value: unknown): string {
  return `<${shape.keyName}>${escapeXml(key)}</${shape.keyName}>${writeElement(shape.valueName, shape.value, value)}`
}

function writeAttributes(shape: StructureShape, value: Readonly<Record<string, unknown>>): string {
  let attributes = ''
  for (const member of shape.memberList) {
    const inner = member.xmlAttribute ? value[member.name] : undefined
    if (inner !== undefined && inner !== null) attributes += ` ${member.wireName}="${escapeXml(String(inner))}"`
  }
  return attributes
}

/** Reads an element's members by their shapes. Unknown elements are ignored. Throws XmlError on a value of a wrong type. */
export function readMembers(shape: StructureShape, node: XmlNode): Input {
  const value: Input = {}
  const byName = Map.groupBy(node.children, ({ name }) => name)
  for (const member of shape.memberList) {
    if (member.xmlAttribute) {
      const text = node.attributes.get(member.wireName)
      if (text !== undefined) value[member.name] = text
      continue
    }
    const nodes = member.http === undefined ? byName.get(member.wireName) : undefined
    if (nodes !== undefined) value[member.name] = readMember(member, nodes)
  }
  return value
}

function readMember({ shape, flattened, timestampFormat, wireName }: Member, nodes: readonly XmlNode[]): unknown {
  if (flattened && shape.type === 'list') return nodes.map((node) => readElement(shape.member, node))
  if (flattened && shape.type === 'map') return readEntries(shape, nodes)
  const [node] = nodes
  if (node === undefined || nodes.length > 1) throw new XmlError(`${wireName} more than once`)
  return readElement(shape, node, timestampFormat)
}

export function readElement(shape: Shape, node: XmlNode, format: TimestampFormat = 'date-time'): unknown {
  if (shape.type === 'list') return readList(shape, node)
  if (shape.type === 'map') {
    return readEntries(
      shape,
      node.children.filter(({ name }) => name === 'entry'),
    )
  }
  if (isStructure(shape)) return readMembers(shape, node)
  if (node.children.length > 0) throw new XmlError(`${node.name} may not hold elements`)
  const value = readText(shape.type, node.text, format)
  if (value === undefined) throw new XmlError(`${node.name} is not of type ${shape.type}`)
  return value
}

function readList(shape: ListShape, node: XmlNode): unknown[] {
  return node.children.filter(({ name }) => name === shape.memberName).map((element) => readElement(shape.member, element))
}

function readEntries(shape: MapShape, nodes: readonly XmlNode[]): Input {
  const map: Input = {}
  for (const { children, name } of nodes) {
    const key = children.find((child) => child.name === shape.keyName)
    const value = children.find((child) => child.name === shape.valueName)
    if (key === undefined || value === undefined) throw new XmlError(`${name} without key or value`)
    setKey(map, key.text, readElement(shape.value, value))
  }
  return map
}

function readText(
  type: 'string' | 'document' | 'boolean' | 'number' | 'blob' | 'timestamp',
  text: string,
  format: TimestampFormat,
): unknown {
  if (type === 'string' || type === 'document') return text
  const trimmed = text.trim()
  if (type === 'number') return readNumber(trimmed)
  if (type === 'boolean') return readBoolean(trimmed)
  return type === 'blob' ? readBase64(trimmed) : readTimestamp(trimmed, format)
}

function isStructure(shape: Shape): shape is StructureShape {
  return shape.type === 'structure' || shape.type === 'union'
}
