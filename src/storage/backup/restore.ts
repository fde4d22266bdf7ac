// Brings a generation of a backup back into an empty folder. Every byte is checked on the way; the folder becomes a data directory only by
// the last rename, after the check of what was written found no damage.
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { RestoreNote } from '../../model/acts.ts'
import { NO_ROOTS, type RootsAtHand, rootsAtHand } from '../../model/root-key.ts'
import { BackupDamaged, BackupRefused, type RestoreOptions, type RestoreSummary } from '../backup.ts'
import { KEYRING_FILE, readKeyring, ROOT_KEY_BYTES, ROOT_KEY_FILE as ROOT_KEY } from '../disk/format.ts'
import type { Files } from '../files.ts'
import type { Finding, FsckOptions, FsckSummary } from '../fsck.ts'
import { readWholeFile, writeWholeFile } from '../whole-files.ts'
import type { Manifest } from './format.ts'
import { listGenerations, Packs, plainHead, readFile, readIdentity, readManifest } from './generations.ts'
import { dataKeysByRoot, wantedRoot } from './sealing.ts'

export interface RestoreParts {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  /** What opens a sealed generation, and the sealed stores in one; a key file that is put beside the data counts before them. */
  readonly roots?: RootsAtHand
  /** `rootKey`: where the restored data has sealed stores. */
  readonly fsck: (options: FsckOptions, rootKey: Buffer | undefined) => Promise<FsckSummary>
}

const FORMAT_FILE = 'format.json'
/** The name under which the format waits until all else is there and sound. */
const WAITING_FORMAT = 'format.json.restored'

/** Throws BackupRefused before anything is written, and BackupDamaged; then what was written is not taken for a data directory. */
export async function restoreBackup(parts: RestoreParts, options: RestoreOptions): Promise<RestoreSummary> {
  const { files, clock, random } = parts
  const source = resolve(options.source)
  const folder = resolve(options.dataFolder)
  readIdentity(files, source)
  const generation = options.generation ?? listGenerations(files, source).at(-1)
  if (generation === undefined) throw new BackupRefused(`${source} has no generation yet`)
  const rootKey = readRootKey(files, options.rootKeyFile)
  const given = rootKey === undefined ? (parts.roots ?? NO_ROOTS) : rootsAtHand([rootKey])
  const manifest = readManifest(files, source, generation, dataKeysByRoot(given))
  const { head, files: entries } = manifest
  const keyring = readKeyring(contentOf(files, source, manifest, KEYRING_FILE)?.toString('utf8') ?? '')
  const inside = contentOf(files, source, manifest, ROOT_KEY)
  const roots = rootKey === undefined && inside !== undefined ? rootsAtHand([inside]) : given
  const root = keyring && roots.find(keyring.root)
  const hasSealedStores = (keyring?.stores ?? []).length > 0
  // Nobody could check sealed stores without it; and a key that was named is to be the right one.
  if (keyring !== undefined && root === undefined && (hasSealedStores || rootKey !== undefined))
    throw new BackupRefused(`what generation ${generation} in ${source} holds is sealed under ${wantedRoot(keyring.root, roots)}`)
  if (files.exists(folder) && files.list(folder).length > 0) throw refusedFolder(files, folder)
  files.makeFolder(folder)
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const free = files.free(folder)
  if (free < bytes) throw new BackupRefused(`${folder} has ${free} bytes free; generation ${generation} needs ${bytes}`)
  await writeFiles(files, source, folder, manifest, { bytes, ...options })
  // A key that is kept elsewhere is found there.
  const isElsewhere = options.rootKeyFile !== undefined && keyring?.root.file === resolve(options.rootKeyFile)
  if (rootKey !== undefined && !isElsewhere) writeWholeFile(files, join(folder, ROOT_KEY), rootKey)
  const note: RestoreNote = {
    lineage: random.uuid(),
    generation,
    takenAt: head.takenAt,
    position: head.position,
    from: head.lineage,
    restoredAt: clock.now(),
  }
  writeWholeFile(files, join(folder, 'restored.json'), Buffer.from(`${JSON.stringify(note)}\n`))
  const hasRootKey = hasKeyInPlace(files, folder)
  await check(parts, folder, { hasRootKey, storesKey: hasSealedStores ? root : undefined }, options.signal)
  files.rename(join(folder, WAITING_FORMAT), join(folder, FORMAT_FILE))
  files.syncFolder(folder)
  return { ...plainHead(head), files: entries.length, bytes, hasRootKey }
}

