// What a backup of the data directory consists of, store by store: who adds a store adds its part here. A test holds this list against all
// that the check of a data directory knows.
import { join } from 'node:path'
import { BACKUP_STAGING, type BackupFile, type BackupPart } from '../storage/backup.ts'
import type { Blobs } from '../storage/blobs.ts'
import { ARCHIVE_BLOBS, ARCHIVE_MARK, ARCHIVE_POINTER, blobPath } from '../storage/disk/format.ts'
import type { Files } from '../storage/files.ts'
import type { Journal } from '../storage/journal.ts'
import type { Lake } from '../storage/lake.ts'
import type { TopicArchives } from '../storage/topic-archives.ts'
import { writeWholeFile } from '../storage/whole-files.ts'

const FORMAT_FILE = 'format.json'

/** What has a snapshot of its own. */
export interface Copied {
  copyTo(folder: string): Promise<void>
}

export interface BackupStores {
  readonly files: Files
  /** The data directory. */
  readonly folder: string
  /** Perhaps on another disk. */
  readonly archiveFolder: string
  readonly journal: Journal
  readonly records: Copied
  readonly queueIndex: Copied
  readonly queueBodies: Copied
  readonly history: Copied
  readonly blobs: Blobs
  readonly archive: Blobs
  readonly lake: Lake
  readonly topicArchives: TopicArchives
  /** The name of the tree whose files are there now: one that was begun anew has other bytes under the same paths. */
  readonly treeName: () => string
}

/** In the data directory, and in no backup: what is of one process or one moment, the key (an option), and what a salvage put aside. */
export const LEFT_OUT = [
  ...['root.key', 'root.key.next', 'failure.json', 'restored.json', 'lock', 'lock-journal', 'admin.sock'],
  BACKUP_STAGING,
] as const

export function backupParts(stores: BackupStores): readonly BackupPart[] {
  const {
    files,
    folder,
    archiveFolder,
    journal,
    records,
    queueIndex,
    queueBodies,
    history,
    blobs,
    archive,
    lake,
    topicArchives,
    treeName,
  } = stores
  return [
    // The index before the bodies: a body that goes between is removed again by the replay of what the index has not seen.
    lmdbPart('queues-index', 'queues/index', queueIndex),
    lmdbPart('queues-bodies', 'queues/bodies', queueBodies),
    lmdbPart('records', 'records', records),
    lmdbPart('history', 'history', history),
    { name: 'lake', phases: ['first', 'before'], files: async (staging) => lakeFiles(stores, staging, lake) },
    {
      name: 'directory',
      phases: ['behind'],
      // The keyring comes last of all, by engine/backup.ts.
      files: async () => [fileOf(folder, FORMAT_FILE, false)],
    },
    {
      name: 'archive',
      phases: ['first', 'behind'],
      // Wherever it lies: a restore puts it into the data directory.
      files: async (staging) => {
        writeWholeFile(files, join(staging, ARCHIVE_POINTER), Buffer.from(`${JSON.stringify({ format: 1, folder: 'archive' })}\n`))
        const marks: BackupFile[] = [
          { path: ARCHIVE_POINTER, source: join(staging, ARCHIVE_POINTER), isLasting: false },
          { path: `archive/${ARCHIVE_MARK}`, source: join(archiveFolder, ARCHIVE_MARK), isLasting: false },
        ]
        const source = (path: string): string => join(archiveFolder, path)
        return [
          ...marks,
          ...(await blobsOf(archive, ARCHIVE_BLOBS)).map((path) => ({ path: `archive/${path}`, source: source(path), isLasting: true })),
        ]
      },
    },
    {
      name: 'journal',
      phases: ['behind'],
      files: async (_staging, position) => {
        const segments = journal.segments().filter(({ start }, at) => at === 0 || start < position)
        return segments.map(({ file, bytesUpTo, end }) => ({
          ...fileOf(folder, `journal/${file}`, end <= position),
          bytes: bytesUpTo(position),
        }))
      },
    },
    {
      name: 'blobs',
      phases: ['first', 'behind'],
      files: async () => (await blobsOf(blobs, 'blobs')).map((path) => fileOf(folder, path, true)),
    },
    {
      name: 'topic-archives',
      phases: ['first', 'behind'],
      // What a file has beyond the copied journal is cut off by the first start on the copy.
      files: async () =>
        topicArchives.files().map(({ name, bytes, isClosed }) => ({
          ...fileOf(folder, `topic-archives/${name}`, isClosed),
          ...(!isClosed && { bytes }),
        })),
    },
    // Its files only grow, and what the record counts of them was flushed before it.
    {
      name: 'tree',
      phases: ['first', 'behind'],
      files: async () => filesBelow(files, folder, 'tree').map((file) => ({ ...file, partOf: treeName() })),
    },
  ]
}

async function blobsOf(blobs: Blobs, folder: string): Promise<string[]> {
  const paths: string[] = []
  for await (const { id } of blobs.list()) paths.push(blobPath(folder, id))
  return paths
}

function fileOf(folder: string, path: string, isLasting: boolean): BackupFile {
  return { path, source: join(folder, path), isLasting }
}

function lmdbPart(name: string, path: string, store: Copied): BackupPart {
  return {
    name,
    phases: ['before'],
    async files(staging) {
      await store.copyTo(staging)
      return [{ path: `${path}/data.mdb`, source: join(staging, 'data.mdb'), isLasting: false }]
    },
  }
}

function lakeFiles({ files, folder }: BackupStores, staging: string, lake: Lake): BackupFile[] {
  const picture = lake.picture()
  if (picture === undefined) return []
  writeWholeFile(files, join(staging, 'manifest.json'), picture.manifest)
  return [
    { path: 'lake/manifest.json', source: join(staging, 'manifest.json'), isLasting: false },
    ...picture.files.map((name) => fileOf(folder, `lake/${name}`, true)),
  ]
}

function filesBelow(files: Files, folder: string, path: string): BackupFile[] {
  if (!files.exists(join(folder, path))) return []
  return files.list(join(folder, path)).flatMap((name) => {
    const below = `${path}/${name}`
    return isFolder(files, join(folder, below)) ? filesBelow(files, folder, below) : [fileOf(folder, below, true)]
  })
}

function isFolder(files: Files, path: string): boolean {
  try {
    files.list(path)
    return true
  } catch {
    return false
  }
}
