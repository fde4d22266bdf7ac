// Takes what was found out of a text: masked, each character by one, or redacted. Nothing else of the text changes.
import type { Findings } from './scan.ts'

export interface Deidentification {
  /** The character that stands for each one that was found; undefined where they are taken out. */
  readonly maskWith: string | undefined
  readonly identifiers: ReadonlySet<string>
}

/** So many findings take well under a millisecond. */
const EDITS_PER_STEP = 512

/**
 * Findings that overlap go as one: taken out if one of them is, else masked as the one that begins first, the first statement's of several.
 * A generator that is asked again until it is done.
 */
export function* deidentified(
  text: string,
  findings: Findings,
  statements: readonly Deidentification[],
): Generator<undefined, string, undefined> {
  const parts: string[] = []
  let pieces: string[] = []
  let at = 0
  let edits = 0
  let last: Edit | undefined
  const write = ({ start, end, maskWith = '' }: Edit): void => {
    pieces.push(text.slice(at, start), maskWith.repeat(end - start))
    at = end
  }
  for (const edit of inOrder(runsOf(findings, statements))) {
    if (last !== undefined && edit.start < last.end) {
      last.end = Math.max(last.end, edit.end)
      if (edit.maskWith === undefined) last.maskWith = undefined
    } else {
      if (last !== undefined) write(last)
      last = edit
    }
    if (++edits % EDITS_PER_STEP === 0) {
      // Put together in steps too.
      parts.push(pieces.join(''))
      pieces = []
      yield
    }
  }
  if (last === undefined) return text
  write(last)
  return [...parts, ...pieces, text.slice(at)].join('')
}

interface Edit {
  start: number
  end: number
  maskWith: string | undefined
}

interface Run {
  /** Start and end by turns. */
  readonly spans: readonly number[]
  readonly maskWith: string | undefined
  /** Where the next start stands. */
  next: number
}

function runsOf(findings: Findings, statements: readonly Deidentification[]): Run[] {
  return statements.flatMap(({ maskWith, identifiers }) =>
    [...findings].flatMap(([identifier, spans]) => (identifiers.has(identifier) ? [{ spans, maskWith, next: 0 }] : [])),
  )
}

/** By where they begin; of several, that of the first run. */
function* inOrder(runs: readonly Run[]): Generator<Edit> {
  for (;;) {
    let first: Run | undefined
    let start = Infinity
    for (const run of runs) {
      const next = run.spans[run.next]
      if (next === undefined || next >= start) continue
      first = run
      start = next
    }
    if (first === undefined) return
    yield { start, end: first.spans[first.next + 1] ?? start, maskWith: first.maskWith }
    first.next += 2
  }
}
