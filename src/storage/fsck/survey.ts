// One look at everything: each part by itself, then what they say of each other.
import { rootKeyId } from '../../model/root-key.ts'
import { DATA_FORMAT, KEYRING_FILE, KEYRING_FORMAT, readKeyring, ROOT_KEY_BYTES } from '../disk/format.ts'
import { FsckRefused } from '../fsck.ts'
import type { Position } from '../journal.ts'
import { segmentFileName } from '../segments/format.ts'
import { type BlobsPicture, checkBlobs } from './blobs.ts'
import { type Check, damage, listOf, NOTHING, readWhole } from './check.ts'
import { checkHistory, type HistoryPicture } from './history.ts'
import { checkJournal, type FrameFound, type JournalPicture } from './journal.ts'
import { checkLake, judgeLake, type LakePicture } from './lake.ts'
import { INDEX_FILE, QueuesPicture } from './queues.ts'
import { checkRecords, RECORDS_FILE, type RecordsPicture } from './records.ts'
import { checkTopicArchives, type TopicArchivesPicture } from './topic-archives.ts'
import { checkTree } from './tree.ts'
import { type ReferenceProblem, References } from './references.ts'

export interface Survey {
  readonly journal: JournalPicture
  /** Places in the journal up to which someone has read or applied it, or reads on from. */
  readonly places: readonly Position[]
  readonly records: RecordsPicture
  readonly references: References
  /** Rows that are damage by what they say. */
  readonly badRows: readonly ReferenceProblem[]
  /** Changes in the journal that lie before the records' checkpoint, of keys that the records lost; the newest counts. */
  readonly recovered: ReadonlyMap<string, Buffer | undefined>
  /** Changes behind the records' checkpoint; the newest counts. Keys: table and key, as one text. */
  readonly newest: ReadonlyMap<string, Buffer | undefined>
  readonly queues: QueuesPicture
  readonly blobs: BlobsPicture
  readonly lake: LakePicture
  readonly history: HistoryPicture
  readonly topicArchives: TopicArchivesPicture
}

/** All that may lie in a data directory. */
export const KNOWN: ReadonlySet<string> = new Set([
  'format.json',
  'root.key',
  'root.key.next',
  'keyring.json',
  'failure.json',
  'restored.json',
  'lock',
  'lock-journal',
  'admin.sock',
  'journal',
  'records',
  'queues',
  'blobs',
  'archive',
  'archive.json',
  'lake',
  'history',
  'tree',
  'topic-archives',
  'backup-staging',
])

export async function survey(check: Check): Promise<Survey> {
  checkDirectory(check)
  const references = new References()
  const sound = new Set<string>()
  const records = await checkRecords(check, (table, key, value) => {
    references.change(table, key, value)
    sound.add(rowName(table, key))
  })
  const queues = new QueuesPicture(check)
  await queues.load()
  const recordsLost = records.hasLost || records.state === undefined || records.damaged.size > 0
  const recovered = new Map<string, Buffer | undefined>()
  const newest = new Map<string, Buffer | undefined>()
  const checkpoint = records.state?.checkpoint ?? 0
  const seeRecords = ({ position, entries }: FrameFound): void => {
    for (const { entry } of entries) {
      if (entry.kind !== 'put' && entry.kind !== 'delete') continue
      const name = rowName(entry.table, entry.key)
      const value = entry.kind === 'put' ? Buffer.from(entry.value) : undefined
      if (position >= checkpoint) newest.set(name, value)
      else if (recordsLost && !sound.has(name)) recovered.set(name, value)
    }
  }
  const journal = await checkJournal(check, (frame) => {
    seeRecords(frame)
    queues.see(frame, 'journal')
  })
  for (const changes of [recovered, newest]) for (const [name, value] of changes) references.change(...rowOf(name), value)
  queues.judge(journal)
  const blobs = await checkBlobs(check, references.blobs())
  const badRows = judgeRows(check, references, journal, blobs)
  const lake = await checkLake(check)
  judgeLake(check, lake, journal)
  const history = await checkHistory(check)
  await checkTree(check, references.treeState(), journal)
  const topicArchives = await checkTopicArchives(check, references.topicArchives())
  judgePositions(check, { journal, records, queues, references })
  const places = [
    records.state?.checkpoint ?? 0,
    queues.position ?? 0,
    queues.released ?? 0,
    ...references.positions(),
    ...lakePlaces(lake),
    history.checkpoint,
  ]
  return { journal, places, records, references, badRows, recovered, newest, queues, blobs, lake, history, topicArchives }
}

function lakePlaces({ manifest, chunks }: LakePicture): Position[] {
  return [manifest?.upTo ?? 0, ...chunks.flatMap(({ from, upTo }) => [from, upTo])]
}

export function rowName(table: number, key: string): string {
  return String.fromCharCode(table) + key
}

export function rowOf(name: string): [table: number, key: string] {
  return [name.charCodeAt(0), name.slice(1)]
}

