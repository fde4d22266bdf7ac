// What filter policies see of a message: the values of each field, by its path. A body's arrays are transparent, but each value knows the
// element it came from.
import type { MessageAttribute } from '../message.ts'
import { Element } from './elements.ts'
import { FieldValue, comparable } from './pattern.ts'

export interface Facts {
  /** A field that is there and has no values meets no condition, not even that of being absent. */
  readonly fields: ReadonlyMap<string, readonly FieldValue[]>
  /** Where values stand that are in no array, if some are in elements of arrays. */
  readonly elements: Element | undefined
}

/** Paths that are asked for, and the paths that lead there: all else in a body is passed over. */
export interface Wanted {
  has(path: string): boolean
}

const DEPTH_MAX = 1000
/** Attributes have no elements. */
const NOWHERE = new Element(-1, undefined, 0)

/** Binary attributes are as if they were not there ("Filter policy constraints", attribute-based filtering). */
export function attributeFacts(attributes: Readonly<Record<string, MessageAttribute>> | undefined): Facts {
  const fields = new Map<string, readonly FieldValue[]>()
  for (const [name, { type, value }] of Object.entries(attributes ?? {})) {
    if (type === 'String.Array') {
      const values = arrayValues(value)
      if (values === undefined || values.length > 0) fields.set(name, values ?? [])
    } else if (type.startsWith('Number')) fields.set(name, [numberValue(Number(value), () => value, NOWHERE)])
    else if (type.startsWith('String')) fields.set(name, [textValue(escaped(value), NOWHERE)])
  }
  return { fields, elements: undefined }
}

/** Undefined: the body is no JSON object, and no policy lets it pass. */
export function bodyFacts(body: string, wanted: Wanted): Facts | undefined {
  if (!/^\s*\{/.test(body)) return undefined
  try {
    const root = JSON.parse(body) as object
    const reader = new BodyReader(wanted)
    reader.object(root, '', reader.root, 1)
    if (!reader.hasLargeNumbers) return reader
    // Numbers beyond the comparable ones are told apart by their text, which a parsed number has lost.
    const exact = new BodyReader(wanted)
    exact.object(JSON.parse(body, keepNumerals) as object, '', exact.root, 1)
    return exact
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TooDeep) return undefined
    throw error
  }
}

class TooDeep extends Error {}

class Numeral {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function keepNumerals(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && comparable(value) === undefined ? new Numeral(context?.source ?? String(value)) : value
}

class BodyReader implements Facts {
  readonly fields = new Map<string, FieldValue[]>()
  readonly root = new Element(-1, undefined, 0)
  elements: Element | undefined
  hasLargeNumbers = false
  readonly #wanted: Wanted
  #arrays = 0
  #elements = 0

  constructor(wanted: Wanted) {
    this.#wanted = wanted
  }

  object(object: object, prefix: string, element: Element, depth: number): void {
    for (const [name, value] of Object.entries(object) as [string, unknown][]) {
      const path = prefix + name
      if (this.#wanted.has(path)) this.#value(value, path, element, depth)
    }
  }

  #value(value: unknown, path: string, element: Element, depth: number): void {
    if (depth > DEPTH_MAX) throw new TooDeep()
    if (Array.isArray(value)) this.#array(value, path, element, depth + 1)
    else if (typeof value === 'object' && value !== null && !(value instanceof Numeral)) this.object(value, `${path}.`, element, depth + 1)
    else this.#add(value, path, element)
  }

  /** What stands in an array by itself belongs to no element; only what holds fields or arrays does. */
  #array(items: readonly unknown[], path: string, element: Element, depth: number): void {
    const array = this.#arrays++
    for (const item of items) {
      const isHolder = typeof item === 'object' && item !== null && !(item instanceof Numeral)
      this.#value(item, path, isHolder ? new Element(array, element, ++this.#elements) : element, depth)
    }
  }

  #add(value: unknown, path: string, element: Element): void {
    const fact = factOf(value, element)
    if (element !== this.root) this.elements = this.root
    this.hasLargeNumbers ||= fact.kind === 'numeral' && typeof value === 'number'
    const values = this.fields.get(path)
    if (values === undefined) this.fields.set(path, [fact])
    else values.push(fact)
  }
}

function factOf(value: unknown, element: Element): FieldValue {
  if (typeof value === 'string') return textValue(value, element)
  if (typeof value === 'number') return numberValue(value, () => String(value), element)
  if (value instanceof Numeral) return new FieldValue('numeral', value.text, 0, element)
  return new FieldValue('literal', String(value), 0, element)
}

function textValue(text: string, element: Element): FieldValue {
  return new FieldValue('text', text, 0, element)
}

function numberValue(number: number, textOf: () => string, element: Element): FieldValue {
  const known = comparable(number)
  return known === undefined ? new FieldValue('numeral', textOf(), 0, element) : new FieldValue('number', '', known, element)
}

/** Undefined: no JSON array of texts, numbers, true, false and null. Quirk: one of those by itself counts as the only element of one. */
function arrayValues(json: string): FieldValue[] | undefined {
  try {
    const parsed: unknown = JSON.parse(json, keepNumerals)
    const items: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
    if (items.some((item) => typeof item === 'object' && item !== null && !(item instanceof Numeral))) return undefined
    return items.map((item) => factOf(typeof item === 'string' ? escaped(item) : item, NOWHERE))
  } catch {
    return undefined
  }
}

/** Quirk: in the text of an attribute, quotes and backslashes are compared with a backslash before them ("Filter policy constraints"). */
function escaped(text: string): string {
  return text.includes('"') || text.includes('\\') ? text.replace(/["\\]/g, '\\$&') : text
}
