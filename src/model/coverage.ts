// Coverage: what each minute of a span was for a record, as spans. Where something was not recorded for a part of a minute, the minute
// counts as not recorded: rounding never flatters.
import type { DownRow } from './acts.ts'

export const MINUTE_MS = 60_000

/** From the best to the worst; where several hold for a minute, the worst is told. */
export const COVERAGE_STATES = ['logged', 'partly', 'unselected', 'unknown', 'down'] as const
export type CoverageState = (typeof COVERAGE_STATES)[number]

export interface CoverageSpan {
  /** Milliseconds since 1970, whole minutes. */
  readonly from: number
  readonly to: number
  readonly state: CoverageState
  readonly why?: string
  /** Who brought it about, as the record names them. */
  readonly by?: string
}

export type CoverageMinutes = Readonly<Record<CoverageState, number>>

/** `marks` over a span in which all else is logged. */
export function coverageOf(from: number, to: number, marks: readonly CoverageSpan[]): CoverageSpan[] {
  let spans: CoverageSpan[] = to > from ? [{ from, to, state: 'logged' }] : []
  const rank = (state: CoverageState): number => COVERAGE_STATES.indexOf(state)
  for (const mark of marks.toSorted((a, b) => rank(a.state) - rank(b.state))) {
    const start = Math.max(from, Math.floor(mark.from / MINUTE_MS) * MINUTE_MS)
    const end = Math.min(to, Math.ceil(mark.to / MINUTE_MS) * MINUTE_MS)
    if (end > start) spans = paint(spans, { ...mark, from: start, to: end })
  }
  return spans
}

export function minutesOf(spans: readonly CoverageSpan[]): CoverageMinutes {
  const minutes = { logged: 0, partly: 0, unselected: 0, unknown: 0, down: 0 }
  for (const { from, to, state } of spans) minutes[state] += (to - from) / MINUTE_MS
  return minutes
}

/** The spans in which the server recorded nothing, until `now` where one has no end. */
export function downMarks(downs: readonly DownRow[], now: number): CoverageSpan[] {
  return downs.map(({ from, to, cause, what }) => ({
    from,
    to: to ?? now,
    state: cause === 'unknown' ? 'unknown' : 'down',
    why: cause === 'unknown' ? 'before a release that tells of itself' : what === undefined ? cause : `${cause} (${what})`,
  }))
}

function paint(spans: readonly CoverageSpan[], mark: CoverageSpan): CoverageSpan[] {
  const painted: CoverageSpan[] = []
  for (const span of spans) {
    if (span.to <= mark.from || span.from >= mark.to) {
      push(painted, span)
      continue
    }
    if (span.from < mark.from) push(painted, { ...span, to: mark.from })
    push(painted, { ...mark, from: Math.max(span.from, mark.from), to: Math.min(span.to, mark.to) })
    if (span.to > mark.to) push(painted, { ...span, from: mark.to })
  }
  return painted
}

/** Neighbours that say the same are one. */
function push(spans: CoverageSpan[], next: CoverageSpan): void {
  const last = spans.at(-1)
  if (last !== undefined && last.to === next.from && last.state === next.state && last.why === next.why && last.by === next.by)
    spans[spans.length - 1] = { ...last, to: next.to }
  else spans.push(next)
}
