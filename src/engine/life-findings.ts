// What a start finds of the life before: that it ended without a word, could not write any more, was restored or salvaged, and how many
// events it left that no census has counted.
import { join } from 'node:path'
import type { LifeRow, RestoreNote } from '../model/acts.ts'
import { addCounts, NOTHING_COUNTED } from '../model/acts.ts'
import { EntryKind, EventClass, readEntries } from '../model/entry.ts'
import { Table } from '../model/tables.ts'
import type { Files } from '../storage/files.ts'
import { readWholeFile } from '../storage/whole-files.ts'
import { lastCensus } from './census.ts'
import type { Env } from './env.ts'
import { closeDown, iso, jumpDetails, lifeOf, putDown, putLife } from './life-rows.ts'
import { lineageOf } from './lineage.ts'
import type { Transaction } from './transaction.ts'

/** What a life that could not write any more leaves: { at, reason }. */
export const FAILURE_FILE = 'failure.json'
/** What a restore leaves: a RestoreNote. */
export const RESTORED_FILE = 'restored.json'

export interface Findings {
  readonly life: LifeRow | undefined
  /** When the server is known to have lived; 0 when it never did. */
  readonly aliveAt: number
  /** Events of calls behind the last census. */
  readonly uncounted: { readonly aws: number; readonly own: number }
  readonly failure: { readonly at: number; readonly reason: string } | undefined
  readonly restored: RestoreNote | undefined
  /** Folders of salvages that are not on the record yet. */
  readonly salvages: readonly string[]
  /** To be removed once the findings are durable. */
  readonly files: readonly string[]
}

interface Where {
  readonly env: Env
  readonly files: Files
  readonly folder: string | undefined
}

export async function findLife({ env, files, folder }: Where): Promise<Findings> {
  const life = lifeOf(env.tables)
  const alive = env.tables.get(Table.acts, 'alive')
  const left = alive?.kind === 'alive' ? await readLeft(env, alive.uncounted) : { aws: 0, own: 0, newestAt: 0 }
  const note = folder === undefined ? undefined : readJson<RestoreNote>(files, join(folder, RESTORED_FILE))
  const failure = folder === undefined ? undefined : readJson<{ at: number; reason: string }>(files, join(folder, FAILURE_FILE))
  return {
    life,
    aliveAt: Math.max(left.newestAt, alive?.kind === 'alive' ? alive.at : 0, life?.since ?? 0),
    uncounted: { aws: left.aws, own: left.own },
    failure,
    // A crash between the commit and the file's removal.
    restored: note !== undefined && lineageOf(env.tables)?.id !== note.lineage ? note : undefined,
    salvages: salvagesIn(files, folder).filter((name) => life?.salvages?.includes(name) !== true),
    files: folder === undefined ? [] : [join(folder, RESTORED_FILE), join(folder, FAILURE_FILE)],
  }
}

/** Tells what was found, and brings the rows to where a new life can begin. */
export function tellFindings(tx: Transaction, { env }: Pick<Where, 'env'>, found: Findings): void {
  const { life, restored, failure, aliveAt, salvages, uncounted } = found
  const wasRunning = life?.state === 'running'
  const eventsSinceCensus = uncounted.aws + uncounted.own > 0 ? uncounted : undefined
  if (restored !== undefined) tellRestored(tx, env, restored, found)
  else if (wasRunning && failure !== undefined) {
    const { at, reason } = failure
    env.acts.tell(tx, { name: 'ReadOnlyEntered', details: { reason: 'journal failure', at: iso(at), message: reason, eventsSinceCensus } })
    putDown(tx, { from: at, cause: 'read-only', what: 'journal failure' })
  } else if (wasRunning) {
    env.acts.tell(tx, { name: 'ServerCrashed', details: { aliveAt: iso(aliveAt), foundAt: iso(tx.now), eventsSinceCensus } })
    putDown(tx, { from: aliveAt, cause: 'crashed' })
  } else if (eventsSinceCensus !== undefined) env.acts.tell(tx, { name: 'CommandCrashed', details: { eventsSinceCensus } })
  if (lineageOf(tx) === undefined) {
    const id = env.random.uuid()
    tx.put(Table.acts, 'lineage', { kind: 'lineage', directory: id, id, number: 1, since: tx.now })
  }
  if (aliveAt > tx.now) env.acts.tell(tx, { name: 'ClockJumped', details: { ...jumpDetails(aliveAt, tx.now), found: 'at the start' } })
  for (const folder of salvages) env.acts.tell(tx, { name: 'Salvaged', details: { folder } })
  const salvaged = [...(life?.salvages ?? []), ...salvages]
  if (wasRunning || salvages.length > 0) putLife(tx, { state: 'stopped', since: life?.since ?? tx.now, salvages: salvaged })
  countLeft(tx, env, uncounted)
}

