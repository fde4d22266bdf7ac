// The event configuration of a trail or an event data store: what enriches, enlarges or aggregates events. Events are recorded as they
// are here, so that the one configuration that has an effect is the one there is.
import type { Call, Operation } from '../../engine/operation.ts'
import type { TableReader } from '../../engine/tables.ts'
import { channelErrors } from './channel-errors.ts'
import { errors } from './errors.ts'
import { resolveStore } from './existing-channel.ts'
import { findTrail, resolveTrailArn, trailToChange } from './trail-name.ts'

interface Target {
  readonly TrailName?: string
  readonly EventDataStore?: string
}

interface PutInput extends Target {
  readonly MaxEventSize?: string
  readonly ContextKeySelectors?: readonly object[]
  readonly AggregationConfigurations?: readonly object[]
}

type Output =
  | { readonly TrailARN: string; readonly AggregationConfigurations: readonly never[] }
  | { readonly EventDataStoreArn: string; readonly MaxEventSize: 'Standard'; readonly ContextKeySelectors: readonly never[] }

export const getEventConfiguration: Operation<Target, Output> = {
  name: 'GetEventConfiguration',
  access: 'read',
  resource: targetArn,
  run: (tx, input, call) => configurationOf(tx, input, call),
}

export const putEventConfiguration: Operation<PutInput, Output> = {
  name: 'PutEventConfiguration',
  access: 'write',
  resource: targetArn,
  run(tx, input, call) {
    const { MaxEventSize: size, ContextKeySelectors: context = [], AggregationConfigurations: aggregations = [] } = input
    const configuration = configurationOf(tx, input, call)
    if (input.TrailName !== undefined) {
      trailToChange(tx, call, input.TrailName)
      if (size !== undefined || context.length > 0)
        throw errors.combination(
          'MaxEventSize and ContextKeySelectors belong to an event data store; leave them out, or give EventDataStore.',
        )
    }
    if (aggregations.length > 0)
      throw channelErrors.unoffered('PutEventConfiguration with AggregationConfigurations', 'events are not aggregated; leave it empty')
    if (context.length > 0)
      throw channelErrors.unoffered('PutEventConfiguration with ContextKeySelectors', 'events are not enriched; leave it empty')
    if (size !== undefined && size !== 'Standard')
      throw channelErrors.unoffered(`PutEventConfiguration with MaxEventSize ${size.slice(0, 50)}`, 'give Standard')
    return configuration
  },
}

function targetArn(input: Target, call: Call): string {
  const { TrailName: name, EventDataStore: store } = input
  if (name !== undefined && store !== undefined) throw errors.combination('Give TrailName or EventDataStore, not both.')
  if (name !== undefined) return resolveTrailArn(call.env.tables, call, name)
  if (store === undefined) throw errors.invalidParameter('Give TrailName or EventDataStore.')
  return resolveStore(call, store)
}

function configurationOf(tables: TableReader, { TrailName: name, EventDataStore: store }: Target, call: Call): Output {
  if (name !== undefined) return { TrailARN: findTrail(tables, call, name).trailArn, AggregationConfigurations: [] }
  return { EventDataStoreArn: resolveStore(call, store ?? ''), MaxEventSize: 'Standard', ContextKeySelectors: [] }
}
