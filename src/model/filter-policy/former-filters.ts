// What a subscription's filter policy was before, for messages that were published before it changed and are looked at after. Changes are
// numbered over all subscriptions; a message tells how many there had been.
import type { Subscription } from '../topic.ts'

/** Attributes that filter, as they were from a change on until the next. */
export interface FormerFilter {
  /** Number of the change that brought it; 0: there from the subscription's beginning. */
  readonly change: number
  /** When it ended, in ms since 1970. */
  readonly endedAt: number
  readonly attributes: Readonly<Record<string, string>>
}

export const FILTER_CHANGES = 'filter change'

/** No message is looked at later than this after it was published, unless deliveries stand still. */
const KEPT_MS = 3600 * 1000
const KEPT_MAX = 8
/** Of policies kept; the last one is, whatever its length. */
const KEPT_CHARS_MAX = 256 * 1024

const NAMES = ['FilterPolicy', 'FilterPolicyScope'] as const

/** The subscription with the change recorded, if it is one of its filter. */
export function withFormerFilter(before: Subscription, after: Subscription, now: number, nextChange: () => number): Subscription {
  const former = filterIn(before.attributes)
  const next = filterIn(after.attributes)
  if (former['FilterPolicy'] === undefined && next['FilterPolicy'] === undefined) return after
  if (NAMES.every((name) => former[name] === next[name])) return after
  const kept = (before.formerFilters ?? []).filter(({ endedAt }) => endedAt > now - KEPT_MS)
  const formerFilters = [...kept, { change: before.filterChange ?? 0, endedAt: now, attributes: former }].slice(-KEPT_MAX)
  while (formerFilters.length > 1 && charactersOf(formerFilters) > KEPT_CHARS_MAX) formerFilters.shift()
  return { ...after, filterChange: nextChange(), formerFilters }
}

/** The filtering attributes that a message met when `changes` changes had been made; undefined: those of today. */
export function filterAt({ filterChange, formerFilters }: Subscription, changes: number): Readonly<Record<string, string>> | undefined {
  if (changes >= (filterChange ?? 0)) return undefined
  return formerFilters?.findLast(({ change }) => change <= changes)?.attributes
}

function charactersOf(filters: readonly FormerFilter[]): number {
  return filters.reduce((sum, { attributes }) => sum + (attributes['FilterPolicy']?.length ?? 0), 0)
}

function filterIn(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(NAMES.flatMap((name) => (attributes[name] === undefined ? [] : [[name, attributes[name]]])))
}