function tellRestored(tx: Transaction, env: Env, restored: RestoreNote, { life, aliveAt, uncounted }: Findings): void {
  const before = lineageOf(tx)
  const number = (before?.number ?? 1) + 1
  env.acts.tell(tx, {
    name: 'Restored',
    details: {
      generation: restored.generation,
      backup: { takenAt: iso(restored.takenAt), position: restored.position, lineage: restored.from },
      restoredAt: iso(restored.restoredAt),
      lineage: { id: restored.lineage, number },
      // Declared: what was recorded there, if anything was, is not in this record.
      missing: { from: iso(restored.takenAt), to: iso(tx.now), behindPosition: restored.position },
      ...(uncounted.aws + uncounted.own > 0 && { eventsSinceCensus: uncounted }),
    },
  })
  tx.put(Table.acts, 'lineage', {
    kind: 'lineage',
    directory: before?.directory ?? restored.from,
    id: restored.lineage,
    number,
    since: tx.now,
    restored,
  })
  const from = life?.state === 'running' ? Math.min(aliveAt, restored.takenAt) : restored.takenAt
  closeDown(tx, from)
  putDown(tx, { from, cause: 'restored', what: `generation ${restored.generation}` })
}

/** Calls that a crash left uncounted enter the total by their events. */
function countLeft(tx: Transaction, env: Env, { aws, own }: Findings['uncounted']): void {
  const census = lastCensus(tx)
  if (census.at > 0 && aws + own === 0) return
  const total = addCounts(census.total, { ...NOTHING_COUNTED, aws, own, assumed: aws + own })
  tx.put(Table.acts, 'census', { ...census, at: tx.now, position: env.journal.tail, total })
  tx.put(Table.acts, 'alive', { kind: 'alive', at: tx.now, uncounted: env.journal.tail })
}

const EVENTS: ReadonlySet<number> = new Set([EntryKind.event])
const READ_BYTES = 4 * 1024 * 1024
const OWN_ACT = '"eventType":"SealcastServerEvent"'

/** Events of calls from `from` on, and when the newest event was committed. */
async function readLeft({ journal }: Env, from: number): Promise<{ aws: number; own: number; newestAt: number }> {
  const left = { aws: 0, own: 0, newestAt: 0 }
  for (let at = Math.max(from, journal.start); at < journal.durable;) {
    const frames = await journal.read(at, READ_BYTES)
    for (const { payload, end } of frames) {
      at = end
      for (const { entry } of readEntries(payload, EVENTS)) {
        if (entry.kind !== 'event') continue
        left.newestAt = Math.max(left.newestAt, entry.committedAt)
        if (entry.class === EventClass.aws) left.aws++
        else if (entry.class === EventClass.own && !entry.json.includes(OWN_ACT)) left.own++
      }
    }
    journal.release(frames)
  }
  return left
}

function salvagesIn(files: Files, folder: string | undefined): readonly string[] {
  if (folder === undefined) return []
  return files.list(folder).filter((name) => name.startsWith('salvage-') && files.exists(join(folder, name, 'report.json')))
}

/** A file of ours that cannot be read says nothing, but is not in the way of a start. */
function readJson<T>(files: Files, path: string): T | undefined {
  const bytes = readWholeFile(files, path)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(bytes.toString('utf8')) as T
  } catch {
    return undefined
  }
}
