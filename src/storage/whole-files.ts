// Small files that are read and replaced as a whole, through the files port.
import { dirname } from 'node:path'
import type { Files } from './files.ts'

/** Everything in a file, or undefined when there is none. */
export function readWholeFile(files: Files, path: string): Buffer | undefined {
  if (!files.exists(path)) return undefined
  const file = files.open(path, 'read')
  try {
    const bytes = Buffer.alloc(file.size())
    let length = 0
    while (length < bytes.length) {
      const read = file.read(bytes, length, bytes.length - length, length)
      if (read === 0) break
      length += read
    }
    return bytes.subarray(0, length)
  } finally {
    file.close()
  }
}

/** Under another name first, then renamed: there whole or not at all. Durable on return. */
export function writeWholeFile(files: Files, path: string, bytes: Buffer): void {
  replaceFile(files, `${path}.new`, path, bytes)
  files.syncFolder(dirname(path))
}

/** Writes under the temporary name, flushes, and renames; the rename is durable once its folder is synced. */
export function replaceFile(files: Files, temporary: string, path: string, bytes: Buffer): void {
  if (files.exists(temporary)) files.remove(temporary)
  const file = files.open(temporary, 'create')
  try {
    for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, at)
    file.sync()
  } finally {
    file.close()
  }
  files.rename(temporary, path)
}

export function removeFile(files: Files, path: string): void {
  if (!files.exists(path)) return
  files.remove(path)
  files.syncFolder(dirname(path))
}
