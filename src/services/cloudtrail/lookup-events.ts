// LookupEvents: management events of the last ninety days in the call's account and region, newest first, by at most one attribute.
import { createHash } from 'node:crypto'
import type { Call, Operation } from '../../engine/operation.ts'
import { HISTORY_DAYS, historyEventOf, historyScope, LOOKUP_KEYS, lookupTerm } from '../../model/history-event.ts'
import type { History, HistoryQuery } from '../../storage/history.ts'
import { errors } from './errors.ts'

interface Input {
  readonly LookupAttributes?: readonly { readonly AttributeKey: string; readonly AttributeValue: string }[]
  readonly StartTime?: Date
  readonly EndTime?: Date
  readonly EventCategory?: string
  readonly MaxResults?: number
  readonly NextToken?: string
}

interface Output {
  readonly Events: readonly LookedUpEvent[]
  readonly NextToken?: string
}

interface LookedUpEvent {
  readonly EventId: string
  readonly EventName: string
  readonly ReadOnly?: string
  readonly AccessKeyId?: string
  readonly EventTime: Date
  readonly EventSource: string
  readonly Username?: string
  readonly Resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[]
  readonly CloudTrailEvent: string
}

export interface LookupParts {
  readonly history: Pick<History, 'find'>
  /** Resolves when all that was durable at the call is found. */
  readonly caughtUp: () => Promise<void>
  /** Takes one call of the account and region; false beyond AWS's rate. */
  readonly mayLookUp: (account: string, region: string) => boolean
}

const RESULTS_MAX = 50
const VALUE_CHARS_MAX = 2000
const INSIGHT_KEYS: readonly string[] = ['EventId', 'EventName', 'EventSource']
const DAY_MS = 24 * 60 * 60_000
const TOKEN_CONTEXT = 'LookupEvents.NextToken'

export function createLookupEvents({ history, caughtUp, mayLookUp }: LookupParts): Operation<Input, Output, Output> {
  return {
    name: 'LookupEvents',
    access: 'read',
    async prepare(call, input) {
      const query = checkedQuery(call, input)
      if (!mayLookUp(call.account, call.region)) throw errors.throttled()
      // There are no insight events yet.
      if (input.EventCategory !== undefined) return { Events: [] }
      await caughtUp()
      const { events, hasMore } = history.find(query)
      const last = events.at(-1)
      return {
        Events: events.flatMap(({ json }) => lookedUp(json)),
        ...(hasMore && last !== undefined && { NextToken: sealToken(call, input, last.number) }),
      }
    },
    run: (_tx, _input, _call, found) => found,
  }
}

/** Throws what AWS does, in its order. */
function checkedQuery(call: Call, input: Input): HistoryQuery {
  const { StartTime: start, EndTime: end, EventCategory: category, MaxResults: max = RESULTS_MAX, NextToken: token } = input
  if (category !== undefined && category !== 'insight') throw errors.eventCategory(category)
  const term = checkedTerm(input)
  if (start !== undefined && end !== undefined && start > end)
    throw errors.timeRange('The StartTime is later than the EndTime. Give a StartTime that lies before the EndTime.')
  if (!Number.isInteger(max) || max < 1 || max > RESULTS_MAX)
    throw errors.maxResults(`MaxResults must be a whole number from 1 to ${RESULTS_MAX}, not ${max}.`)
  const before = token === undefined ? undefined : openToken(call, input, token)
  return {
    scope: historyScope(call.account, call.region),
    from: Math.max(start?.getTime() ?? -Infinity, call.env.clock.now() - HISTORY_DAYS * DAY_MS),
    ...(term !== undefined && { term }),
    ...(end !== undefined && { to: end.getTime() }),
    ...(before !== undefined && { before }),
    limit: max,
  }
}

function checkedTerm({ LookupAttributes: attributes = [], EventCategory: category }: Input): string | undefined {
  const [attribute] = attributes
  if (attributes.length > 1) throw errors.lookupAttributes('LookupAttributes takes one attribute; leave the others out.')
  if (attribute === undefined) return undefined
  const { AttributeKey: given, AttributeValue: value } = attribute
  const key = LOOKUP_KEYS.find((known) => known === given)
  const allowed = category === undefined ? LOOKUP_KEYS : INSIGHT_KEYS
  if (key === undefined || !allowed.includes(key))
    throw errors.lookupAttributes(`AttributeKey must be one of ${allowed.join(', ')}, not ${given.slice(0, 100)}.`)
  // Quirk: some characters count twice (CloudTrail API reference, LookupAttribute).
  const length = value.length + (value.match(/[_ ,\n]/g)?.length ?? 0)
  if (length < 1 || length > VALUE_CHARS_MAX)
    throw errors.lookupAttributes(
      `AttributeValue must have 1 to ${VALUE_CHARS_MAX} characters, not ${length}; underscores, blanks, commas and line feeds count twice.`,
    )
  return lookupTerm(key, value)
}

function lookedUp(json: string): readonly LookedUpEvent[] {
  const event = historyEventOf(json)
  if (event === undefined) return []
  return [
    {
      EventId: event.eventId,
      EventName: event.eventName,
      ...(event.readOnly !== undefined && { ReadOnly: event.readOnly }),
      ...(event.accessKeyId !== undefined && { AccessKeyId: event.accessKeyId }),
      EventTime: new Date(event.time),
      EventSource: event.eventSource,
      ...(event.username !== undefined && { Username: event.username }),
      Resources: event.resources.map(({ type, name }) => ({ ResourceType: type, ResourceName: name })),
      CloudTrailEvent: json,
    },
  ]
}

/** A token holds for the parameters it was given out for, and for nobody else. The size of a page may change. */
function sealToken(call: Call, input: Input, number: number): string {
  return Buffer.from(call.env.seal.seal(String(number), tokenContext(call, input))).toString('base64')
}

function openToken(call: Call, input: Input, token: string): number {
  try {
    return Number(call.env.seal.open(Buffer.from(token, 'base64').toString('latin1'), tokenContext(call, input)))
  } catch {
    throw errors.lookupToken()
  }
}

function tokenContext(call: Call, { LookupAttributes, StartTime, EndTime, EventCategory }: Input): string {
  const parameters = [call.account, call.region, LookupAttributes ?? [], StartTime, EndTime, EventCategory]
  return `${TOKEN_CONTEXT} ${createHash('sha256').update(JSON.stringify(parameters)).digest('base64url')}`
}
