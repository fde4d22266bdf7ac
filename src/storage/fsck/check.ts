// What the parts of a check share: where they read, whom they tell.
import type { Files } from '../files.ts'
import type { Finding, FsckProgress } from '../fsck.ts'
import type { StoreKeys } from '../store-keys.ts'

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
  if (!files.exists(path)) return undefined
  const file = files.open(path, 'read')
  try {
    const bytes = Buffer.allocUnsafeSlow(file.size())
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
  } finally {
    file.close()
  }
}

/** Writes a new file whole and flushes it. */
export function writeNew({ files }: Pick<Check, 'files'>, path: string, parts: Iterable<Buffer>): void {
  const file = files.open(path, 'create')
  try {
    let position = 0
    for (const bytes of parts) {
      for (let at = 0; at < bytes.length;) at += file.write(bytes, at, bytes.length - at, position + at)
      position += bytes.length
    }
    file.sync()
  } finally {
    file.close()
  }
}

export function sizeOf({ files }: Pick<Check, 'files'>, path: string): number {
  const file = files.open(path, 'read')
  try {
    return file.size()
  } finally {
    file.close()
  }
}

export function listOf({ files }: Pick<Check, 'files'>, folder: string): string[] {
  return files.exists(folder) ? files.list(folder) : []
}
