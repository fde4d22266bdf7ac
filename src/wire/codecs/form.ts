// application/x-www-form-urlencoded bytes -> names and values. Works on the bytes: most of a form is ASCII without escapes, and what
// is escaped is decoded into a scratch buffer that is reused. Names that repeat are left to the reader.
import { isAscii, isUtf8 } from 'node:buffer'
import { WIRE } from '../../model/limits.ts'
import { ServiceError } from '../../model/service-error.ts'

export interface Form {
  readonly names: readonly string[]
  readonly values: readonly string[]
}

export interface FormLimits {
  readonly formParametersMax: number
  readonly formNameBytesMax: number
}

export const EMPTY_FORM: Form = { names: [], values: [] }

/** Throws MalformedQueryString when an escape or the UTF-8 is broken, or a limit is passed. */
export function parseForm(bytes: Buffer, limits: FormLimits = WIRE): Form {
  if (bytes.length === 0) return EMPTY_FORM
  const names: string[] = []
  const values: string[] = []
  const scanner = new FormScanner(bytes)
  while (scanner.next()) {
    if (names.length === limits.formParametersMax) throw malformed(`more than ${limits.formParametersMax} parameters`)
    if (scanner.nameEnd - scanner.nameStart > limits.formNameBytesMax)
      throw malformed(`a parameter name of more than ${limits.formNameBytesMax} bytes`)
    names.push(scanner.name())
    values.push(scanner.value())
  }
  return { names, values }
}

export function malformed(what: string): ServiceError {
  return new ServiceError('MalformedQueryString', 400, `The query string contains a syntax error: ${what}`)
}

const HEX = new Uint8Array(256).fill(0xff)
for (const [digit, character] of [...'0123456789abcdef'].entries()) {
  HEX[character.charCodeAt(0)] = digit
  HEX[character.toUpperCase().charCodeAt(0)] = digit
}
/** A form above this is large: it is searched as bytes. */
const TEXT_BYTES_MAX = 64 * 1024
/** Larger values get a buffer of their own; a fresh one for each of the largest messages would keep the collector busy. */
const SCRATCH_BYTES_MAX = 2 * 1024 * 1024
const LONG_BYTES = 256
let scratch = Buffer.allocUnsafeSlow(TEXT_BYTES_MAX)

/** Walks the parameters one by one; the positions are those of the parameter that `next` has found. */
export class FormScanner {
  nameStart = 0
  nameEnd = 0
  valueEnd = 0
  readonly #bytes: Buffer
  /** The bytes as Latin-1: text is searched faster. Not of a large form, where a copy costs more than it saves. */
  readonly #text: string | undefined
  readonly #plain: boolean
  #at = 0
  #nextPercent = -1
  #nextPlus = -1
  #nextEquals = -1

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#text = bytes.length > TEXT_BYTES_MAX ? undefined : bytes.toString('latin1')
    this.#plain = isAscii(bytes)
    this.#nextPercent = this.#find('%', 0)
    this.#nextPlus = this.#find('+', 0)
  }

  next(): boolean {
    const bytes = this.#bytes
    const { length } = bytes
    let at = this.#at
    while (at < length && bytes[at] === 0x26) at++
    if (at >= length) return false
    const end = Math.min(this.#find('&', at), length)
    this.nameStart = at
    if (this.#nextEquals < at) this.#nextEquals = this.#find('=', at)
    this.nameEnd = Math.min(this.#nextEquals, end)
    this.valueEnd = end
    this.#at = end + 1
    return true
  }

  get valueStart(): number {
    return Math.min(this.nameEnd + 1, this.valueEnd)
  }

  name(): string {
    return this.#read(this.nameStart, this.nameEnd)
  }

  value(): string {
    return this.#read(this.valueStart, this.valueEnd)
  }

  /** The name as it stands there. */
  rawName(): string {
    return this.#text?.slice(this.nameStart, this.nameEnd) ?? this.#bytes.toString('latin1', this.nameStart, this.nameEnd)
  }

  /** True when the name stands there as it is. */
  isNamePlain(): boolean {
    return this.#isPlain(this.nameStart, this.nameEnd)
  }

  #read(start: number, end: number): string {
    // Not a slice of the text: a short value that is kept would keep the whole body.
    return this.#isPlain(start, end) ? this.#bytes.toString('latin1', start, end) : decode(this.#bytes, start, end)
  }

  #isPlain(start: number, end: number): boolean {
    if (this.#nextPercent < start) this.#nextPercent = this.#find('%', start)
    if (this.#nextPlus < start) this.#nextPlus = this.#find('+', start)
    return this.#plain && this.#nextPercent >= end && this.#nextPlus >= end
  }

  #find(character: string, from: number): number {
    const found = this.#text === undefined ? this.#bytes.indexOf(character, from, 'latin1') : this.#text.indexOf(character, from)
    return found === -1 ? Infinity : found
  }
}

function decode(bytes: Buffer, start: number, end: number): string {
  const target = scratchOf(end - start)
  // What stands before the first escape of a long value and behind its last is copied whole.
  const { first, behind } = end - start < LONG_BYTES ? { first: start, behind: end } : escapesIn(bytes, start, end)
  let length = first - start
  if (length > 0) target.set(bytes.subarray(start, first), 0)
  for (let at = first; at < behind; at++) {
    let byte = bytes[at] as number
    if (byte === 0x25) {
      if (at + 2 >= end) throw malformed('an incomplete percent escape')
      const high = HEX[bytes[at + 1] as number] as number
      const low = HEX[bytes[at + 2] as number] as number
      if ((high | low) > 15) throw malformed('a percent sign without two hexadecimal digits')
      byte = (high << 4) | low
      at += 2
    } else if (byte === 0x2b) byte = 0x20
    target[length++] = byte
  }
  if (behind < end) target.set(bytes.subarray(behind, end), length)
  const decoded = target.subarray(0, length + end - behind)
  if (isAscii(decoded)) return decoded.toString('latin1')
  if (!isUtf8(decoded)) throw malformed('bytes that are not UTF-8')
  return decoded.toString('utf8')
}

function scratchOf(bytes: number): Buffer {
  if (bytes > SCRATCH_BYTES_MAX) return Buffer.allocUnsafe(bytes)
  if (bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES_MAX)
  return scratch
}

/** Where the first escape begins and the last one ends. */
function escapesIn(bytes: Buffer, start: number, end: number): { readonly first: number; readonly behind: number } {
  const value = bytes.subarray(start, end)
  const percent = value.indexOf(0x25)
  const plus = value.indexOf(0x2b)
  if (percent === -1 && plus === -1) return { first: end, behind: end }
  const first = percent === -1 || (plus !== -1 && plus < percent) ? plus : percent
  const behind = Math.max(percent === -1 ? 0 : value.lastIndexOf(0x25) + 3, plus === -1 ? 0 : value.lastIndexOf(0x2b) + 1)
  return { first: start + first, behind: Math.min(start + behind, end) }
}

/** Percent-decodes a part of a path: `+` stands for itself. */
export function decodePath(text: string): string {
  if (!text.includes('%') && !/[^\0-\x7f]/.test(text)) return text
  const bytes = Buffer.from(text.replaceAll('+', '%2B'), 'latin1')
  return decode(bytes, 0, bytes.length)
}
