// Small files that are read and replaced as a whole, and a file that is open for one use, through the files port.
import { dirname, join } from 'node:path'
import type { File, Files } from './files.ts'

/** Everything in a file, or undefined when there is none. */
export function readWholeFile(files: Files, path: string): Buffer | undefined {
  if (!files.exists(path)) return undefined
  return withFile(files, path, 'read', (file) => {
    const bytes = Buffer.alloc(file.size())
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
  })
}

/** Under another name first, then renamed: there whole or not at all. Durable on return. */
export function writeWholeFile(files: Files, path: string, bytes: Buffer): void {
  replaceFile(files, `${path}.new`, path, bytes)
  files.syncFolder(dirname(path))
}

/** Writes under the temporary name, flushes, and renames; the rename is durable once its folder is synced. */
export function replaceFile(files: Files, temporary: string, path: string, bytes: Buffer): void {
  if (files.exists(temporary)) files.remove(temporary)
  withFile(files, temporary, 'create', (file) => {
    for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, at)
    file.sync()
  })
  files.rename(temporary, path)
}

/** Empties the folders in a folder, where there is one. */
export function emptyFolders(files: Files, folder: string): void {
  if (!files.exists(folder)) return
  for (const inner of files.list(folder)) for (const name of files.list(join(folder, inner))) files.remove(join(folder, inner, name))
}

export function withFile<Result>(files: Files, path: string, mode: 'read' | 'create' | 'write', use: (file: File) => Result): Result {
  const file = files.open(path, mode)
  try {
    return use(file)
  } finally {
    file.close()
  }
}

export function removeFile(files: Files, path: string): void {
  if (!files.exists(path)) return
  files.remove(path)
  files.syncFolder(dirname(path))
}
