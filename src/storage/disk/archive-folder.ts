// Where the archive lies: in the data directory, or in a folder of its own, perhaps on another disk. The data directory remembers where,
// and the folder bears a mark, so that a disk that is not mounted is named at the start and never taken for an empty archive.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ARCHIVE_MARK, ARCHIVE_POINTER } from './format.ts'

export class ArchiveMissing extends Error {
  override name = 'ArchiveMissing'
}

/** `wanted`: as it is set; undefined: where it was, else in the data directory. Makes it where there was none. Throws ArchiveMissing. */
export function openArchiveFolder(dataFolder: string, wanted: string | undefined): string {
  const known = archiveFolderOf(dataFolder)
  const folder = wanted === undefined ? (known ?? join(dataFolder, 'archive')) : resolve(wanted)
  const isMarked = existsSync(join(folder, ARCHIVE_MARK))
  if (known !== undefined && !isMarked)
    throw new ArchiveMissing(
      `the archive is not at ${folder}; it was last at ${known}. Mount it, move its files there, or set archive.folder to where they are`,
    )
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!isMarked) writeDurably(folder, ARCHIVE_MARK, { format: 1 })
  if (known !== folder) writeDurably(dataFolder, ARCHIVE_POINTER, { format: 1, folder: wanted === undefined ? 'archive' : folder })
  return folder
}

/** Where the data directory says that the archive is; undefined where there never was one. */
export function archiveFolderOf(dataFolder: string): string | undefined {
  const file = join(dataFolder, ARCHIVE_POINTER)
  if (!existsSync(file)) return undefined
  try {
    const { folder } = JSON.parse(readFileSync(file, 'utf8')) as { readonly folder?: unknown }
    if (typeof folder === 'string') return resolve(dataFolder, folder)
  } catch {
    // As one that says nothing.
  }
  throw new ArchiveMissing(`${file} is damaged: write {"format":1,"folder":"where the archive is"} into it`)
}

function writeDurably(folder: string, name: string, value: object): void {
  const temporary = join(folder, `${name}.new`)
  const file = openSync(temporary, 'w', 0o600)
  writeSync(file, `${JSON.stringify(value)}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, join(folder, name))
  const opened = openSync(folder, 'r')
  fsyncSync(opened)
  closeSync(opened)
}
