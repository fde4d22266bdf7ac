// Backups of the running server: what is copied, and by whom.
import { join } from 'node:path'
import { type Backups, createBackups } from '../engine/backup.ts'
import type { Env } from '../engine/env.ts'
import { Table } from '../model/tables.ts'
import { backupSealing } from '../storage/backup/sealing.ts'
import { processSink } from '../storage/backup/sinks.ts'
import { diskFiles } from '../storage/disk/files.ts'
import { DATA_FORMAT } from '../storage/disk/format.ts'
import { takeLock } from '../storage/disk/lock.ts'
import type { Lake } from '../storage/lake.ts'
import { backupParts } from './backup-parts.ts'
import type { HouseOptions } from './options.ts'
import type { Storage } from './stores.ts'

export function createServerBackups(parts: {
  readonly options: HouseOptions
  readonly env: Env
  readonly storage: Storage
  readonly lake: Lake
  readonly idle: () => Promise<void>
}): Backups {
  const { options, env, storage, lake, idle } = parts
  const { data, version } = options
  const { blobs, archive, archiveFolder, copied, backupKeys, topicArchives } = storage
  const files = diskFiles()
  return createBackups({
    env,
    files,
    folder: data?.folder,
    version,
    dataFormat: DATA_FORMAT,
    hold: () => {
      const releases = [blobs.hold(), archive.hold(), topicArchives.hold()]
      return () => releases.forEach((release) => release())
    },
    parts:
      data === undefined
        ? []
        : backupParts({
            ...{ files, folder: data.folder, archiveFolder: archiveFolder ?? join(data.folder, 'archive') },
            ...{ journal: env.journal, blobs, archive, lake, topicArchives, ...copied },
            treeName: () => treeOrigin(env),
          }),
    openSink: () => processSink(files),
    sealing: () => backupSealing(backupKeys, env.random),
    takeLock,
    idle,
  })
}

function treeOrigin(env: Env): string {
  const state = env.tables.get(Table.tree, 'state')
  return state?.kind === 'state' ? state.origin : ''
}
