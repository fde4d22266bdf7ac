// Patterns of policy documents: `*` any text, `?` one character, `${key}` a value of the request (IAM User Guide, "Policy variables").
// Everything is taken apart once; matching builds no expression and takes time at most proportional to pattern times text.
import { type Context, contextValue } from './context.ts'
import { PolicyError } from './policy-error.ts'

export type Matcher = (text: string, context: Context) => boolean

export interface PatternOptions {
  /** The policy element the pattern stands in, for errors. */
  readonly element: string
  readonly wildcards: boolean
  /** Whether `${...}` is read; a policy of version 2008-10-17 has it as plain text. */
  readonly variables: boolean
  readonly ignoreCase?: boolean
}

type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any'; readonly withinSegment?: boolean }
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly key: string; readonly fallback: string | undefined }

type Test = (text: string) => boolean

/** A pattern over a whole text. */
export function compileTextPattern(pattern: string, options: PatternOptions): Matcher {
  const fold = options.ignoreCase === true ? (text: string) => text.toLowerCase() : (text: string) => text
  const tokens = readTokens(pattern, options)
  if (!tokens.some(isVariable)) {
    const test = testOf(foldTokens(tokens, fold))
    return (text) => test(fold(text))
  }
  return (text, context) => {
    const resolved = resolveVariables(tokens, context)
    return resolved !== undefined && testOf(foldTokens(resolved, fold))(fold(text))
  }
}

/** The pattern of a Resource element: an ARN of six parts, or one that ends early with `*`. */
export function compileResourcePattern(pattern: string, options: Omit<PatternOptions, 'wildcards'>): Matcher {
  const tokens = boundWithinSegments(readTokens(pattern, { ...options, wildcards: true }))
  if (!tokens.some(isVariable)) return testOf(tokens)
  return (text, context) => {
    const resolved = resolveVariables(tokens, context)
    return resolved !== undefined && testOf(resolved)(text)
  }
}

/** The pattern of an ARN condition: the six parts are matched one by one. */
export function compileArnPattern(pattern: string, options: Omit<PatternOptions, 'wildcards'>): Matcher {
  const tokens = readTokens(pattern, { ...options, wildcards: true })
  const parts = splitParts(tokens)
  if (parts.length === ARN_PARTS) {
    if (!tokens.some(isVariable)) return arnTest(parts)
    return (text, context) => {
      const resolved = parts.map((part) => resolveVariables(part, context))
      return resolved.every((part) => part !== undefined) && arnTest(resolved)(text)
    }
  }
  if (tokens.length === 1 && tokens[0]?.kind === 'any') return (text) => splitArn(text).length === ARN_PARTS
  if (!tokens.some(isVariable)) {
    const remedy = 'write six parts, arn:partition:service:region:account:resource'
    throw new PolicyError(options.element, `${JSON.stringify(pattern)} is no ARN; ${remedy}`)
  }
  return (text, context) => {
    const resolved = splitParts(resolveVariables(tokens, context) ?? [])
    return resolved.length === ARN_PARTS && arnTest(resolved)(text)
  }
}

const ARN_PARTS = 6

function arnTest(parts: readonly (readonly Token[])[]): Test {
  const tests = parts.map(testOf)
  return (text) => {
    const values = splitArn(text)
    return values.length === ARN_PARTS && values.every((value, at) => tests[at]?.(value) === true)
  }
}

function splitArn(text: string): readonly string[] {
  const parts: string[] = []
  let from = 0
  while (parts.length < ARN_PARTS - 1) {
    const colon = text.indexOf(':', from)
    if (colon < 0) break
    parts.push(text.slice(from, colon))
    from = colon + 1
  }
  return [...parts, text.slice(from)]
}

function splitParts(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind !== 'text') {
      parts.at(-1)?.push(token)
      continue
    }
    let from = 0
    while (parts.length < ARN_PARTS) {
      const colon = token.text.indexOf(':', from)
      if (colon < 0) break
      parts.at(-1)?.push({ kind: 'text', text: token.text.slice(from, colon) })
      parts.push([])
      from = colon + 1
    }
    parts.at(-1)?.push({ kind: 'text', text: token.text.slice(from) })
  }
  return parts
}

// "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries"
// (IAM JSON policy elements: Resource): elsewhere in the first five parts it stays within its own.
function boundWithinSegments(tokens: readonly Token[]): readonly Token[] {
  let part = 1
  return tokens.map((token, at): Token => {
    if (token.kind === 'text') part += token.text.split(':').length - 1
    if (token.kind !== 'any' || part >= ARN_PARTS) return token
    const next = tokens[at + 1]
    const isLastOfSegment = next === undefined || (next.kind === 'text' && next.text.startsWith(':'))
    return isLastOfSegment ? token : { kind: 'any', withinSegment: true }
  })
}

function isVariable(token: Token): boolean {
  return token.kind === 'variable'
}

