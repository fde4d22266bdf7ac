// Which queues name a queue as their dead-letter queue: derived from the queues' records, kept for all of them, and corrected when one
// changes.
import type { Tables } from '../../engine/tables.ts'
import { settingsOf } from '../../model/queue-attributes.ts'
import { Table } from '../../model/tables.ts'
import type { Queue } from '../../model/topic.ts'

interface Index {
  readonly targets: Map<string, string>
  readonly sources: Map<string, Set<string>>
}

const indexes = new WeakMap<Tables, Index>()

/** Reads all queues once: at the start, so that no call waits for it. */
export function openDeadLetterSources(tables: Tables): void {
  indexOf(tables)
}

/** ARNs in order. */
export function deadLetterSourcesOf(tables: Tables, targetArn: string): readonly string[] {
  return [...(indexOf(tables).sources.get(targetArn) ?? [])].toSorted()
}

function indexOf(tables: Tables): Index {
  const known = indexes.get(tables)
  if (known !== undefined) return known
  const index: Index = { targets: new Map(), sources: new Map() }
  indexes.set(tables, index)
  for (const { key, value } of tables.range(Table.queues, {})) note(index, key, value)
  tables.watch(Table.queues, (key) => note(index, key, tables.get(Table.queues, key)))
  return index
}

function note({ targets, sources }: Index, arn: string, queue: Queue | undefined): void {
  const target = queue === undefined ? undefined : settingsOf(queue).redrive?.deadLetterTargetArn
  const before = targets.get(arn)
  if (before === target) return
  if (before !== undefined) {
    sources.get(before)?.delete(arn)
    if (sources.get(before)?.size === 0) sources.delete(before)
  }
  if (target === undefined) {
    targets.delete(arn)
    return
  }
  targets.set(arn, target)
  const others = sources.get(target)
  if (others === undefined) sources.set(target, new Set([arn]))
  else others.add(arn)
}
