// Blobs, those of the archive included: those that are named are there with their size; what nobody names is told, and no damage.
import { isAbsolute, join, resolve } from 'node:path'
import { type BlobId, readBlobId } from '../blobs.ts'
import { ARCHIVE_BLOBS, ARCHIVE_MARK, ARCHIVE_POINTER, NEW_BLOBS } from '../disk/format.ts'
import { FsckRefused } from '../fsck.ts'
import { type Check, damage, listOf, NOTHING, readWhole, sizeOf } from './check.ts'

export interface BlobsPicture {
  readonly found: number
  /** Those whose files are as long as they were written. */
  readonly good: ReadonlySet<BlobId>
  /** Paths of files of another length, in the data directory. */
  readonly cut: readonly string[]
}

export async function checkBlobs(check: Check, named: ReadonlyMap<BlobId, number>): Promise<BlobsPicture> {
  const good = new Set<BlobId>()
  const cut: string[] = []
  let found = 0
  let orphans = 0
  let orphanBytes = 0
  const folders = ['blobs', ...archiveFolders(check)]
  for (const folder of folders) {
    const firsts = listOf(check, pathOf(check, folder)).filter((name) => name !== NEW_BLOBS)
    for (const [index, first] of firsts.entries()) {
      for (const second of listOf(check, pathOf(check, join(folder, first)))) {
        for (const name of listOf(check, pathOf(check, join(folder, first, second)))) look(join(folder, first, second, name), name)
      }
      await check.step('blobs', (folders.indexOf(folder) + (index + 1) / firsts.length) / folders.length)
    }
  }
  if (orphans > 0) {
    check.report({
      severity: 'info',
      file: 'blobs',
      what: `${orphans} blobs of ${orphanBytes} bytes that nothing names, as a crash may leave them`,
      remedy: NOTHING,
    })
  }
  return { found, good, cut }

  function look(file: string, name: string): void {
    const blob = readBlobId(name)
    if (blob === undefined) return check.report({ severity: 'warning', file, what: 'it is none of our files', remedy: 'move it away' })
    found++
    const bytes = sizeOf(check, pathOf(check, file))
    if (bytes === blob.bytes) good.add(blob.id)
    else {
      // What lies outside of the data directory is not moved: its object goes, and the file stays where it is.
      if (!isAbsolute(file)) cut.push(file)
      damage(check, file, `it has ${bytes} bytes; ${blob.bytes} were written`)
    }
    if (named.has(blob.id)) return
    orphans++
    orphanBytes += bytes
  }
}

/** The folder of the archive's bodies, if there is an archive. Throws FsckRefused when it is not where it should be. */
function archiveFolders(check: Check): string[] {
  const pointer = readWhole(check, check.path(ARCHIVE_POINTER))
  if (pointer === undefined && !check.files.exists(check.path(join('archive', ARCHIVE_MARK)))) return []
  const folder = pointer === undefined ? 'archive' : folderIn(pointer)
  if (folder === undefined)
    throw new FsckRefused(`${check.path(ARCHIVE_POINTER)} is damaged: write {"format":1,"folder":"where the archive is"} into it`)
  if (!check.files.exists(join(resolve(check.folder, folder), ARCHIVE_MARK)))
    throw new FsckRefused(
      `the archive of ${check.folder} is not at ${folder}: without it every archived object would look lost. Mount it, or move it back.`,
    )
  return [join(folder, ARCHIVE_BLOBS)]
}

function folderIn(pointer: Buffer): string | undefined {
  try {
    const { folder } = JSON.parse(pointer.toString('utf8')) as { readonly folder?: unknown }
    return typeof folder === 'string' ? folder : undefined
  } catch {
    return undefined
  }
}

/** `name`: from the data directory on, or whole. */
function pathOf(check: Check, name: string): string {
  return resolve(check.folder, name)
}
