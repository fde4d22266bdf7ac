// JSON with the place of each token, as AWS's parser counts places when it complains about a filter policy: a text is told at its opening
// quote, a name at the value behind it, everything else at its end.

/** `at` is where AWS's parser stands when it has come upon the value: an offset into the text. */
export type Located =
  | { readonly kind: 'text'; readonly at: number; readonly end: number; readonly text: string }
  | { readonly kind: 'number' | 'literal'; readonly at: number; readonly end: number; readonly text: string }
  | { readonly kind: 'array'; readonly at: number; readonly end: number; readonly items: readonly Located[] }
  | LocatedObject

export interface LocatedObject {
  readonly kind: 'object'
  readonly at: number
  readonly end: number
  readonly members: readonly { readonly name: string; readonly value: Located }[]
}

export class JsonTextError extends Error {}

const DEPTH_MAX = 1000
const SOURCE = 'Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)'
const VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /[\p{L}\p{N}_$]+/uy
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** The second line of AWS's complaint: ` at [Source: ...; line: 1, column: 7]`. */
export function placeOf(json: string, at: number): string {
  const before = json.slice(0, at).split(/\r\n|\r|\n/)
  return `\n at [${SOURCE}; line: ${before.length}, column: ${(before.at(-1)?.length ?? 0) + 1}]`
}

/** Throws JsonTextError with the words of AWS's parser (Jackson), its place included. */
export function parseLocated(json: string): Located {
  const reader = new Reader(json)
  reader.skipSpace()
  if (reader.isAtEnd) throw new JsonTextError(`No content to map due to end-of-input${placeOf(json, json.length)}`)
  const value = reader.value(0)
  reader.skipSpace()
  if (!reader.isAtEnd) reader.fail('Trailing token found after value')
  return value
}

class Reader {
  readonly #json: string
  #at = 0

  constructor(json: string) {
    this.#json = json
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#json.length
  }

  skipSpace(): void {
    while (' \t\n\r'.includes(this.#json.charAt(this.#at)) && this.#at < this.#json.length) this.#at++
  }

  value(depth: number): Located {
    const character = this.#json.charAt(this.#at)
    if (character === '"') {
      const at = this.#at + 1
      const text = this.#text('VALUE_STRING')
      return { kind: 'text', at, end: this.#at, text }
    }
    if (character === '{' || character === '[') {
      if (depth >= DEPTH_MAX)
        this.fail(
          `Document nesting depth (${depth + 1}) exceeds the maximum allowed (${DEPTH_MAX}, from ` +
            '`StreamReadConstraints.getMaxNestingDepth()`)',
        )
      return character === '{' ? this.#object(depth + 1) : this.#array(depth + 1)
    }
    if (character === '-' || (character >= '0' && character <= '9')) return this.#number()
    return this.#literal()
  }

  fail(text: string, at = this.#at): never {
    throw new JsonTextError(`${text}${placeOf(this.#json, at)}`)
  }

  #object(depth: number): Located {
    const start = this.#at++
    const members: { name: string; value: Located }[] = []
    for (;;) {
      const next = this.#next('Object', start)
      if (next === '}' && members.length === 0) break
      if (next !== '"') this.#unexpected('was expecting double-quote to start field name')
      const name = this.#text('FIELD_NAME')
      if (this.#next('Object', start) !== ':') this.#unexpected('was expecting a colon to separate field name and value')
      this.#at++
      this.#next('Object', start)
      members.push({ name, value: this.value(depth) })
      const separator = this.#next('Object', start)
      if (separator === '}') break
      if (separator !== ',') this.#unexpected('was expecting comma to separate Object entries')
      this.#at++
    }
    return { kind: 'object', at: start + 1, end: ++this.#at, members }
  }

  #array(depth: number): Located {
    const start = this.#at++
    const items: Located[] = []
    for (;;) {
      if (this.#next('Array', start) === ']' && items.length === 0) break
      items.push(this.value(depth))
      const separator = this.#next('Array', start)
      if (separator === ']') break
      if (separator !== ',') this.#unexpected('was expecting comma to separate Array entries')
      this.#at++
    }
    return { kind: 'array', at: start + 1, end: ++this.#at, items }
  }

  #next(within: 'Object' | 'Array', start: number): string {
    this.skipSpace()
    if (this.isAtEnd)
      this.fail(`Unexpected end-of-input: expected close marker for ${within} (start marker${placeOf(this.#json, start).slice(1)})`)
    return this.#json.charAt(this.#at)
  }

  #number(): Located {
    NUMBER.lastIndex = this.#at
    const text = NUMBER.exec(this.#json)?.[0] ?? ''
    const end = this.#at + text.length
    const behind = this.#json.charAt(end)
    if (text === '' || /[\w.+$-]/.test(behind)) {
      this.#at = end
      if (/\d/.test(behind)) this.fail('Invalid numeric value: Leading zeroes not allowed')
      if (behind === '.') this.fail('Unexpected character in numeric value: Decimal point not followed by a digit')
      this.#unexpected('Expected digit (0-9) to follow minus sign or space to separate root-level values')
    }
    this.#at = end
    return { kind: 'number', at: end, end, text }
  }

  #literal(): Located {
    WORD.lastIndex = this.#at
    const word = WORD.exec(this.#json)?.[0]
    if (word === undefined) this.#unexpected(`expected a valid value (${VALUES})`)
    const end = this.#at + word.length
    if (word !== 'true' && word !== 'false' && word !== 'null')
      this.fail(`Unrecognized token '${word.slice(0, 256)}': was expecting (${VALUES})`, end)
    this.#at = end
    return { kind: 'literal', at: end, end, text: word }
  }

  #text(token: string): string {
    let text = ''
    for (this.#at++; ;) {
      text += this.#plain()
      const character = this.#json.charAt(this.#at)
      if (character === '') this.fail(`Unexpected end-of-input in ${token}`)
      this.#at++
      if (character === '"') return text
      if (character === '\\') text += this.#escape()
      else
        this.fail(
          `Illegal unquoted character ((CTRL-CHAR, code ${character.charCodeAt(0)})): ` +
            'has to be escaped using backslash to be included in string value',
        )
    }
  }

  #plain(): string {
    const start = this.#at
    while (this.#at < this.#json.length) {
      const code = this.#json.charCodeAt(this.#at)
      if (code < 0x20 || code === 0x22 || code === 0x5c) break
      this.#at++
    }
    return this.#json.slice(start, this.#at)
  }

  #escape(): string {
    const character = this.#json.charAt(this.#at++)
    if (character === 'u') {
      const hex = this.#json.slice(this.#at, this.#at + 4)
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#unexpected('expected a hex-digit for character escape sequence')
      this.#at += 4
      return String.fromCharCode(Number.parseInt(hex, 16))
    }
    const plain = Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : undefined
    if (plain === undefined) this.fail(`Unrecognized character escape '${character}' (code ${character.charCodeAt(0)})`)
    return plain
  }

  #unexpected(wanted: string): never {
    const character = this.#json.charAt(this.#at)
    this.fail(`Unexpected character ('${character}' (code ${character.charCodeAt(0)})): ${wanted}`, this.#at + 1)
  }
}
