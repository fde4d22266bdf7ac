// PutEventSelectors: basic selectors or advanced ones, which replace all that were there.
import type { Operation } from '../../engine/operation.ts'
import { checkAdvancedEventSelectors, checkEventSelectors, EventSelectorInvalid } from '../../model/event-selector-check.ts'
import type { AdvancedEventSelector, EventSelector } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'
import { errors } from './errors.ts'
import { resolveTrailArn, trailToChange } from './trail-name.ts'

interface Input {
  readonly TrailName: string
  readonly EventSelectors?: readonly EventSelector[]
  readonly AdvancedEventSelectors?: readonly AdvancedEventSelector[]
}

interface Output {
  readonly TrailARN: string
  readonly EventSelectors?: readonly EventSelector[]
  readonly AdvancedEventSelectors?: readonly AdvancedEventSelector[]
}

export const putEventSelectors: Operation<Input, Output> = {
  name: 'PutEventSelectors',
  access: 'write',
  resource: (input, call) => resolveTrailArn(call.env.tables, call, input.TrailName),
  run(tx, input, call) {
    const { eventSelectors: _, advancedEventSelectors: __, ...trail } = trailToChange(tx, call, input.TrailName)
    const { EventSelectors: basic, AdvancedEventSelectors: advanced } = input
    if (basic !== undefined && advanced !== undefined)
      throw errors.combination('You can use either EventSelectors or AdvancedEventSelectors for a trail, not both.')
    if (advanced !== undefined) {
      refuseInvalid(() => checkAdvancedEventSelectors(advanced))
      tx.put(Table.trails, trail.trailArn, { ...trail, advancedEventSelectors: advanced })
      return { TrailARN: trail.trailArn, AdvancedEventSelectors: advanced }
    }
    if (basic === undefined) throw errors.invalidSelectors('Give EventSelectors or AdvancedEventSelectors.')
    refuseInvalid(() => checkEventSelectors(basic))
    const eventSelectors = basic.map(withDefaults)
    tx.put(Table.trails, trail.trailArn, { ...trail, eventSelectors })
    return { TrailARN: trail.trailArn, EventSelectors: eventSelectors }
  },
}

function withDefaults(selector: EventSelector): EventSelector {
  return {
    ReadWriteType: selector.ReadWriteType ?? 'All',
    IncludeManagementEvents: selector.IncludeManagementEvents ?? true,
    DataResources: selector.DataResources ?? [],
    ExcludeManagementEventSources: selector.ExcludeManagementEventSources ?? [],
  }
}

function refuseInvalid(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof EventSelectorInvalid ? errors.invalidSelectors(error.message) : error
  }
}
