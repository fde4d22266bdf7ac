// GetEventSelectors: those that were put, or what a new trail has.
import type { Operation } from '../../engine/operation.ts'
import { defaultEventSelectors } from '../../model/event-selector.ts'
import type { AdvancedEventSelector, EventSelector } from '../../model/trail.ts'
import { findTrail, resolveTrailArn } from './trail-name.ts'

interface Output {
  readonly TrailARN: string
  readonly EventSelectors?: readonly EventSelector[]
  readonly AdvancedEventSelectors?: readonly AdvancedEventSelector[]
}

export const getEventSelectors: Operation<{ readonly TrailName: string }, Output> = {
  name: 'GetEventSelectors',
  access: 'read',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.TrailName),
  run(tx, input, call) {
    const { trailArn, eventSelectors, advancedEventSelectors } = findTrail(tx, call, input.TrailName)
    return advancedEventSelectors === undefined
      ? { TrailARN: trailArn, EventSelectors: eventSelectors ?? defaultEventSelectors }
      : { TrailARN: trailArn, AdvancedEventSelectors: advancedEventSelectors }
  },
}