function checkDirectory(check: Check): void {
  const format = readWhole(check, check.path('format.json'))
  if (format === undefined) damage(check, 'format.json', 'it is missing')
  else {
    const number = formatOf(format)
    if (number === undefined) damage(check, 'format.json', `it should hold {"format":${DATA_FORMAT}}`)
    else if (number > DATA_FORMAT)
      throw new FsckRefused(`${check.folder} has format ${number}; this release knows up to ${DATA_FORMAT}. Use the newer release.`)
  }
  checkKeys(check)
  for (const name of listOf(check, check.folder)) {
    if (KNOWN.has(name)) continue
    if (name.startsWith('salvage-'))
      check.report({ severity: 'info', file: name, what: 'what an earlier salvage moved', remedy: 'remove it when you need it no more' })
    else check.report({ severity: 'warning', file: name, what: 'it is none of our files', remedy: 'move it away' })
  }
}

/** A key that comes from elsewhere is not ours to look for. */
function checkKeys(check: Check): void {
  const remedy = 'restore it from a backup; nothing else can open what it sealed'
  const bytes = readWhole(check, check.path(KEYRING_FILE))
  const keyring = bytes === undefined ? undefined : readKeyring(bytes.toString('utf8'))
  if (bytes !== undefined && keyring === undefined) damage(check, KEYRING_FILE, 'it is not the JSON it should be', remedy)
  if (keyring !== undefined && keyring.format > KEYRING_FORMAT)
    throw new FsckRefused(
      `${check.path(KEYRING_FILE)} has format ${keyring.format}; this release knows up to ${KEYRING_FORMAT}. Use the newer release.`,
    )
  if (keyring !== undefined && (keyring.root.source !== 'file' || keyring.root.file !== undefined)) return
  const key = readWhole(check, check.path('root.key'))
  if (key === undefined) return damage(check, 'root.key', 'it is missing', remedy)
  if (key.length !== ROOT_KEY_BYTES)
    return damage(check, 'root.key', `it has ${key.length} bytes; a root key has ${ROOT_KEY_BYTES}`, remedy)
  if (keyring === undefined || rootKeyId(key) === keyring.root.id) return
  const next = readWhole(check, check.path('root.key.next'))
  if (next === undefined || rootKeyId(next) !== keyring.root.id)
    damage(check, 'root.key', `it is key ${rootKeyId(key)}; the directory is sealed under ${keyring.root.id}`, remedy)
}

export function formatOf(bytes: Buffer): number | undefined {
  try {
    const { format } = JSON.parse(bytes.toString('utf8')) as { readonly format?: unknown }
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  }
}

function judgeRows(check: Check, references: References, journal: JournalPicture, blobs: BlobsPicture): ReferenceProblem[] {
  const bad: ReferenceProblem[] = []
  const infos = new Map<string, number>()
  for (const problem of references.problems(journal, (id) => blobs.good.has(id))) {
    if (problem.severity === 'info') {
      const name = `of table ${problem.table}: ${problem.what}`
      infos.set(name, (infos.get(name) ?? 0) + 1)
      continue
    }
    const remedy = problem.severity === 'damage' ? undefined : NOTHING
    const what = `record ${JSON.stringify(problem.key)} of table ${problem.table}: ${problem.what}`
    if (remedy === undefined) damage(check, RECORDS_FILE, what)
    else check.report({ severity: problem.severity, file: RECORDS_FILE, what, remedy })
    if (problem.severity === 'damage') bad.push(problem)
  }
  for (const [name, count] of infos)
    check.report({ severity: 'info', file: RECORDS_FILE, what: `${count} records ${name}`, remedy: NOTHING })
  return bad
}

function judgePositions(
  check: Check,
  {
    journal,
    records,
    queues,
    references,
  }: { journal: JournalPicture; records: RecordsPicture; queues: QueuesPicture; references: References },
): void {
  const last = journal.segments.at(-1)
  const file = last === undefined ? 'journal' : `journal/${segmentFileName(last.number)}`
  const reached = Math.max(records.state?.checkpoint ?? 0, queues.position ?? 0)
  if (reached > journal.durable)
    damage(check, file, `the journal ends at position ${journal.durable}, but ${reached} had been reached: its end is missing`)
  const { state } = records
  if (state !== undefined && state.checkpoint < journal.start) {
    damage(
      check,
      RECORDS_FILE,
      `their checkpoint stands at ${state.checkpoint}; the journal starts at ${journal.start}: the records are older than the journal`,
    )
  }
  const numbers = references.queueNumbers()
  for (const [queue, waiting] of queues.waiting) {
    if (waiting.size > 0 && !numbers.has(queue)) {
      check.report({
        severity: 'warning',
        file: INDEX_FILE,
        what: `${waiting.size} messages of queue number ${queue}, which no queue has`,
        remedy: NOTHING,
      })
    }
    const routes = new Set([...waiting.values()].map(({ route }) => route).filter((route) => !references.hasRoute(route)))
    for (const route of routes) {
      check.report({
        severity: 'warning',
        file: INDEX_FILE,
        what: `messages of queue number ${queue} came by route ${route}, which does not exist`,
        remedy: NOTHING,
      })
    }
  }
}
