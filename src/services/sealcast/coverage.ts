// Coverage: what each minute of a span was, for the server's own record and for each trail. The server's spans come from its acts, the
// trails' from the calls that changed them, as the record tells them.
import { downSpans } from '../../engine/life-rows.ts'
import type { Call } from '../../engine/operation.ts'
import { parseArn, partitionOf } from '../../model/arn.ts'
import { type CoverageMinutes, type CoverageSpan, coverageOf, downMarks, MINUTE_MS, minutesOf } from '../../model/coverage.ts'
import { Table } from '../../model/tables.ts'
import { type Selectors, type TrailChange, trailMarks } from '../../model/trail-coverage.ts'
import type { AdvancedEventSelector, EventSelector, Trail } from '../../model/trail.ts'
import { type CensusCheck, checkCensus } from './census-check.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation, SealcastParts } from './operation.ts'

export interface CoverageInput {
  /** ISO 8601. */
  readonly From?: string
  readonly To?: string
  /** Only this account's trails. */
  readonly AccountId?: string
  /** Only trails that take the region's events. */
  readonly Region?: string
}

export interface CoverageReport {
  /** Milliseconds since 1970, whole minutes. */
  readonly from: number
  readonly to: number
  readonly server: Covered
  /** Whether as many events as calls ask for stand between the censuses of the span. */
  readonly census: CensusCheck
  readonly trails: readonly (Covered & { readonly trailArn: string; readonly isGone: boolean })[]
}

export interface Covered {
  readonly spans: readonly CoverageSpan[]
  readonly minutes: CoverageMinutes
}

const DAYS_MAX = 3660

export const coverage: SealcastOperation<CoverageInput, CoverageReport> = (parts) => ({
  name: 'Coverage',
  access: 'read',
  record: { parameters: ({ From: from, To: to, AccountId: accountId, Region: region }) => ({ from, to, accountId, region }) },
  run(tx, input) {
    const { from, to } = spanOf(input, tx.now)
    return { from, to, server: covered([]), census: { spans: 0, events: 0, mismatches: [] }, trails: [] }
  },
  answer: async ({ from, to }, call, input) => report(parts, call, input, from, to),
})

async function report(parts: SealcastParts, call: Call, input: CoverageInput, from: number, to: number): Promise<CoverageReport> {
  const { tables, clock } = call.env
  const now = clock.now()
  const downs = downMarks(downSpans(tables), now)
  const histories = await readHistories(parts)
  const trails = tables.range(Table.trails, {}).map(({ value }) => value)
  for (const { trailArn } of trails) if (!histories.has(trailArn)) histories.set(trailArn, { changes: [], isMultiRegion: false })
  const covering = [...histories].flatMap(([trailArn, history]) => {
    const trail = trails.find((candidate) => candidate.trailArn === trailArn)
    if (!isAskedFor(trailArn, trail, history, input)) return []
    const marks = [...trailMarks(history.changes, nowOf(trail), to), ...downs]
    return [{ trailArn, isGone: trail === undefined, ...covered(coverageOf(from, to, marks)) }]
  })
  const server = covered(coverageOf(from, to, downs))
  const census = await checkCensus(parts.lake, from, to)
  return { from, to, server, census, trails: covering.sort((a, b) => (a.trailArn < b.trailArn ? -1 : 1)) }
}

function covered(spans: readonly CoverageSpan[]): Covered {
  return { spans, minutes: minutesOf(spans) }
}

function spanOf({ From, To }: CoverageInput, now: number): { readonly from: number; readonly to: number } {
  const to = Math.min(timeOf('To', To) ?? now, now)
  const from = timeOf('From', From) ?? to - 24 * 60 * MINUTE_MS
  if (from >= to) throw badRequest('From: must lie before To and before now')
  if (to - from > DAYS_MAX * 24 * 60 * MINUTE_MS) throw badRequest(`From: a span has at most ${DAYS_MAX} days`)
  return { from: Math.floor(from / MINUTE_MS) * MINUTE_MS, to: Math.ceil(to / MINUTE_MS) * MINUTE_MS }
}

