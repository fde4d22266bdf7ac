// The regular expressions of custom data identifiers, run by an automaton of our own, so that no pattern can hang the server: AWS allows
// no groups in them, which leaves alternatives of characters with a count each. Of all that begins at one place the longest is found.

const PATTERN_CHARS_MAX = 200
/** The longest text that one finding of a custom identifier has: longer ones are found in pieces. */
const CUSTOM_MATCH_CHARS_MAX = 256
const COUNT_MAX = 256
const STEPS_MAX = 1000
const STATES_MAX = 1000
const WORK_MAX = 500_000
/** ASCII, and one more for all that is beyond. */
const CLASSES = 129

export class CustomPatternError extends Error {
  override name = 'CustomPatternError'
}

export interface CustomPattern {
  /** Where the longest match that begins at `at` ends; `at` itself where none does. A match is never empty. */
  endOf(text: string, at: number): number
}

/** Throws CustomPatternError with what is wrong. */
export function compileCustomPattern(source: string): CustomPattern {
  const alternatives = parse(source)
  const steps: Step[] = []
  const firsts: number[] = []
  for (const { items, atStart, atEnd } of alternatives) {
    firsts.push(steps.length)
    for (const [at, { chars, min, max }] of items.entries()) {
      for (let count = 0; count < min; count++) steps.push({ kind: 'take', chars, loops: max === Infinity && count === min - 1 })
      if (max === Infinity && min === 0) steps.push({ kind: 'maybe', chars, loops: true })
      else if (max !== Infinity) for (let count = min; count < max; count++) steps.push({ kind: 'maybe', chars, loops: false })
      if (steps.length > STEPS_MAX)
        throw new CustomPatternError(`the counts of the first ${at + 1} parts come to more than ${STEPS_MAX} characters`)
    }
    steps.push({ kind: 'end', atEnd, atStart })
  }
  return automaton(steps, firsts)
}

type Step =
  | { readonly kind: 'take' | 'maybe'; readonly chars: Uint8Array; readonly loops: boolean }
  | { readonly kind: 'end'; readonly atStart: boolean; readonly atEnd: boolean }

/** What holds where a state is reached: a match that may end anywhere, or only where the text begins, ends or both. */
const Ends = { anywhere: 1, ofStart: 2, ofEnd: 4, ofBoth: 8 } as const

/** All states are made here: a pattern with too many is refused, so that one character costs one look-up, whatever the text. */
function automaton(steps: readonly Step[], firsts: readonly number[]): CustomPattern {
  const { classOf, samples } = classesOf(steps)
  const numbers = new Map<string, number>()
  const reached: (readonly number[])[] = []
  let work = 0
  const numberOf = (from: Iterable<number>): number => {
    const places = [...reach(steps, from)].sort((a, b) => a - b)
    work += places.length
    const key = places.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, reached.length)
    if (reached.push(places) > STATES_MAX || work > WORK_MAX)
      throw new CustomPatternError('is too complicated: use fewer or smaller counts')
    return reached.length - 1
  }
  numberOf(firsts)
  const next: number[] = []
  const ends: number[] = []
  for (let state = 0; state < reached.length; state++) {
    const places = reached[state] ?? []
    ends.push(places.reduce((sum, at) => sum | endOf(steps[at]), 0))
    for (const char of samples) {
      const to = new Set<number>()
      for (const at of places) {
        const step = steps[at]
        if (step === undefined || step.kind === 'end' || step.chars[char] !== 1) continue
        to.add(at + 1)
        if (step.loops) to.add(at)
      }
      next.push(to.size === 0 ? -1 : numberOf(to))
    }
  }
  const [table, flags, width] = [Int16Array.from(next), Uint8Array.from(ends), samples.length]
  return {
    endOf(text, from) {
      let [state, end] = [0, from]
      const stop = Math.min(text.length, from + CUSTOM_MATCH_CHARS_MAX)
      for (let at = from; at < stop; at++) {
        state = table[state * width + (classOf[Math.min(text.charCodeAt(at), CLASSES - 1)] ?? 0)] ?? -1
        if (state < 0) break
        const holds =
          Ends.anywhere | (from === 0 ? Ends.ofStart : 0) | (at + 1 === text.length ? Ends.ofEnd | (from === 0 ? Ends.ofBoth : 0) : 0)
        if (((flags[state] ?? 0) & holds) !== 0) end = at + 1
      }
      return end
    },
  }
}

function endOf(step: Step | undefined): number {
  if (step?.kind !== 'end') return 0
  if (step.atStart) return step.atEnd ? Ends.ofBoth : Ends.ofStart
  return step.atEnd ? Ends.ofEnd : Ends.anywhere
}

/** Characters that no step tells apart are one class; `samples` has a character of each. */
function classesOf(steps: readonly Step[]): { readonly classOf: Uint8Array; readonly samples: readonly number[] } {
  const sets = new Map<string, Uint8Array>()
  for (const step of steps) if (step.kind !== 'end') sets.set(step.chars.join(''), step.chars)
  const classOf = new Uint8Array(CLASSES)
  const samples: number[] = []
  const known = new Map<string, number>()
  for (let code = 0; code < CLASSES; code++) {
    const signature = [...sets.values()].map((chars) => chars[code]).join('')
    if (!known.has(signature)) known.set(signature, samples.push(code) - 1)
    classOf[code] = known.get(signature) ?? 0
  }
  return { classOf, samples }
}

/** The places where one can be without taking a character. */
function reach(steps: readonly Step[], from: Iterable<number>): Set<number> {
  const found = new Set<number>()
  for (let at of from) {
    while (!found.has(at)) {
      found.add(at)
      if (steps[at]?.kind !== 'maybe') break
      at++
    }
  }
  return found
}

