// XML as the AWS protocols use it: a writer of escaped text and a strict, small reader. The reader knows elements, attributes, text,
// CDATA, comments and the five predefined entities plus character references; a DOCTYPE or any other entity is refused.
import { isUtf8 } from 'node:buffer'
import { WIRE } from '../../model/limits.ts'

export interface XmlNode {
  /** Without its prefix; namespaces are not checked, as AWS's services do not. */
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlNode[]
  /** The text directly inside, all pieces joined. */
  readonly text: string
}

export interface XmlLimits {
  readonly xmlDepthMax: number
  readonly xmlNodesMax: number
  readonly xmlAttributesMax: number
}

export class XmlError extends Error {
  override readonly name = 'XmlError'
}

const SPECIAL = /[&<>"\0-\x08\x0b-\x1f]/
const SPECIALS = /[&<>"\0-\x08\x0b-\x1f]/g
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Quirk: control characters, which XML 1.0 cannot hold, go out as character references, as SQS sends them. */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text
  return text.replace(SPECIALS, (character) => ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`)
}

/** Parses a whole document and returns its root. Throws XmlError. */
export function parseXml(bytes: Buffer, limits: XmlLimits = WIRE): XmlNode {
  if (!isUtf8(bytes)) throw new XmlError('not UTF-8')
  return new Reader(bytes.toString('utf8'), limits).document()
}

interface OpenNode {
  name: string
  rawName: string
  attributes: ReadonlyMap<string, string>
  children: XmlNode[]
  text: string
}

const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const SPACE = /[ \t\r\n]*/y
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map()
const REFERENCE = /&([^;&]{0,10});?/g
const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

class Reader {
  readonly #text: string
  readonly #limits: XmlLimits
  #at = 0
  #nodes = 0

  constructor(text: string, limits: XmlLimits) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    this.#limits = limits
  }

  document(): XmlNode {
    const text = this.#text
    const open: OpenNode[] = []
    let root: XmlNode | undefined
    while (this.#at < text.length) {
      const parent = open.at(-1)
      const next = text.indexOf('<', this.#at)
      const content = text.slice(this.#at, next === -1 ? text.length : next)
      if (parent !== undefined) parent.text += decodeReferences(content)
      else if (content.trim() !== '') throw new XmlError('text outside the root element')
      if (next === -1) break
      this.#at = next
      if (text.startsWith('<!--', next)) this.#skipPast('-->', 4)
      else if (text.startsWith('<?', next)) this.#skipPast('?>', 2)
      else if (text.startsWith('<![CDATA[', next)) {
        if (parent === undefined) throw new XmlError('text outside the root element')
        const start = next + 9
        this.#skipPast(']]>', 9)
        parent.text += text.slice(start, this.#at - 3)
      } else if (text.startsWith('<!', next)) throw new XmlError('a document type is not allowed')
      else if (text.startsWith('</', next)) {
        this.#at += 2
        const name = this.#name()
        this.#space()
        this.#expect('>')
        if (parent === undefined || parent.rawName !== name) throw new XmlError(`unexpected end of ${name}`)
        open.pop()
        const above = open.at(-1)
        if (above === undefined) root = parent
        else above.children.push(parent)
      } else {
        if (root !== undefined) throw new XmlError('more than one root element')
        const { node, isEmpty } = this.#startTag()
        if (!isEmpty) {
          open.push(node)
          if (open.length > this.#limits.xmlDepthMax) throw new XmlError(`more than ${this.#limits.xmlDepthMax} levels`)
        } else if (parent === undefined) root = node
        else parent.children.push(node)
      }
    }
    if (root === undefined || open.length > 0) throw new XmlError('the document is not complete')
    return root
  }

  #startTag(): { node: OpenNode; isEmpty: boolean } {
    if (++this.#nodes > this.#limits.xmlNodesMax) throw new XmlError(`more than ${this.#limits.xmlNodesMax} elements`)
    this.#at++
    const rawName = this.#name()
    let attributes: Map<string, string> | undefined
    for (;;) {
      const before = this.#at
      this.#space()
      const next = this.#text.charAt(this.#at)
      if (next === '>' || next === '/') break
      if (before === this.#at) throw new XmlError(`a broken tag ${rawName}`)
      const name = this.#name()
      this.#space()
      this.#expect('=')
      this.#space()
      attributes ??= new Map()
      if (attributes.has(name)) throw new XmlError(`the attribute ${name} twice`)
      if (attributes.size === this.#limits.xmlAttributesMax) throw new XmlError(`more than ${this.#limits.xmlAttributesMax} attributes`)
      attributes.set(name, this.#attributeValue())
    }
    const isEmpty = this.#text.charAt(this.#at) === '/'
    if (isEmpty) this.#at++
    this.#expect('>')
    const name = rawName.slice(rawName.indexOf(':') + 1)
    return { node: { name, rawName, attributes: attributes ?? NO_ATTRIBUTES, children: [], text: '' }, isEmpty }
  }

  #attributeValue(): string {
    const quote = this.#text.charAt(this.#at)
    if (quote !== '"' && quote !== "'") throw new XmlError('an attribute without quotes')
    const end = this.#text.indexOf(quote, this.#at + 1)
    if (end === -1) throw new XmlError('an attribute without its end')
    const value = this.#text.slice(this.#at + 1, end)
    if (value.includes('<')) throw new XmlError('an attribute with <')
    this.#at = end + 1
    return decodeReferences(value)
  }

  #name(): string {
    NAME.lastIndex = this.#at
    const name = NAME.exec(this.#text)?.[0]
    if (name === undefined) throw new XmlError('a name is missing')
    this.#at += name.length
    return name
  }

  #space(): void {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = SPACE.lastIndex
  }

  #expect(character: string): void {
    if (this.#text.charAt(this.#at) !== character) throw new XmlError(`${character} is missing`)
    this.#at++
  }

  #skipPast(end: string, from: number): void {
    const found = this.#text.indexOf(end, this.#at + from)
    if (found === -1) throw new XmlError(`${end} is missing`)
    this.#at = found + end.length
  }
}

function decodeReferences(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(REFERENCE, (whole, name: string) => {
    if (!whole.endsWith(';')) throw new XmlError('a stray &')
    const known = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined
    if (known !== undefined) return known
    const digits = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name)
    const code = digits === null ? 0 : digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16)
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new XmlError(`unknown entity ${name}`)
    return String.fromCodePoint(code)
  })
}
