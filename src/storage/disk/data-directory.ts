// The data directory: its layout, its format version, its lock and its root key. A newer release's directory is refused by name and
// left as it is. Layout: docs/DATA.md.
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Random } from '../../base/random.ts'
import { DATA_FORMAT, ROOT_KEY_BYTES } from './format.ts'
import { type Lock, takeLock } from './lock.ts'

export class DataDirectoryRefused extends Error {
  override name = 'DataDirectoryRefused'
}

export interface DataDirectory {
  readonly folder: string
  /** The 32-byte key that seals secrets (engine/seal.ts). */
  readonly rootKey: Buffer
  /** Nothing was here before. */
  readonly isNew: boolean
  readonly lock: Lock
  /** A path inside. */
  path(name: DataName): string
}

export type DataName = 'journal' | 'records' | 'queues' | 'blobs' | 'lake' | 'history' | 'tree' | 'admin.sock'

/** Opens or makes `folder`, mode 0700. Throws DataDirectoryLocked and DataDirectoryRefused. */
export function openDataDirectory(folder: string, random: Random): DataDirectory {
  const root = resolve(folder)
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const formatFile = join(root, 'format.json')
  const isNew = !existsSync(formatFile)
  if (isNew && readdirSync(root).some((name) => !OWN_LEFTOVERS.has(name)))
    throw new DataDirectoryRefused(`${root} is not empty and not a Sealcast data directory; give another with --data`)
  if (!isNew) checkFormat(formatFile)
  const lock = takeLock(join(root, 'lock'))
  try {
    const rootKey = readOrMakeKey(root, random, isNew)
    if (isNew) writeDurably(root, 'format.json', Buffer.from(`${JSON.stringify({ format: DATA_FORMAT })}\n`))
    return { folder: root, rootKey, isNew, lock, path: (name) => join(root, name) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** What a first start that was cut short may leave before it writes format.json. */
const OWN_LEFTOVERS: ReadonlySet<string> = new Set(['lock', 'lock-journal', 'root.key', 'root.key.new', 'format.json.new'])

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

function readOrMakeKey(root: string, random: Random, isNew: boolean): Buffer {
  const file = join(root, 'root.key')
  if (!isNew && !existsSync(file))
    throw new DataDirectoryRefused(`${file} is missing; what it sealed cannot be opened without it. Restore it from a backup.`)
  if (!existsSync(file)) writeDurably(root, 'root.key', random.bytes(ROOT_KEY_BYTES))
  chmodSync(file, 0o600)
  const key = readFileSync(file)
  if (key.length !== ROOT_KEY_BYTES)
    throw new DataDirectoryRefused(`${file} has ${key.length} bytes; a root key has ${ROOT_KEY_BYTES}. Restore it from a backup.`)
  return key
}

function writeDurably(root: string, name: string, bytes: Buffer): void {
  const temporary = join(root, `${name}.new`)
  const file = openSync(temporary, 'w', 0o600)
  writeSync(file, bytes)
  fsyncSync(file)
  closeSync(file)
  renameSync(temporary, join(root, name))
  const folder = openSync(root, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
