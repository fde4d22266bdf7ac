// Blanks what is not code, position by position, so that rules about code can be plain searches. Good for our own sources, which the
// compiler and the linter parse in earnest; a regular expression is told from a division by what stands before it.

export interface MaskedSource {
  /** Comments and the insides of texts, templates and regular expressions are spaces; line breaks stay. */
  readonly code: string
  /** Only comments are spaces. */
  readonly withTexts: string
}

export function maskSource(source: string): MaskedSource {
  const code = source.split('')
  const withTexts = source.split('')
  const blank = (from: number, to: number, isComment: boolean): void => {
    for (let at = from; at < to; at++) {
      if (source[at] === '\n') continue
      code[at] = ' '
      if (isComment) withTexts[at] = ' '
    }
  }

  /** Reads code from `at` to the end, or to the brace that closes a template's hole. Returns the position behind it. */
  const readCode = (start: number, isHole: boolean): number => {
    let at = start
    let depth = 0
    while (at < source.length) {
      const two = source.slice(at, at + 2)
      const one = source[at] ?? ''
      if (two === '//' || (at === 0 && two === '#!')) at = blankTo(at, lineEnd(source, at), true)
      else if (two === '/*') at = blankTo(at, endOf(source, '*/', at + 2), true)
      else if (one === "'" || one === '"') at = readQuoted(at, one)
      else if (one === '`') at = readTemplate(at)
      else if (one === '/' && startsExpression(source, at)) at = readExpression(at)
      else {
        if (one === '{') depth++
        if (one === '}' && depth-- === 0 && isHole) return at + 1
        at++
      }
    }
    return at
  }
  const blankTo = (from: number, to: number, isComment: boolean): number => {
    blank(from, to, isComment)
    return to
  }
  const readQuoted = (start: number, quote: string): number => {
    let at = start + 1
    while (at < source.length && source[at] !== quote && source[at] !== '\n') at += source[at] === '\\' ? 2 : 1
    blank(start + 1, at, false)
    return at + 1
  }
  const readTemplate = (start: number): number => {
    let at = start + 1
    let from = at
    while (at < source.length && source[at] !== '`') {
      if (source[at] === '$' && source[at + 1] === '{') {
        blank(from, at, false)
        at = from = readCode(at + 2, true)
      } else at += source[at] === '\\' ? 2 : 1
    }
    blank(from, at, false)
    return at + 1
  }
  const readExpression = (start: number): number => {
    let at = start + 1
    let isInClass = false
    while (at < source.length && source[at] !== '\n' && (isInClass || source[at] !== '/')) {
      if (source[at] === '[') isInClass = true
      if (source[at] === ']') isInClass = false
      at += source[at] === '\\' ? 2 : 1
    }
    blank(start + 1, at, false)
    return at + 1
  }

  readCode(0, false)
  return { code: code.join(''), withTexts: withTexts.join('') }
}

/** The number of the line, from 1, in which the character at `position` stands. */
export function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length
}

function lineEnd(source: string, from: number): number {
  const at = source.indexOf('\n', from)
  return at < 0 ? source.length : at
}

function endOf(source: string, closing: string, from: number): number {
  const at = source.indexOf(closing, from)
  return at < 0 ? source.length : at + closing.length
}

function startsExpression(source: string, at: number): boolean {
  const before = source.slice(Math.max(0, at - 30), at).trimEnd()
  return before === '' || /[=(,:[!&|?{};>+*%~^<-]$|\b(return|typeof|case|of|in)$/.test(before)
}
