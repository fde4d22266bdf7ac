// Looks for data identifiers in a text, in small steps: whoever scans a long text gives way between them.
import type { CustomPattern } from './custom-pattern.ts'
import type { ManagedIdentifier } from './identifiers.ts'

/**
 * What was found of each identifier of which anything was: start and end by turns, in UTF-16 units, in the order of the text, one behind
 * the other. Numbers alone: a long text may hold very many, and an object for each would keep the garbage collector busy.
 */
export type Findings = ReadonlyMap<string, readonly number[]>

/** Looks for one identifier; yields after each step of well under a millisecond. */
export interface Finder {
  readonly identifier: string
  find(text: string, found: (start: number, end: number) => void): Generator<undefined, void, undefined>
}

const WINDOW_CHARS = 4096
/** No match of a pattern is longer. */
const MATCH_CHARS_MAX = 1024
/** What stands before a window, for what a match may not follow. */
const BEFORE_CHARS = 8
/** How far from its text a keyword may stand. */
const KEYWORD_CHARS_MAX = 50
/** The longest private key. */
const CLOSE_CHARS_MAX = 16_000
const MATCHES_PER_STEP = 8
const CUSTOM_STARTS_PER_STEP = 256

export function managedFinder(identifier: string, managed: ManagedIdentifier): Finder {
  const keywords = managed.keywords === undefined ? undefined : keywordPattern(managed.keywords)
  // Its place in the text is its own: finders are shared between scans that give way to each other.
  const { source, flags } = managed.pattern
  return {
    identifier,
    *find(text, found) {
      const pattern = new RegExp(source, flags)
      let matches = 0
      let free = 0
      for (let from = 0; from < text.length; from += WINDOW_CHARS) {
        const offset = Math.max(0, from - BEFORE_CHARS)
        const window = text.slice(offset, from + WINDOW_CHARS + MATCH_CHARS_MAX)
        pattern.lastIndex = Math.max(from, free) - offset
        for (let match = pattern.exec(window); match !== null; match = pattern.exec(window)) {
          const start = offset + match.index
          if (start >= from + WINDOW_CHARS) break
          const end = endOf(managed, keywords, text, start, match[0])
          if (end === undefined) pattern.lastIndex = match.index + 1
          else {
            found(start, end)
            free = end
            pattern.lastIndex = end - offset
          }
          if (++matches % MATCHES_PER_STEP === 0) yield
        }
        yield
      }
    },
  }
}

export function customFinder(identifier: string, pattern: CustomPattern): Finder {
  return {
    identifier,
    *find(text, found) {
      let steps = 0
      for (let start = 0; start < text.length;) {
        const end = pattern.endOf(text, start)
        if (end > start) found(start, end)
        start = Math.max(end, start + 1)
        if (++steps % CUSTOM_STARTS_PER_STEP === 0) yield
      }
      yield
    },
  }
}

/** All that is found in the text; a generator that is asked again until it is done. */
export function* scanText(text: string, finders: readonly Finder[]): Generator<undefined, Findings, undefined> {
  const findings = new Map<string, readonly number[]>()
  for (const finder of finders) {
    const spans: number[] = []
    yield* finder.find(text, (start, end) => spans.push(start, end))
    if (spans.length > 0) findings.set(finder.identifier, spans)
  }
  return findings
}

/** Where the match ends when it is one; what has a number's separators behind it may be found without its last parts. */
function endOf(managed: ManagedIdentifier, keywords: RegExp | undefined, text: string, start: number, match: string): number | undefined {
  if (managed.close !== undefined) {
    const closed = managed.close.exec(text.slice(start + match.length, start + match.length + CLOSE_CHARS_MAX))
    return closed === null ? undefined : start + match.length + closed.index + closed[0].length
  }
  const valid = validPart(managed, match)
  if (valid === undefined) return undefined
  const end = start + valid.length
  return keywords === undefined || managed.isPlain?.(valid) === true || isNear(keywords, text, start, end) ? end : undefined
}

function validPart({ isValid, isVerbatim, hasLengths }: ManagedIdentifier, match: string): string | undefined {
  if (isValid === undefined) return match
  for (let part = match; ;) {
    if (isValid(isVerbatim === true ? part : part.replace(/[^A-Za-z0-9]/g, '').toUpperCase())) return part
    const cut = Math.max(part.lastIndexOf(' '), part.lastIndexOf('-'))
    if (hasLengths !== true || cut < PART_CHARS_MIN) return undefined
    part = part.slice(0, cut)
  }
}

/** The shortest of a number with several lengths: payment cards of thirteen digits. */
const PART_CHARS_MIN = 13

function isNear(keywords: RegExp, text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - KEYWORD_CHARS_MAX), start)
  return keywords.test(inWords(before)) || keywords.test(inWords(text.slice(end, end + KEYWORD_CHARS_MAX)))
}

/** socialSecurityNumber -> social Security Number. */
function inWords(text: string): string {
  return text.replace(/([a-z])([A-Z])/g, '$1 $2')
}

function keywordPattern(keywords: readonly string[]): RegExp {
  const alternatives = keywords.map((keyword) =>
    keyword
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll("'", "['\u2019]?")
      .replaceAll(' ', '[ _-]?'),
  )
  return new RegExp(`(?<![A-Za-z0-9\\u00C0-\\u024F])(?:${alternatives.join('|')})(?![A-Za-z0-9\\u00C0-\\u024F])`, 'i')
}
