// Which data events are recorded at all, for services whose data events nobody gets by default: those that a logging trail asks for.
import type { Tables } from '../../engine/tables.ts'
import { type SelectableEvent, takesEvent, wantsDataEvents } from '../../model/event-selector.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'

/** For the audit: `selected`. The logging trails are looked up again only after one has changed. */
export function createDataEventFilter(tables: Tables): (event: { readonly eventSource: string; readonly json: string }) => boolean {
  let logging: readonly Trail[] | undefined
  tables.watch(Table.trails, () => (logging = undefined))
  return ({ eventSource, json }) => {
    logging ??= tables
      .range(Table.trails, {})
      .map(({ value }) => value)
      .filter((trail) => trail.isLogging)
    if (!wantsDataEvents(logging, eventSource)) return false
    const event = JSON.parse(json) as SelectableEvent
    return logging.some((trail) => takesEvent(trail, event))
  }
}
