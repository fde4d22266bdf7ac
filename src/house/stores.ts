// The stores of a server, opened: on its data directory, or in memory.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { Tables } from '../engine/tables.ts'
import { openArchiveFolder } from '../storage/disk/archive-folder.ts'
import { diskBlobs } from '../storage/disk/blobs.ts'
import type { DataDirectory } from '../storage/disk/data-directory.ts'
import { diskFiles } from '../storage/disk/files.ts'
import { ARCHIVE_BLOBS } from '../storage/disk/format.ts'
import { openDuckdbLake } from '../storage/duckdb/lake.ts'
import { type HeldBlobs, heldBlobs } from '../storage/held-blobs.ts'
import type { History } from '../storage/history.ts'
import { openHistory } from '../storage/history/history.ts'
import { lmdbHistoryStore } from '../storage/history/lmdb-store.ts'
import { memoryHistoryStore } from '../storage/history/memory-store.ts'
import type { Journal } from '../storage/journal.ts'
import { type Lake, LakeDamaged } from '../storage/lake.ts'
import { assertLmdbFileSound } from '../storage/lmdb-file.ts'
import { openLmdbRecords } from '../storage/lmdb/records.ts'
import { memoryBlobs } from '../storage/memory/blobs.ts'
import { memoryFiles } from '../storage/memory/files.ts'
import { memoryRecords } from '../storage/memory/records.ts'
import { lmdbQueueStore } from '../storage/queues/lmdb-store.ts'
import { memoryQueueStore } from '../storage/queues/memory-store.ts'
import { openQueues } from '../storage/queues/queues.ts'
import type { ValueSealing } from '../storage/sealed-value.ts'
import { sealedRecords } from '../storage/sealed-records.ts'
import { openJournal } from '../storage/segments/journal.ts'
import { type Store, openStore } from '../storage/store.ts'
import type { StoreKeys } from '../storage/store-keys.ts'
import { openTopicArchives } from '../storage/topic-archives/archives.ts'
import type { TopicArchives } from '../storage/topic-archives.ts'
import type { BackupStores } from './backup-parts.ts'
import type { Config } from './options.ts'
import { openStoreKeys } from './sealed-stores.ts'

/** In memory the segments are memory already. */
const MEMORY_RING_BYTES = 8 * 1024 * 1024

export interface StorageOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Absent: everything in memory. */
  readonly data: DataDirectory | undefined
  readonly purpose: 'serve' | 'command'
}

export interface Storage {
  readonly store: Store
  readonly tables: Tables
  readonly blobs: HeldBlobs
  readonly archive: HeldBlobs
  /** What has snapshots. */
  readonly copied: Pick<BackupStores, 'records' | 'queueIndex' | 'queueBodies' | 'history'>
  /** Undefined in memory. */
  readonly archiveFolder: string | undefined
  readonly history: History
  readonly topicArchives: TopicArchives
  /** Those that backups are sealed with. */
  readonly backupKeys: StoreKeys
  readonly bytes: () => Readonly<Record<string, number>>
}

/** Enough that a damaged tree is met before lmdb follows it, in some tens of milliseconds at most. */
const CHECKED_PAGES = 2048

export async function openStorage({ config, clock, random, log, data, purpose }: StorageOptions): Promise<Storage> {
  const segmentBytes = config['journal.segmentBytes']
  for (const name of data === undefined ? [] : ['records', 'queues/index', 'queues/bodies', 'history'])
    assertLmdbFileSound(diskFiles(), join(data?.folder ?? '', name, 'data.mdb'), CHECKED_PAGES)
  const keysOf = openStoreKeys({ data, clock, stores: purpose === 'serve' ? config['seal.stores'] : undefined })
  const sealingOf = (store: string): ValueSealing => ({ keys: keysOf(store), random })
  // As they lie there; a backup copies them so.
  const stored = data === undefined ? memoryRecords() : await openLmdbRecords({ folder: folderOf(data, 'records'), clock, log })
  const records = sealedRecords(stored, sealingOf('records'))
  const queueStore = data === undefined ? memoryQueueStore() : lmdbQueueStore({ folder: folderOf(data, 'queues') })
  const blobs = heldBlobs(
    data === undefined ? memoryBlobs({ clock, random }) : await diskBlobs({ folder: folderOf(data, 'blobs'), random, clock }),
  )
  const archiveFolder = data === undefined ? undefined : openArchiveFolder(data.folder, config['archive.folder'])
  const archive = heldBlobs(
    archiveFolder === undefined
      ? memoryBlobs({ clock, random })
      : await diskBlobs({ folder: join(archiveFolder, ARCHIVE_BLOBS), random, clock }),
  )
  const historyStore = data === undefined ? memoryHistoryStore() : lmdbHistoryStore({ folder: folderOf(data, 'history') })
  const history = openHistory({ store: historyStore, random })
  // They hold the bodies of messages that waited long, as queues do, and are sealed where those are.
  const topicArchives = openTopicArchives({
    files: data === undefined ? memoryFiles() : diskFiles(),
    folder: data === undefined ? '/topic-archives' : folderOf(data, 'topic-archives'),
    sealing: sealingOf('queues'),
    log,
  })
  const journal =
    data === undefined
      ? await openJournal({
          files: memoryFiles(),
          folder: '/journal',
          random,
          clock,
          log,
          writer: 'inline',
          segmentBytes,
          ringBytes: MEMORY_RING_BYTES,
        })
      : await openJournal({
          files: diskFiles(),
          folder: folderOf(data, 'journal'),
          random,
          clock,
          log,
          writer: 'thread',
          segmentBytes,
          keys: keysOf('journal'),
          // What lies before was on stable storage when the records took it in; whoever reads it again checks it then.
          ...(records.flushed > 0 && { checkedFrom: records.flushed }),
        })
  const queues = await openQueues({ journal, store: queueStore, sealing: sealingOf('queues') })
  const tables = new Tables(records)
  const store = await openStore({ journal, records, queues }, (end) => tables.applied(end))
  if (store.recovered.frames > 0) log.info('recovered', { frames: store.recovered.frames })
  return {
    store,
    tables,
    blobs,
    archive,
    archiveFolder,
    history,
    topicArchives,
    backupKeys: keysOf('backup'),
    copied: { records: stored, queueIndex: queueStore.index, queueBodies: queueStore.bodies, history: historyStore },
    bytes: () => ({
      journal: journal.bytes(),
      records: records.bytes(),
      queues: queues.bytes().coldBodies,
      blobs: blobs.bytes(),
      archive: archive.bytes(),
      history: history.bytes(),
      topicArchives: topicArchives.bytes(),
    }),
  }
}

export function folderOf(
  data: DataDirectory,
  name: 'journal' | 'records' | 'queues' | 'blobs' | 'lake' | 'history' | 'tree' | 'topic-archives',
): string {
  const folder = data.path(name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

export function openLake({ data, clock, log }: StorageOptions): Lake {
  return openDuckdbLake({ folder: data === undefined ? undefined : folderOf(data, 'lake'), files: diskFiles(), clock, log })
}

/** The journal is kept for the lake until it has taken it in. */
export function refuseOldLake(lake: Lake, journal: Journal): void {
  if (lake.checkpoint >= journal.start) return
  throw new LakeDamaged(
    `the lake ends at position ${lake.checkpoint}, but the journal starts at ${journal.start}: the lake is missing, or an older copy. ` +
      'Nothing was changed. Restore a backup of the whole data directory, or use `sealcast fsck --salvage`.',
  )
}
