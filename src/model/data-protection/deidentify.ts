// Takes what was found out of a text: masked, each character by one, or redacted. Nothing else of the text changes.
import type { Finding } from './scan.ts'

export interface Deidentification {
  /** The character that stands for each one that was found; undefined where they are taken out. */
  readonly maskWith: string | undefined
  readonly identifiers: ReadonlySet<string>
}

/**
 * Findings that overlap go as one: taken out if one of them is, else masked as the one that begins first, the first statement's of several.
 */
export function deidentified(text: string, findings: readonly Finding[], statements: readonly Deidentification[]): string {
  const edits: Edit[] = statements.flatMap(({ maskWith, identifiers }) =>
    findings.filter(({ identifier }) => identifiers.has(identifier)).map(({ start, end }) => ({ start, end, maskWith })),
  )
  edits.sort((a, b) => a.start - b.start)
  const merged: Edit[] = []
  for (const edit of edits) {
    const last = merged.at(-1)
    if (last === undefined || edit.start >= last.end) merged.push({ ...edit })
    else {
      last.end = Math.max(last.end, edit.end)
      if (edit.maskWith === undefined) last.maskWith = undefined
    }
  }
  let [result, at] = ['', 0]
  for (const { start, end, maskWith } of merged) {
    result += text.slice(at, start) + (maskWith ?? '').repeat(end - start)
    at = end
  }
  return result + text.slice(at)
}

interface Edit {
  start: number
  end: number
  maskWith: string | undefined
}
