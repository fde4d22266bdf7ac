// Whose insights a call means: those of a trail; event data stores have none here.
import type { Call } from '../../engine/operation.ts'
import { channelErrors } from './channel-errors.ts'
import { errors } from './errors.ts'
import { resolveStore } from './existing-channel.ts'

export interface InsightInput {
  readonly TrailName?: string
  readonly EventDataStore?: string
  readonly InsightsDestination?: string
}

/** Throws InvalidParameterException, InvalidParameterCombinationException and UnsupportedOperationException. */
export function insightTrailName(operation: string, input: InsightInput, call: Call): string {
  const { TrailName: name, EventDataStore: store, InsightsDestination: destination } = input
  if (name !== undefined && (store !== undefined || destination !== undefined))
    throw errors.combination('TrailName cannot be combined with EventDataStore or InsightsDestination; give TrailName alone.')
  if (name !== undefined) return name
  if (store === undefined) throw errors.invalidParameter('Give TrailName, the trail whose insights are meant.')
  resolveStore(call, store)
  throw channelErrors.unoffered(`${operation} for an event data store`, 'give TrailName in place of EventDataStore')
}
