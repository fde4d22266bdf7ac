// The storage floor put together: one journal, and the records and queues that are rebuilt from it. `apply` is the one way a frame
// takes effect, live and at recovery alike.
import { EntryKind, type EntryKindCode, readEntries } from '../model/entry.ts'
import type { Frame, Journal, Position } from './journal.ts'
import type { Queues } from './queues.ts'
import type { RecordChange, Records } from './records.ts'

export interface Store {
  readonly journal: Journal
  readonly records: Records
  readonly queues: Queues
  /** Frames that recovery had to apply again. */
  readonly recovered: { readonly frames: number; readonly from: Position }
  /** Makes checkpoints durable and lets go of segments that lie before them and before `needed`. */
  tidy(needed: Position): Promise<void>
  close(): Promise<void>
}

/** The parts are not of one time: one of them was lost, or an older copy of it was put back. Names it; nothing was changed. */
export class StoreRefused extends Error {
  override name = 'StoreRefused'
}

const REPLAY_BYTES = 4 * 1024 * 1024

/**
 * Applies what the journal holds beyond the checkpoints, then every group as it becomes durable. `onApplied` runs before callers settle.
 * Throws StoreRefused rather than go on with a hole.
 */
export async function openStore(parts: Parts, onApplied: (end: Position) => void = () => {}): Promise<Store> {
  const { journal, records, queues } = parts
  refuseHoles(parts)
  const from = Math.min(records.flushed, queues.checkpointed)
  let frames = 0
  for (let at = from; at < journal.durable;) {
    const group = await journal.read(at, REPLAY_BYTES)
    const last = group.at(-1)
    if (last === undefined) break
    apply(group, parts)
    frames += group.length
    at = last.end
  }
  journal.onDurable((group) => {
    apply(group, parts)
    const last = group.at(-1)
    if (last !== undefined) onApplied(last.end)
  })
  return {
    journal,
    records,
    queues,
    recovered: { frames, from },
    async tidy(needed) {
      const end = journal.durable
      records.apply([], end)
      await records.flush()
      const queuesFrom = await queues.checkpoint()
      const before = Math.min(records.flushed, queuesFrom, needed)
      const movable = journal.segments().filter((segment) => segment.end <= before)
      const upTo = movable.at(-1)?.end
      if (upTo !== undefined && (await queues.release(upTo))) journal.trim(upTo)
    },
    async close() {
      await journal.close()
      records.apply([], journal.durable)
      await records.flush()
      await queues.checkpoint()
      await queues.close()
      await records.close()
    },
  }
}

type Parts = { readonly journal: Journal; readonly records: Records; readonly queues: Queues }

function refuseHoles({ journal, records, queues }: Parts): void {
  const { start, durable } = journal
  const checkpoints = [
    ['records', records.flushed],
    ['queue index', queues.checkpointed],
  ] as const
  for (const [name, checkpoint] of checkpoints) {
    if (checkpoint > durable) throw refused(`the journal ends at position ${durable}, but the ${name} had reached ${checkpoint}`)
    if (checkpoint < start) throw refused(`the journal starts at position ${start}, but the ${name} had only reached ${checkpoint}`)
  }
  if (queues.released < start)
    throw refused(`the journal starts at position ${start}, but bodies of messages had only been copied up to ${queues.released}`)
}

function refused(what: string): StoreRefused {
  const remedy = 'restore a backup of the whole data directory, or use `sealcast fsck --salvage`'
  return new StoreRefused(`${what}: one of them is missing, or an older copy. Nothing was changed: ${remedy}.`)
}

const APPLIED: ReadonlySet<EntryKindCode> = new Set([
  EntryKind.put,
  EntryKind.delete,
  EntryKind.enqueue,
  EntryKind.hide,
  EntryKind.remove,
  EntryKind.drop,
  EntryKind.remember,
])

function apply(frames: readonly Frame[], { records, queues }: { readonly records: Records; readonly queues: Queues }): void {
  const changes: RecordChange[] = []
  let end = 0
  for (const frame of frames) {
    end = frame.end
    for (const { entry } of readEntries(frame.payload, APPLIED)) {
      switch (entry.kind) {
        case 'put':
          if (frame.position >= records.checkpoint) changes.push({ table: entry.table, key: entry.key, value: entry.value })
          break
        case 'delete':
          if (frame.position >= records.checkpoint) changes.push({ table: entry.table, key: entry.key, value: undefined })
          break
        case 'enqueue':
        case 'hide':
        case 'remove':
        case 'drop':
        case 'remember':
          if (frame.position >= queues.checkpointed) queues.apply(entry, frame.payloadPosition)
          break
        default:
      }
    }
  }
  if (changes.length > 0) records.apply(changes, end)
  queues.applied(end)
}