// A variable without a value (absent, or with several) and without a default matches nothing.
function resolveVariables(tokens: readonly Token[], context: Context): readonly Token[] | undefined {
  const resolved: Token[] = []
  for (const token of tokens) {
    if (token.kind !== 'variable') {
      resolved.push(token)
      continue
    }
    const value = contextValue(context, token.key)
    const text = typeof value === 'string' ? value : value?.length === 1 ? value[0] : value === undefined ? token.fallback : undefined
    if (text === undefined) return undefined
    resolved.push({ kind: 'text', text })
  }
  return resolved
}

function foldTokens(tokens: readonly Token[], fold: (text: string) => string): readonly Token[] {
  return tokens.map((token) => (token.kind === 'text' ? { kind: 'text', text: fold(token.text) } : token))
}

interface Piece {
  readonly length: number
  readonly text: string
  /** Per character, whether it stands for any one; undefined when none does. */
  readonly holes: readonly boolean[] | undefined
}

function testOf(tokens: readonly Token[]): Test {
  if (tokens.some((token) => token.kind === 'any' && token.withinSegment === true)) return boundedTest(tokens)
  const pieces = piecesOf(tokens)
  const [first, ...others] = pieces
  const last = others.pop()
  if (first === undefined) return (text) => text === ''
  if (last === undefined) {
    if (first.holes === undefined) return (text) => text === first.text
    return (text) => text.length === first.length && standsAt(first, text, 0)
  }
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !standsAt(first, text, 0) || !standsAt(last, text, end)) return false
    let from = first.length
    for (const piece of others) {
      const at = findPiece(piece, text, from, end)
      if (at < 0) return false
      from = at + piece.length
    }
    return true
  }
}

function piecesOf(tokens: readonly Token[]): readonly Piece[] {
  const runs: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind === 'any') runs.push([])
    else runs.at(-1)?.push(token)
  }
  return runs.map((run) => {
    const text = run.map((token) => (token.kind === 'text' ? token.text : '?')).join('')
    const holes = run.some(({ kind }) => kind === 'one')
      ? run.flatMap((token) => (token.kind === 'text' ? Array.from({ length: token.text.length }, () => false) : [true]))
      : undefined
    return { length: text.length, text, holes }
  })
}

function standsAt({ text: expected, holes, length }: Piece, text: string, at: number): boolean {
  if (holes === undefined) return text.startsWith(expected, at)
  for (let offset = 0; offset < length; offset++) {
    if (holes[offset] !== true && text.charCodeAt(at + offset) !== expected.charCodeAt(offset)) return false
  }
  return true
}

function findPiece(piece: Piece, text: string, from: number, end: number): number {
  if (piece.holes === undefined) {
    const at = text.indexOf(piece.text, from)
    return at + piece.length <= end ? at : -1
  }
  for (let at = from; at + piece.length <= end; at++) if (standsAt(piece, text, at)) return at
  return -1
}

// A star that may not pass a colon needs every way tried: reached[n] says whether the pattern so far can have read n characters.
function boundedTest(tokens: readonly Token[]): Test {
  return (text) => {
    let reached = new Uint8Array(text.length + 1)
    reached[0] = 1
    for (const token of tokens) {
      const next = new Uint8Array(text.length + 1)
      if (token.kind === 'any') {
        let open = false
        for (let at = 0; at <= text.length; at++) {
          if (token.withinSegment === true && at > 0 && text[at - 1] === ':') open = false
          open ||= reached[at] === 1
          if (open) next[at] = 1
        }
      } else {
        const [piece] = piecesOf([token])
        for (let at = 0; piece !== undefined && at + piece.length <= text.length; at++) {
          if (reached[at] === 1 && standsAt(piece, text, at)) next[at + piece.length] = 1
        }
      }
      reached = next
    }
    return reached[text.length] === 1
  }
}

const VARIABLE = /^([^\s,'"${}*?]+)(?:\s*,\s*'([^']*)')?$/

function readTokens(pattern: string, { element, wildcards, variables }: PatternOptions): readonly Token[] {
  const tokens: Token[] = []
  let text = ''
  const push = (token: Token): void => {
    if (text !== '') tokens.push({ kind: 'text', text })
    text = ''
    // Two stars side by side say no more than one.
    if (token.kind !== 'any' || tokens.at(-1)?.kind !== 'any') tokens.push(token)
  }
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    if (wildcards && character === '*') push({ kind: 'any' })
    else if (wildcards && character === '?') push({ kind: 'one' })
    else if (variables && character === '$' && pattern[at + 1] === '{') {
      const end = pattern.indexOf('}', at)
      if (end < 0) throw new PolicyError(element, `the variable at character ${at + 1} has no closing brace`)
      const name = pattern.slice(at + 2, end)
      if (name === '*' || name === '?' || name === '$') text += name
      else push(readVariable(name, element))
      at = end
    } else text += character
  }
  if (text !== '') tokens.push({ kind: 'text', text })
  return tokens
}

function readVariable(name: string, element: string): Token {
  const [, key, fallback] = VARIABLE.exec(name) ?? []
  if (key === undefined) {
    throw new PolicyError(element, `\${${name}} is no policy variable; write \${key} or \${key, 'default'}, without spaces in the key`)
  }
  return { kind: 'variable', key: key.toLowerCase(), fallback }
}