function timeOf(name: string, text: unknown): number | undefined {
  if (text === undefined) return undefined
  const time = typeof text === 'string' && /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) throw badRequest(`${name}: give a time such as 2026-01-31T12:00:00Z`)
  return time
}

function nowOf(trail: Trail | undefined) {
  if (trail === undefined) return undefined
  const { createdAt, isLogging, eventSelectors, advancedEventSelectors } = trail
  return { createdAt, isLogging, ...(eventSelectors && { eventSelectors }), ...(advancedEventSelectors && { advancedEventSelectors }) }
}

interface History {
  readonly changes: TrailChange[]
  isMultiRegion: boolean
}

function isAskedFor(trailArn: string, trail: Trail | undefined, history: History, { AccountId, Region }: CoverageInput): boolean {
  const arn = parseArn(trailArn)
  if (AccountId !== undefined && arn?.account !== AccountId) return false
  return Region === undefined || arn?.region === Region || (trail?.isMultiRegion ?? history.isMultiRegion)
}

const CHANGES = `SELECT epoch_ms(committed_at), coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid), eventname,
    awsregion, recipientaccountid, requestparameters, responseelements
  FROM events
  WHERE event_class = 'aws' AND eventsource = 'cloudtrail.amazonaws.com' AND errorcode IS NULL
    AND eventname IN ('CreateTrail', 'UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging', 'PutEventSelectors')
  ORDER BY position`

/** The calls that changed each trail, by its ARN. */
async function readHistories({ lake, caughtUp }: SealcastParts): Promise<Map<string, History>> {
  await caughtUp()
  const histories = new Map<string, History>()
  const result = await lake.query(CHANGES)
  for await (const batch of result.batches)
    for (const row of batch)
      take(
        histories,
        row.map((value) => (value === null ? '' : String(value))),
      )
  return histories
}

function take(
  histories: Map<string, History>,
  [at = '', by = '', name = '', region = '', account = '', input = '', output = '']: string[],
): void {
  const parameters = parse(input)
  const answered = parse(output)
  const given = String(answered['trailARN'] ?? parameters['trailName'] ?? parameters['name'] ?? '')
  const trailArn = given.startsWith('arn:') ? given : `arn:${partitionOf(region)}:cloudtrail:${region}:${account}:trail/${given}`
  const history = histories.get(trailArn) ?? { changes: [], isMultiRegion: false }
  histories.set(trailArn, history)
  if (typeof parameters['isMultiRegionTrail'] === 'boolean') history.isMultiRegion = parameters['isMultiRegionTrail']
  if (name === 'UpdateTrail') return
  const change = { at: Number(at), by, name: name as TrailChange['name'] }
  history.changes.push(name === 'PutEventSelectors' ? { ...change, selectors: selectorsOf(parameters) } : change)
}

/** The record spells members in lower camel. */
function selectorsOf(parameters: Readonly<Record<string, unknown>>): Selectors {
  const { eventSelectors: basic, advancedEventSelectors: advanced } = upperCamel(parameters, 0) as {
    eventSelectors?: readonly EventSelector[]
    advancedEventSelectors?: readonly AdvancedEventSelector[]
  }
  return advanced !== undefined ? { advancedEventSelectors: advanced } : basic !== undefined ? { eventSelectors: basic } : {}
}

function upperCamel(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => upperCamel(item, depth))
  if (typeof value !== 'object' || value === null) return value
  const named = Object.entries(value).map(([name, item]) => [
    depth === 0 ? name : name.slice(0, 1).toUpperCase() + name.slice(1),
    upperCamel(item, depth + 1),
  ])
  return Object.fromEntries(named)
}

function parse(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = json === '' ? {} : JSON.parse(json)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
