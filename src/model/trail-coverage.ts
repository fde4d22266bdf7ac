// What a trail selected at which time, folded from the calls that changed it: the marks of its coverage. It speaks of management events,
// which every trail has unless somebody takes them away; data events are asked for one by one.
import type { CoverageSpan } from './coverage.ts'
import type { AdvancedEventSelector, EventSelector } from './trail.ts'

/** A call that changed a trail, as the record tells it. */
export interface TrailChange {
  readonly at: number
  readonly by: string
  readonly name: 'CreateTrail' | 'StartLogging' | 'StopLogging' | 'DeleteTrail' | 'PutEventSelectors'
  readonly selectors?: Selectors
}

export interface Selectors {
  readonly eventSelectors?: readonly EventSelector[]
  readonly advancedEventSelectors?: readonly AdvancedEventSelector[]
}

/** What the trail is now; undefined where it is no more. */
export interface TrailNow extends Selectors {
  readonly createdAt: number
  readonly isLogging: boolean
}

interface State {
  readonly exists: boolean
  readonly isLogging: boolean
  readonly selectors: Selectors
  /** The last change of each, for who brought the state about. */
  readonly because: { readonly name: string; readonly by: string; readonly at: number } | undefined
  readonly selectedBy: { readonly by: string; readonly at: number } | undefined
}

/** Marks from the beginning of time to `until`. */
export function trailMarks(changes: readonly TrailChange[], now: TrailNow | undefined, until: number): CoverageSpan[] {
  const marks: CoverageSpan[] = []
  let from = 0
  let state = stateBefore(changes, now)
  // What lies before the trail was made needs its own word where the record no longer holds the call that made it.
  if (state.exists && now !== undefined) {
    marks.push({ from: 0, to: now.createdAt, state: 'unselected', why: 'there was no such trail' })
    from = now.createdAt
  }
  for (const change of changes) {
    marks.push(...markOf(state, from, change.at))
    from = Math.max(from, change.at)
    state = changed(state, change)
  }
  return [...marks, ...markOf(state, from, until)]
}

/** Before the first change that the record holds: what that change implies, else what is now. */
function stateBefore(changes: readonly TrailChange[], now: TrailNow | undefined): State {
  const [first] = changes
  const isMade = first?.name === 'CreateTrail' || (first === undefined && now === undefined)
  const turn = changes.find(({ name }) => name === 'StartLogging' || name === 'StopLogging')
  const isLogging = turn === undefined ? now?.isLogging === true : turn.name === 'StopLogging'
  const selectors = changes.some(({ name }) => name === 'PutEventSelectors') || now === undefined ? {} : now
  return { exists: !isMade, isLogging: !isMade && isLogging, selectors, because: undefined, selectedBy: undefined }
}

function changed(state: State, { name, by, at, selectors }: TrailChange): State {
  const because = { name, by, at }
  switch (name) {
    case 'CreateTrail':
      return { exists: true, isLogging: false, selectors: {}, because, selectedBy: undefined }
    case 'DeleteTrail':
      return { ...state, exists: false, isLogging: false, because }
    case 'StartLogging':
    case 'StopLogging':
      return { ...state, isLogging: name === 'StartLogging', because }
    case 'PutEventSelectors':
      return { ...state, selectors: selectors ?? {}, selectedBy: { by, at } }
  }
}

function markOf({ exists, isLogging, selectors, because, selectedBy }: State, from: number, to: number): CoverageSpan[] {
  if (to <= from) return []
  const when = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
  if (!exists || !isLogging) {
    const what = !exists ? 'there was no such trail' : 'the trail was not logging'
    const why = because === undefined ? what : `${what} (${because.name} ${when(because.at)})`
    return [{ from, to, state: 'unselected', why, ...(because !== undefined && { by: because.by }) }]
  }
  const leftOut = leftOutBy(selectors)
  if (leftOut.length === 0) return []
  const isAll = leftOut.includes('management reads') && leftOut.includes('management writes')
  const what = `selectors leave out ${leftOut.join(', ')}`
  const why = selectedBy === undefined ? what : `${what} (PutEventSelectors ${when(selectedBy.at)})`
  return [{ from, to, state: isAll ? 'unselected' : 'partly', why, ...(selectedBy !== undefined && { by: selectedBy.by }) }]
}

/** Management events that the selectors do not take; empty when they take all. */
export function leftOutBy({ eventSelectors, advancedEventSelectors }: Selectors): string[] {
  if (advancedEventSelectors !== undefined) return leftOutByAdvanced(advancedEventSelectors)
  if (eventSelectors === undefined) return []
  const taking = eventSelectors.filter(({ IncludeManagementEvents }) => IncludeManagementEvents !== false)
  const takes = (kind: string): boolean => taking.some(({ ReadWriteType = 'All' }) => ReadWriteType === 'All' || ReadWriteType === kind)
  const excluded = taking.length === 0 ? [] : taking.flatMap(({ ExcludeManagementEventSources = [] }) => ExcludeManagementEventSources)
  return [
    ...(takes('ReadOnly') ? [] : ['management reads']),
    ...(takes('WriteOnly') ? [] : ['management writes']),
    ...[...new Set(excluded)].map((source) => `management events of ${source}`),
  ]
}

function leftOutByAdvanced(selectors: readonly AdvancedEventSelector[]): string[] {
  const management = selectors.filter(({ FieldSelectors }) =>
    FieldSelectors.some(({ Field, Equals }) => Field === 'eventCategory' && Equals?.includes('Management') === true),
  )
  const narrowed = (selector: AdvancedEventSelector) => selector.FieldSelectors.filter(({ Field }) => Field !== 'eventCategory')
  const takes = (value: string): boolean =>
    management.some((selector) => {
      const readOnly = selector.FieldSelectors.find(({ Field }) => Field === 'readOnly')
      return readOnly === undefined || readOnly.Equals?.includes(value) === true
    })
  const others = management.every((selector) => narrowed(selector).some(({ Field }) => Field !== 'readOnly'))
    ? management.flatMap((selector) =>
        narrowed(selector).flatMap(({ Field }) => (Field === 'readOnly' ? [] : [`management events by their ${Field}`])),
      )
    : []
  return [...(takes('true') ? [] : ['management reads']), ...(takes('false') ? [] : ['management writes']), ...new Set(others)]
}
