// Which data events are recorded at all, for services whose data events nobody gets by default: those that a logging trail asks for.
import type { DataEventFilter } from '../../engine/audit.ts'
import type { Tables } from '../../engine/tables.ts'
import { type SelectableEvent, takesEvent, wantsDataEvents } from '../../model/event-selector.ts'
import type { Trail } from '../../model/trail.ts'
import { Table } from '../../model/tables.ts'

/** For the audit. The logging trails are looked up again only after one has changed. */
export function createDataEventFilter(tables: Tables): DataEventFilter {
  let kept: readonly Trail[] | undefined
  const wanting = new Map<string, boolean>()
  tables.watch(Table.trails, () => {
    kept = undefined
    wanting.clear()
  })
  const logging = (): readonly Trail[] =>
    (kept ??= tables
      .range(Table.trails, {})
      .map(({ value }) => value)
      .filter((trail) => trail.isLogging))
  return {
    wants(eventSource) {
      let wants = wanting.get(eventSource)
      if (wants === undefined) wanting.set(eventSource, (wants = wantsDataEvents(logging(), eventSource)))
      return wants
    },
    takes(json) {
      const event = JSON.parse(json) as SelectableEvent
      return logging().some((trail) => takesEvent(trail, event))
    },
  }
}
