// What the parts of a check share: where they read, whom they tell.
import type { Files } from '../files.ts'
import type { Finding, FsckProgress } from '../fsck.ts'
import type { StoreKeys } from '../store-keys.ts'
import { readWholeFile, withFile } from '../whole-files.ts'

export interface Check {
  readonly files: Files
  readonly folder: string
  /** Of a store that is sealed as a whole. */
  storeKeys(store: string): StoreKeys
  /** A path inside the data directory. */
  path(name: string): string
  report(finding: Finding): void
  /** Lets signals and progress through; rejects once the check was interrupted. */
  step(part: FsckProgress['part'], share: number): Promise<void>
}

export const RESTORE = 'restore a backup, or run `sealcast fsck --salvage`'
export const NOTHING = 'nothing to do'

export function damage(check: Check, file: string, what: string, remedy: string = RESTORE): void {
  check.report({ severity: 'damage', file, what, remedy })
}

/** Everything in a file, or undefined when there is none. */
export function readWhole({ files }: Pick<Check, 'files'>, path: string): Buffer | undefined {
  return readWholeFile(files, path)
}

/** Writes a new file whole and flushes it. */
export function writeNew({ files }: Pick<Check, 'files'>, path: string, parts: Iterable<Buffer>): void {
  withFile(files, path, 'create', (file) => {
    let position = 0
    for (const bytes of parts) {
      for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, position + at)
      position += bytes.length
    }
    file.sync()
  })
}

export function sizeOf({ files }: Pick<Check, 'files'>, path: string): number {
  return withFile(files, path, 'read', (file) => file.size())
}

export function listOf({ files }: Pick<Check, 'files'>, folder: string): string[] {
  return files.exists(folder) ? files.list(folder) : []
}