function contentOf(files: Files, source: string, { files: entries, keys }: Manifest, path: string): Buffer | undefined {
  const entry = entries.find((one) => one.path === path)
  if (entry === undefined) return undefined
  const packs = new Packs(files, source, keys)
  try {
    return Buffer.concat([...readFile(packs, entry)])
  } finally {
    packs.close()
  }
}

/** A root key that comes from the environment, a passphrase or a file elsewhere is not looked for here. */
function hasKeyInPlace(files: Files, folder: string): boolean {
  if (files.exists(join(folder, ROOT_KEY))) return true
  const keyring = readKeyring(readWholeFile(files, join(folder, KEYRING_FILE))?.toString('utf8') ?? '')
  return keyring !== undefined && (keyring.root.source !== 'file' || keyring.root.file !== undefined)
}

function readRootKey(files: Files, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  const key = readWholeFile(files, resolve(path))
  if (key?.length === ROOT_KEY_BYTES) return key
  throw new BackupRefused(
    `${path} is no root key: ${key === undefined ? 'there is no such file' : `a root key has ${ROOT_KEY_BYTES} bytes`}`,
  )
}

function refusedFolder(files: Files, folder: string): BackupRefused {
  if (files.exists(join(folder, FORMAT_FILE)))
    return new BackupRefused(`${folder} is a data directory; restore into an empty folder, and nothing is lost`)
  const isUnfinished = files.exists(join(folder, WAITING_FORMAT)) || files.exists(join(folder, 'restored.json'))
  const what = isUnfinished ? 'holds a restore that did not come to its end; remove it' : 'is not empty'
  return new BackupRefused(`${folder} ${what}; restore into an empty folder`)
}

async function writeFiles(
  files: Files,
  source: string,
  folder: string,
  { files: entries, keys }: Manifest,
  { bytes, onProgress, signal }: Pick<RestoreOptions, 'onProgress' | 'signal'> & { readonly bytes: number },
): Promise<void> {
  const packs = new Packs(files, source, keys)
  const folders = new Set<string>()
  let done = 0
  // First of all, so that what a kill leaves behind is known for what it is.
  const ordered = entries.toSorted((a, b) => Number(b.path === FORMAT_FILE) - Number(a.path === FORMAT_FILE))
  try {
    for (const entry of ordered) {
      const path = join(folder, entry.path === FORMAT_FILE ? WAITING_FORMAT : entry.path)
      files.makeFolder(dirname(path))
      for (let parent = dirname(path); parent.length >= folder.length; parent = dirname(parent)) folders.add(parent)
      const file = files.open(path, 'create')
      try {
        let at = 0
        for (const piece of readFile(packs, entry)) {
          for (let written = 0; written < piece.length;) written += file.write(piece, written, piece.length - written, at + written)
          at += piece.length
          done += piece.length
          onProgress(bytes === 0 ? 1 : done / bytes)
          await new Promise((next) => setImmediate(next))
          signal?.throwIfAborted()
        }
        file.sync()
      } finally {
        file.close()
      }
    }
  } finally {
    packs.close()
  }
  for (const path of [...folders].sort((a, b) => b.length - a.length)) files.syncFolder(path)
}

/** Damage in what is restored is refused by name. That the key is elsewhere, and the format not in place yet, is no damage here. */
async function check(
  { fsck }: RestoreParts,
  folder: string,
  { hasRootKey, storesKey }: { readonly hasRootKey: boolean; readonly storesKey: Buffer | undefined },
  signal: AbortSignal | undefined,
): Promise<void> {
  const damage: Finding[] = []
  const options: FsckOptions = {
    dataFolder: folder,
    salvage: false,
    onFinding: (finding) => {
      const isExpected = finding.file === FORMAT_FILE || (finding.file === ROOT_KEY && !hasRootKey)
      if (finding.severity === 'damage' && !isExpected) damage.push(finding)
    },
    onProgress: () => {},
    ...(signal !== undefined && { signal }),
  }
  await fsck(options, storesKey)
  const [first] = damage
  if (first === undefined) return
  const more = damage.length === 1 ? '' : `, and ${damage.length - 1} more`
  throw new BackupDamaged(`what was restored is not sound: ${first.file}: ${first.what}${more}. Try an older generation with --at`)
}
