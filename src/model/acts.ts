// What the server remembers of its own life (Table.acts): whether it runs, when it was last known alive, what it counted, which lineage its
// record belongs to, and the spans in which it could record nothing.

/** Calls by kind, and what makes their number differ from that of their events. All counts are of whole calls or events. */
export interface Counts {
  /** Calls of AWS's services with a principal. */
  readonly aws: number
  /** Calls of the operator's service. */
  readonly own: number
  /** Calls that need no signature and had none. */
  readonly unsigned: number
  /** Calls whose signature did not hold. */
  readonly refusedSignature: number
  /** Calls without an event: data events that no trail asks for. */
  readonly unasked: number
  /** Refused signatures beyond the rate at which they are stored. */
  readonly unstored: number
  /** Events beyond a call's first: the copies of other accounts, a failure behind a commit. */
  readonly further: number
  /** Requests that were answered 503 and changed nothing. No calls, and no events. */
  readonly turnedAway: number
  /** Calls that a crash left uncounted, taken from the events they left; counted in `aws` and `own` as well. */
  readonly assumed: number
}

export const NOTHING_COUNTED: Counts = {
  ...{ aws: 0, own: 0, unsigned: 0, refusedSignature: 0 },
  ...{ unasked: 0, unstored: 0, further: 0, turnedAway: 0, assumed: 0 },
}

export const COUNTED = Object.keys(NOTHING_COUNTED) as (keyof Counts)[]

export function addCounts(a: Counts, b: Counts): Counts {
  return Object.fromEntries(COUNTED.map((name) => [name, a[name] + b[name]])) as unknown as Counts
}

/** Calls = events + listed exceptions: how many events of calls there have to be. */
export function eventsOf({ aws, own, unsigned, refusedSignature, unasked, unstored, further }: Counts): number {
  return aws + own + unsigned + refusedSignature - unasked - unstored + further
}

export interface LifeRow {
  readonly kind: 'life'
  readonly state: 'running' | 'stopped'
  readonly since: number
  /** Of the newest server that ran; absent while none did. */
  readonly version?: string
  /** What `settings` was made with. */
  readonly salt?: string
  /** A hash of each setting that differs from its default, by key: says that it changed, and not to what. */
  readonly settings?: Readonly<Record<string, string>>
  /** Folders of salvages that were told. */
  readonly salvages?: readonly string[]
}

/** The server lived at `at`. All calls before the position `uncounted` are in a census. */
export interface AliveRow {
  readonly kind: 'alive'
  readonly at: number
  readonly uncounted: number
}

/** The newest census: told in the frame at `position`. */
export interface CensusRow {
  readonly kind: 'census'
  readonly at: number
  readonly position: number
  /** Since the data directory was made, or since the first release that counted. */
  readonly total: Counts
  /** What commands counted on a stopped server's data directory: the next census tells it. */
  readonly untold?: Counts
}

/** Which history this record continues. A restore begins another one: what it declares missing is no fork. */
export interface LineageRow {
  readonly kind: 'lineage'
  /** Of the data directory, through all restores of it. */
  readonly directory: string
  readonly id: string
  /** 1, and one more with each restore. */
  readonly number: number
  readonly since: number
  /** How it began; absent in the first. */
  readonly restored?: RestoreNote
}

/** What a restore leaves for the first start on what it restored (restored.json). */
export interface RestoreNote {
  /** Of the new lineage. */
  readonly lineage: string
  readonly generation: number
  /** When the backup was taken, and up to where it holds the journal. */
  readonly takenAt: number
  readonly position: number
  /** The lineage that was backed up. */
  readonly from: string
  readonly restoredAt: number
}

export type DownCause = (typeof DOWN_CAUSES)[number]

/** `not set up`: before the first start. `unknown`: before a release that tells. */
export const DOWN_CAUSES = [
  ...(['stopped', 'crashed', 'read-only', 'version change', 'restored', 'clock jumped'] as const),
  ...(['not set up', 'unknown'] as const),
]

/** Nothing was recorded between `from` and `to` (ms since 1970), or since `from`; of `unknown` nobody can say. */
export interface DownRow {
  readonly kind: 'down'
  readonly from: number
  readonly to?: number
  readonly cause: DownCause
  readonly what?: string
}

export type ActsRow = LifeRow | AliveRow | CensusRow | LineageRow | DownRow

export const DOWN_PREFIX = 'down/'

/** Rows of spans sort by their beginning. */
export function downKey(from: number): string {
  return DOWN_PREFIX + String(from).padStart(15, '0')
}
