// Which Parquet files are the lake: a small JSON file that is replaced as a whole. Its rename is the point at which a file begins or ceases
// to count; whatever lies in the folder beside it is left over from a crash.
import type { Files } from '../files.ts'
import { LakeDamaged } from '../lake.ts'
import { readWholeFile, replaceFile, withFile } from '../whole-files.ts'
import { LAKE_FORMAT, type Manifest } from './format.ts'

export type { LakeFile, Manifest } from './format.ts'

export const EMPTY_MANIFEST: Manifest = { format: LAKE_FORMAT, upTo: 0, imports: 0, files: [] }

export function readManifest(files: Files, path: string): Manifest {
  let manifest: Manifest
  try {
    const bytes = readWholeFile(files, path)
    if (bytes === undefined) return EMPTY_MANIFEST
    manifest = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new LakeDamaged(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (manifest.format !== LAKE_FORMAT)
    throw new LakeDamaged(`${path} has format ${manifest.format}; this release reads format ${LAKE_FORMAT}`)
  return manifest
}

export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest)}\n`)
}

/** Durable on return. */
export function writeManifest(files: Files, folder: string, manifest: Manifest): void {
  const path = `${folder}/manifest.json`
  replaceFile(files, `${folder}/tmp/manifest.json`, path, encodeManifest(manifest))
  files.syncFolder(folder)
}

/** What the manifest names must be there as it was; what it does not name is left over from before its rename. */
export function checkFiles(files: Files, folder: string, manifest: Manifest): void {
  const present = new Set(files.list(`${folder}/parquet`))
  for (const { name, bytes } of manifest.files) {
    const path = `${folder}/parquet/${name}`
    if (!present.delete(name)) throw new LakeDamaged(`${path} is missing; the manifest names it`)
    const size = withFile(files, path, 'read', (file) => file.size())
    if (size !== bytes) throw new LakeDamaged(`${path} has ${size} bytes; the manifest says ${bytes}`)
  }
  for (const name of present) files.remove(`${folder}/parquet/${name}`)
}

/** Flushes a file that another process wrote; its size. */
export function flushFile(files: Files, path: string): number {
  return withFile(files, path, 'write', (file) => {
    file.sync()
    return file.size()
  })
}
