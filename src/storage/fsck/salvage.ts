// The way out of damage. Everything that is damaged or replaced is moved into salvage-TIME/, under its own path; nothing is deleted. New
// files are complete and flushed before they take the place of old ones, so that a salvage that is cut short can be begun again.
import { dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { DATA_FORMAT } from '../disk/format.ts'
import type { Files } from '../files.ts'
import type { Finding } from '../fsck.ts'
import { readWhole, writeNew } from './check.ts'
import type { Salvage } from './repair.ts'
import { repairHistory } from './history.ts'
import { repairJournal } from './repair-journal.ts'
import { repairLake } from './repair-lake.ts'
import { repairQueues } from './repair-queues.ts'
import { repairRecords } from './repair-records.ts'
import { repairTopicArchives } from './topic-archives.ts'
import { formatOf, type Survey } from './survey.ts'

export interface SalvageParts {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  readonly folder: string
  readonly storeKeys: Salvage['storeKeys']
  readonly survey: Survey
  readonly findings: readonly Finding[]
}

/** Returns the folder with what was moved and the report. */
export async function salvage({ files, clock, random, folder, storeKeys, survey, findings }: SalvageParts): Promise<string> {
  const name = `salvage-${new Date(clock.now()).toISOString().replaceAll(':', '-')}`
  const target = join(folder, name)
  const moved: string[] = []
  const losses: string[] = []
  const kept = new Map<string, object[]>()
  const move = (from: string): void => {
    if (!files.exists(join(folder, from))) return
    files.makeFolder(dirname(join(target, from)))
    files.rename(join(folder, from), join(target, from))
    files.syncFolder(dirname(join(target, from)))
    moved.push(from)
  }
  const fresh = (path: string): string => join(target, 'new', path)
  files.makeFolder(join(target, 'new'))
  const tools: Salvage = {
    files,
    storeKeys,
    random,
    now: clock.now(),
    path: (path) => join(folder, path),
    fresh,
    move,
    replace(path) {
      move(path)
      files.makeFolder(dirname(join(folder, path)))
      files.rename(fresh(path), join(folder, path))
      files.syncFolder(dirname(join(folder, path)))
    },
    lost: (what) => void losses.push(what),
    keep(file, row) {
      const rows = kept.get(file) ?? []
      rows.push(row)
      kept.set(file, rows)
    },
  }
  const isDamaged = (prefix: string): boolean => findings.some(({ severity, file }) => severity === 'damage' && file.startsWith(prefix))
  repairFormat(tools)
  // What reads the old journal comes before what replaces it.
  const isJournalDamaged = isDamaged('journal')
  if (isDamaged('records') || isJournalDamaged) await repairRecords(tools, survey, isJournalDamaged)
  if (isDamaged('queues') || isJournalDamaged) await repairQueues(tools, survey)
  // Without its files the next start begins a new tree, under another name.
  if (isDamaged('tree')) move('tree')
  if (isDamaged('lake')) repairLake(tools, survey)
  if (isDamaged('history')) repairHistory(tools, survey.history)
  repairTopicArchives(tools, survey.topicArchives)
  for (const file of survey.blobs.cut) move(file)
  if (isJournalDamaged) repairJournal(tools, survey)
  for (const [file, rows] of kept)
    writeNew(
      { files },
      join(target, file),
      rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)),
    )
  const report = { salvagedAt: new Date(clock.now()).toISOString(), moved, lost: losses, kept: [...kept.keys()], findings }
  writeNew({ files }, join(target, 'report.json'), [Buffer.from(`${JSON.stringify(report, undefined, 2)}\n`)])
  files.syncFolder(target)
  files.syncFolder(folder)
  return target
}

function repairFormat(salvage: Salvage): void {
  const bytes = readWhole(salvage, salvage.path('format.json'))
  if (bytes !== undefined && formatOf(bytes) !== undefined) return
  writeNew(salvage, salvage.fresh('format.json'), [Buffer.from(`${JSON.stringify({ format: DATA_FORMAT })}\n`)])
  salvage.replace('format.json')
}
