// The data directory: its layout, its format version, its lock and its root key. A newer release's directory is refused by name and
// left as it is. Layout: docs/DATA.md.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { RootSources } from '../../model/root-key.ts'
import { writeDurably } from './durable-file.ts'
import { DATA_FORMAT } from './format.ts'
import { type Keyring, openKeyring } from './keyring.ts'
import { type Lock, takeLock } from './lock.ts'

export class DataDirectoryRefused extends Error {
  override name = 'DataDirectoryRefused'
}

export interface DataDirectory {
  readonly folder: string
  /** Holds the root key, which seals secrets (engine/seal.ts). */
  readonly keyring: Keyring
  /** Nothing was here before. */
  readonly isNew: boolean
  readonly lock: Lock
  /** A path inside. */
  path(name: DataName): string
}

export type DataName = 'journal' | 'records' | 'queues' | 'blobs' | 'lake' | 'history' | 'tree' | 'topic-archives' | 'admin.sock'

export interface DataDirectoryOptions {
  /** Where the root key comes from; root.key in the directory when absent. */
  readonly sources?: RootSources
  readonly clock?: Clock
}

/** Opens or makes `folder`, mode 0700. Throws DataDirectoryLocked, DataDirectoryRefused and RootKeyRefused. */
export function openDataDirectory(folder: string, random: Random, options: DataDirectoryOptions = {}): DataDirectory {
  const { sources = { current: { kind: 'file' } }, clock = systemClock } = options
  const root = resolve(folder)
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const formatFile = join(root, 'format.json')
  const isNew = !existsSync(formatFile)
  if (isNew && readdirSync(root).some((name) => !OWN_LEFTOVERS.has(name)))
    throw new DataDirectoryRefused(`${root} is not empty and not a Sealcast data directory; give another with --data`)
  if (!isNew) checkFormat(formatFile)
  const lock = takeLock(join(root, 'lock'))
  try {
    const keyring = openKeyring({ folder: root, random, now: () => clock.now(), sources, isNew })
    if (isNew) writeDurably(formatFile, Buffer.from(`${JSON.stringify({ format: DATA_FORMAT })}\n`))
    return { folder: root, keyring, isNew, lock, path: (name) => join(root, name) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** What a first start that was cut short may leave before it writes format.json. */
const OWN_LEFTOVERS: ReadonlySet<string> = new Set([
  'lock',
  'lock-journal',
  'root.key',
  'root.key.new',
  'keyring.json',
  'keyring.json.new',
  'format.json.new',
])

function checkFormat(file: string): void {
  let format: unknown
  try {
    format = (JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown }).format
  } catch {
    throw new DataDirectoryRefused(`${file} is damaged: it should hold {"format":${DATA_FORMAT}}`)
  }
  if (typeof format !== 'number' || format > DATA_FORMAT)
    throw new DataDirectoryRefused(
      `${file} says format ${String(format)}; this release of Sealcast knows formats up to ${DATA_FORMAT}. Use the newer release.`,
    )
}
