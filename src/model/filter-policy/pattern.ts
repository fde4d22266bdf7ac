// One condition on one field of a message, and whether a value meets it.
import { addressOf } from './address.ts'
import type { Element } from './elements.ts'

export type Pattern =
  | { readonly kind: 'text'; readonly text: string }
  /** A text that is an IP address, by its bits; and what those of a block begin with. */
  | { readonly kind: 'address' | 'block'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  /** A number beyond those that are compared as numbers: alike when written alike. */
  | { readonly kind: 'numeral'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string }
  /** In lower case. */
  | { readonly kind: 'caseless'; readonly text: string }
  /** From and to are within. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'none-of'
      readonly texts: ReadonlySet<string>
      readonly numbers: ReadonlySet<number>
      readonly numerals: ReadonlySet<string>
    }
  | { readonly kind: 'no-prefix'; readonly text: string }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }

/** The largest number that is compared as a number; beyond it (account numbers, for instance) the text decides. */
const COMPARABLE_MAX = 5e9
const PLACES = 1e5

/** The number as AWS compares it, five decimals and no more, times 100,000; undefined beyond what is comparable. */
export function comparable(number: number): number | undefined {
  return Math.abs(number) <= COMPARABLE_MAX ? rounded(number) : undefined
}

/** As a bound of a range, which may lie beyond. */
export function rounded(number: number): number {
  return Math.round(number * PLACES)
}

/** A value of a field, in the form in which patterns look at it. */
export class FieldValue {
  readonly kind: 'text' | 'number' | 'numeral' | 'literal'
  readonly text: string
  readonly number: number
  readonly element: Element
  #address: string | undefined
  #isAddressKnown = false
  #caseless: string | undefined

  constructor(kind: FieldValue['kind'], text: string, number: number, element: Element) {
    this.kind = kind
    this.text = text
    this.number = number
    this.element = element
  }

  /** Undefined: no IP address. */
  get address(): string | undefined {
    if (!this.#isAddressKnown) {
      this.#isAddressKnown = true
      if (this.kind === 'text') this.#address = addressOf(this.text)
    }
    return this.#address
  }

  get caseless(): string {
    return (this.#caseless ??= this.text.toLowerCase())
  }
}

/** Whether a value meets the pattern. `absent` is met by no value. */
export function isMet(pattern: Pattern, value: FieldValue): boolean {
  switch (pattern.kind) {
    case 'text':
    case 'numeral':
    case 'literal':
      return value.kind === pattern.kind && value.text === pattern.text
    case 'address':
      return value.address === pattern.text
    case 'number':
      return value.kind === 'number' && value.number === pattern.number
    case 'prefix':
      return value.kind === 'text' && value.text.startsWith(pattern.text)
    case 'suffix':
      return value.kind === 'text' && value.text.endsWith(pattern.text)
    case 'caseless':
      return value.kind === 'text' && value.caseless === pattern.text
    case 'range':
      return value.kind === 'number' && value.number >= pattern.from && value.number <= pattern.to
    case 'block':
      return value.address?.startsWith(pattern.text) === true
    case 'none-of':
      return !(
        (value.kind === 'text' && pattern.texts.has(value.text)) ||
        (value.kind === 'number' && pattern.numbers.has(value.number)) ||
        (value.kind === 'numeral' && pattern.numerals.has(value.text))
      )
    case 'no-prefix':
      return !(value.kind === 'text' && value.text.startsWith(pattern.text))
    case 'present':
      return true
    case 'absent':
      return false
  }
}

/** Whether a field may hold by not being there. */
export function mayBeAbsent(patterns: readonly Pattern[]): boolean {
  return patterns.some(({ kind }) => kind === 'absent')
}

/** The same for patterns that ask the same. */
export function patternKey(pattern: Pattern): string {
  return JSON.stringify(pattern, (_name, part: unknown) => (part instanceof Set ? [...part].map(String).sort() : part))
}