interface Item {
  readonly chars: Uint8Array
  readonly min: number
  readonly max: number
}

interface Alternative {
  readonly items: readonly Item[]
  readonly atStart: boolean
  readonly atEnd: boolean
}

function parse(source: string): readonly Alternative[] {
  if (source.length === 0 || source.length > PATTERN_CHARS_MAX)
    throw new CustomPatternError(`must have 1 to ${PATTERN_CHARS_MAX} characters`)
  const forbidden = /[^A-Za-z0-9_#=@/;,\- ^$?[\]{}|\\*+.]/.exec(source)
  if (forbidden !== null) throw new CustomPatternError(`the character '${forbidden[0]}' is not allowed`)
  const alternatives: Alternative[] = []
  let at = 0
  do {
    const atStart = source[at] === '^'
    if (atStart) at++
    const items: Item[] = []
    let atEnd = false
    while (at < source.length && source[at] !== '|') {
      if (source[at] === '$') {
        if (at + 1 < source.length && source[at + 1] !== '|') throw new CustomPatternError('$ may stand only at the end')
        atEnd = true
        at++
        continue
      }
      const one = readOne(source, at)
      const count = readCount(source, one.next)
      items.push({ chars: one.chars, min: count.min, max: count.max })
      at = count.next
    }
    if (!items.some(({ min }) => min > 0)) throw new CustomPatternError('must ask for at least one character in each alternative')
    alternatives.push({ items, atStart, atEnd })
  } while (source[at++] === '|')
  return alternatives
}

interface Read {
  readonly chars: Uint8Array
  readonly next: number
}

function readOne(source: string, at: number): Read {
  const char = source[at] ?? ''
  if (char === '[') return readSet(source, at + 1)
  if (char === '\\') return readEscape(source, at + 1)
  if (char === '.') return { chars: setOf((code) => code !== 10 && code !== 13), next: at + 1 }
  if ('*+?{'.includes(char)) throw new CustomPatternError(`${char} stands behind nothing that could be repeated`)
  if ('^]}'.includes(char)) throw new CustomPatternError(`${char} stands where it means nothing; write \\${char} for the character itself`)
  return plainIn(source, at)
}

function readEscape(source: string, at: number): Read {
  const char = source[at]
  if (char === undefined) throw new CustomPatternError('ends with a backslash')
  const known: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ }
  const shorthand = known[char]
  if (shorthand !== undefined) return { chars: setOf((code) => shorthand.test(String.fromCharCode(code))), next: at + 1 }
  if (/[A-Za-z0-9]/.test(char))
    throw new CustomPatternError(`\\${char} is not offered: use \\d, \\w, \\s, \\D, \\W, \\S or an escaped symbol`)
  return plainIn(source, at)
}

function readSet(source: string, from: number): Read {
  const isNegated = source[from] === '^'
  const chars = new Uint8Array(CLASSES)
  let at = isNegated ? from + 1 : from
  const begin = at
  while (source[at] !== ']' || at === begin) {
    if (at >= source.length) throw new CustomPatternError('[ has no ]')
    const low = readMember(source, at)
    at = low.next
    const first = only(low.chars)
    if (source[at] === '-' && source[at + 1] !== ']' && at + 1 < source.length) {
      const high = readMember(source, at + 1)
      const last = only(high.chars)
      if (first === undefined || last === undefined || last < first)
        throw new CustomPatternError('a range in [ ] runs from no character to another')
      for (let code = first; code <= last; code++) chars[code] = 1
      at = high.next
    } else for (let code = 0; code < CLASSES; code++) if (low.chars[code] === 1) chars[code] = 1
  }
  return { chars: isNegated ? setOf((code) => chars[code] !== 1) : chars, next: at + 1 }
}

function readMember(source: string, at: number): Read {
  return source[at] === '\\' ? readEscape(source, at + 1) : plainIn(source, at)
}

function plainIn(source: string, at: number): Read {
  return { chars: setOf((code) => code === source.charCodeAt(at)), next: at + 1 }
}

/** The one character of a set, undefined of one with more. */
function only(chars: Uint8Array): number | undefined {
  const first = chars.indexOf(1)
  return first === chars.lastIndexOf(1) ? first : undefined
}

function readCount(source: string, at: number): { readonly min: number; readonly max: number; readonly next: number } {
  const count = countAt(source, at)
  const after = source[count.next]
  if (count.next > at && after !== undefined && '*+?{'.includes(after))
    throw new CustomPatternError(`${after} stands behind another count, which is not offered`)
  return count
}

function countAt(source: string, at: number): { readonly min: number; readonly max: number; readonly next: number } {
  if (source[at] === '*') return { min: 0, max: Infinity, next: at + 1 }
  if (source[at] === '+') return { min: 1, max: Infinity, next: at + 1 }
  if (source[at] === '?') return { min: 0, max: 1, next: at + 1 }
  if (source[at] !== '{') return { min: 1, max: 1, next: at }
  const found = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(source.slice(at))
  if (found === null) throw new CustomPatternError('{ begins no count such as {3}, {3,} or {3,5}')
  const min = Number(found[1])
  const max = found[2] === undefined ? min : found[3] === undefined ? Infinity : Number(found[3])
  if (min > COUNT_MAX || max < min || (max !== Infinity && max > COUNT_MAX))
    throw new CustomPatternError(`${found[0]} is no count from 0 to ${COUNT_MAX}`)
  return { min, max, next: at + found[0].length }
}

function setOf(has: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: CLASSES }, (_, code) => (has(code) ? 1 : 0))
}
