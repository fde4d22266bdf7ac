// The rules of docs/STYLE.md that the linter and the compiler have no rule for. Sources arrive as text, so that the rules can be tested.
import { basename } from 'node:path'
import { lineOf, maskSource } from './source-mask.ts'

export interface StyleReport {
  readonly failures: readonly string[]
  /** Worth a second thought; never fails the check. */
  readonly remarks: readonly string[]
}

/** Checks one source; `path` is relative to the repository: src/engine/call.ts. */
export function checkStyle(path: string, source: string): StyleReport {
  const { code, withTexts } = maskSource(source)
  const failures = [
    ...checkName(path),
    ...checkHeader(path, source),
    ...source.split('\n').flatMap((line, at) => checkLine(path, at + 1, line)),
    ...checkQuotes(path, code, withTexts),
    ...BANS.filter((ban) => ban.applies(path)).flatMap((ban) => findBan(path, code, ban)),
  ]
  const lines = source.split('\n').length - 1
  if (lines > LINES_MAX) failures.push(`${path}: ${lines} lines; split it, ${LINES_MAX} is the limit`)
  const isLong = lines > LINES_WORTH_A_THOUGHT && lines <= LINES_MAX
  return { failures, remarks: isLong ? [`${path}: ${lines} lines; think again at ${LINES_WORTH_A_THOUGHT}`] : [] }
}

const LINE_CHARS_MAX = 140
const LINES_WORTH_A_THOUGHT = 400
const LINES_MAX = 500

interface Ban {
  readonly pattern: RegExp
  readonly remedy: string
  readonly applies: (path: string) => boolean
}

// These may touch the machine itself; everything else is handed what it needs.
function isHandedItsWorld(path: string): boolean {
  const isOutside = path.startsWith('src/base/') || path.startsWith('src/cli/') || path === 'src/main.ts'
  return path.startsWith('src/') && !isOutside && !isTest(path)
}

const everywhere = (): boolean => true

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g,
    remedy: 'ask the clock that is handed in',
    applies: isHandedItsWorld,
  },
  { pattern: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b/g, remedy: 'ask the random that is handed in', applies: isHandedItsWorld },
  { pattern: /(?<![.\w])(setTimeout|setInterval)\b/g, remedy: 'ask the clock that is handed in (clock.after)', applies: isHandedItsWorld },
  { pattern: /(?<![.\w])fetch\(/g, remedy: 'go through engine/outbound.ts', applies: isHandedItsWorld },
  { pattern: /\bprocess\.env\b/g, remedy: 'settings are read in main.ts and handed in', applies: isHandedItsWorld },
  {
    pattern: /^[ \t]*(?:export\s+|declare\s+|const\s+)*enum\s+\w/gm,
    remedy: 'use a union of texts or an object "as const"',
    applies: everywhere,
  },
  { pattern: /^[ \t]*(?:export\s+|declare\s+)*(?:namespace|module)\s+\w/gm, remedy: 'a file is the namespace', applies: everywhere },
  { pattern: /^[ \t]*@\w+/gm, remedy: 'no decorators; call a function', applies: everywhere },
  { pattern: /;[ \t]*$/gm, remedy: 'no semicolons', applies: everywhere },
  {
    pattern: /\b(?:class|interface|type|function)\s+\w*(?:Manager|Helper|Utils?)\b/g,
    remedy: 'name what it does or is',
    applies: everywhere,
  },
]

function findBan(path: string, code: string, { pattern, remedy }: Ban): readonly string[] {
  return [...code.matchAll(pattern)].map((match) => {
    const [text] = match
    const position = match.index + text.length - text.trimStart().length
    return `${path}:${lineOf(code, position)} ${text.trim()}: ${remedy}`
  })
}

function checkName(path: string): readonly string[] {
  const name = basename(path).replace(/\.(test|suite)?\.?ts$/, '')
  if (/(^|-)(manager|helpers?|utils?)$/.test(name)) return [`${path}: ${name} says nothing; name it after its main export`]
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}: file names are kebab-case (${suggestName(name)})`]
}

function suggestName(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').split(/[^A-Za-z0-9]+/)
  return words
    .filter((word) => word !== '')
    .join('-')
    .toLowerCase()
}

// A test is named after what it tests, which has the header.
function checkHeader(path: string, source: string): readonly string[] {
  const [first = '', second = ''] = source.split('\n')
  const opening = first.startsWith('#!') ? second : first
  return isTest(path) || /^(\/\/|\/\*)\s*\S/.test(opening) ? [] : [`${path}:1 opens without a comment that says what the file is`]
}

function checkLine(path: string, number: number, line: string): readonly string[] {
  const problems: string[] = []
  if (line.length > LINE_CHARS_MAX) problems.push(`${path}:${number} ${line.length} characters; ${LINE_CHARS_MAX} is the limit`)
  if (/[ \t]$/.test(line)) problems.push(`${path}:${number} ends in white space`)
  if (line.includes('\t')) problems.push(`${path}:${number} holds a tab; indent by two spaces`)
  return problems
}

// Double quotes only where the text holds a single one; markup has its own ways.
function checkQuotes(path: string, code: string, withTexts: string): readonly string[] {
  if (path.endsWith('.tsx')) return []
  const doubled = [...code.matchAll(/"[^"\n]*"/g)].filter(
    ({ index, 0: text }) => !withTexts.slice(index, index + text.length).includes("'"),
  )
  return doubled.map(({ index }) => `${path}:${lineOf(code, index)} holds a text in double quotes; use single ones`)
}

function isTest(path: string): boolean {
  return /\.(test|suite)\.ts$/.test(path) || path.startsWith('tests/')
}
