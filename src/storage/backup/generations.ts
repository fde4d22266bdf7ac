// Reads a backup's folder: which generations there are, their manifests, and the pieces of their files. Every hash is checked where it is
// read; what does not hold is named.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { NO_ROOTS, type RootsAtHand } from '../../model/root-key.ts'
import { BackupDamaged, type BackupHead, BackupRefused, type BackupSeal, type VerifiedGeneration } from '../backup.ts'
import type { File, Files } from '../files.ts'
import { readWholeFile } from '../whole-files.ts'
import {
  BACKUP_FORMAT,
  type DataKeys,
  decodeManifest,
  type FileEntry,
  generationName,
  generationOf,
  IDENTITY_FILE,
  isInside,
  type Manifest,
  type ManifestHead,
  openSealedManifest,
  packGeneration,
  type Piece,
  SEALED_FORMAT,
  type SealedManifest,
  sha256,
} from './format.ts'
import { type DataKeyOf, dataKeysByRoot, openPiece, SEAL_BYTES } from './sealing.ts'

/** Whose backups lie in the folder. Throws BackupRefused where it is none, or a newer release's. */
export function readIdentity(files: Files, folder: string): { readonly directory: string } {
  const bytes = readWholeFile(files, join(folder, IDENTITY_FILE))
  if (bytes === undefined) throw new BackupRefused(`${folder} is no backup of Sealcast: it has no ${IDENTITY_FILE}`)
  let identity: { readonly format?: unknown; readonly directory?: unknown }
  try {
    identity = JSON.parse(bytes.toString('utf8')) as typeof identity
  } catch {
    throw new BackupDamaged(`${join(folder, IDENTITY_FILE)} is damaged: it should hold {"format":${BACKUP_FORMAT},"directory":"..."}`)
  }
  const { format, directory } = identity
  if (typeof format === 'number' && format > BACKUP_FORMAT)
    throw new BackupRefused(`${folder} has format ${format}; this release knows up to ${BACKUP_FORMAT}. Use the newer release.`)
  if (typeof format !== 'number' || typeof directory !== 'string')
    throw new BackupDamaged(`${join(folder, IDENTITY_FILE)} is damaged: it should hold {"format":${BACKUP_FORMAT},"directory":"..."}`)
  return { directory }
}

/** Numbers of the generations that count, oldest first. */
export function listGenerations(files: Files, folder: string): number[] {
  const path = join(folder, 'generations')
  if (!files.exists(path)) return []
  return files
    .list(path)
    .flatMap((name) => generationOf(name) ?? [])
    .sort((a, b) => a - b)
}

/** What a generation tells without any key. */
export interface Outline {
  readonly head: BackupHead
  readonly files: number
  readonly bytes: number
  readonly packs: ReadonlySet<string>
  readonly seal?: BackupSeal
}

export function readOutline(files: Files, folder: string, generation: number): Outline {
  const { decoded } = readDecoded(files, folder, generation)
  if ('sealed' in decoded) {
    const { files: count, bytes, packs, seal } = decoded.head
    return { head: plainHead(decoded.head), files: count, bytes, packs: new Set(packs), seal }
  }
  const { head, files: entries } = decoded
  const packs = new Set(entries.flatMap(({ pieces }) => pieces.map(([, pack]) => pack)))
  return { head: plainHead(head), files: entries.length, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0), packs }
}

/** Throws BackupDamaged, naming the manifest, and what `dataKeyOf` throws. */
export function readManifest(files: Files, folder: string, generation: number, dataKeyOf: DataKeyOf): Manifest {
  const { path, decoded } = readDecoded(files, folder, generation)
  const manifest =
    'sealed' in decoded ? openSealedManifest(decoded, dataKeyOf(decoded.head.seal, `generation ${generation} in ${folder}`)) : decoded
  if (typeof manifest === 'string') throw new BackupDamaged(`${path} is damaged: ${manifest}`)
  const stray = manifest.files.find((file) => !isInside(file.path))
  if (stray !== undefined) throw new BackupDamaged(`${path} names a file outside of the data directory: ${stray.path}`)
  return manifest
}

function readDecoded(
  files: Files,
  folder: string,
  generation: number,
): { readonly path: string; readonly decoded: Manifest | SealedManifest } {
  const path = join(folder, 'generations', generationName(generation))
  const bytes = readWholeFile(files, path)
  if (bytes === undefined) throw new BackupRefused(`${folder} has no generation ${generation}`)
  const decoded = decodeManifest(bytes)
  if (typeof decoded === 'string') throw new BackupDamaged(`${path} is damaged: ${decoded}`)
  if (decoded.head.format > SEALED_FORMAT)
    throw new BackupRefused(`${path} has format ${decoded.head.format}; this release knows up to ${SEALED_FORMAT}. Use the newer release.`)
  return { path, decoded }
}

/** What is told of a generation. */
export function plainHead(head: ManifestHead): BackupHead {
  const { generation, takenAt, position, directory, lineage, version, dataFormat, rootKey, sealedUnder } = head
  return {
    ...{ generation, takenAt, position, directory, lineage, version, dataFormat, rootKey },
    ...(sealedUnder !== undefined && { sealedUnder }),
  }
}

const OPEN_MAX = 8

/** The packs of a backup, a few open at a time. */
export class Packs {
  readonly #files: Files
  readonly #folder: string
  readonly #keys: DataKeys
  readonly #open = new Map<string, File>()

  constructor(files: Files, folder: string, keys: DataKeys) {
    this.#files = files
    this.#folder = folder
    this.#keys = keys
  }

  /** The bytes of a piece of `path`, checked. */
  read([hash, pack, at, bytes]: Piece, path: string): Buffer {
    const file = join(this.#folder, 'packs', pack)
    const key = this.#keys.get(packGeneration(pack) ?? 0)
    const into = Buffer.allocUnsafeSlow(key === undefined ? bytes : bytes + SEAL_BYTES)
    let read: number
    try {
      read = this.#file(pack, file).read(into, 0, into.length, at)
    } catch (error) {
      throw new BackupDamaged(`${file}, which holds a part of ${path}, cannot be read: ${(error as Error).message}`, { cause: error })
    }
    const damaged = (what: string): Error =>
      new BackupDamaged(`${file} is damaged at byte ${at}, where it holds a part of ${path}: ${what}`)
    if (read < into.length) throw damaged('it was cut')
    const plain = key === undefined ? into : openPiece(key, pack, at, into)
    if (plain === undefined) throw damaged('its seal does not hold')
    if (sha256(plain) !== hash) throw damaged('the SHA-256 does not hold')
    return plain
  }

  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  #file(pack: string, path: string): File {
    const known = this.#open.get(pack)
    if (known !== undefined) return known
    const [oldest] = this.#open.keys()
    if (oldest !== undefined && this.#open.size >= OPEN_MAX) {
      this.#open.get(oldest)?.close()
      this.#open.delete(oldest)
    }
    const file = this.#files.open(path, 'read')
    this.#open.set(pack, file)
    return file
  }
}

/** The bytes of a file, piece by piece; at the end its own SHA-256 was checked as well. */
export function* readFile(packs: Packs, { path, pieces, bytes, sha256: told }: FileEntry): Generator<Buffer> {
  const hash = createHash('sha256')
  let total = 0
  for (const piece of pieces) {
    const read = packs.read(piece, path)
    hash.update(read)
    total += read.length
    yield read
  }
  if (total !== bytes || hash.digest('hex') !== told)
    throw new BackupDamaged(`${path} is not as it was backed up: its SHA-256 does not hold`)
}

/** Checks generations from their manifests to each byte. Throws BackupRefused where one is sealed under none of `roots`. */
export async function verifyBackup(
  files: Files,
  folder: string,
  options: {
    readonly generation?: number
    readonly roots?: RootsAtHand
    readonly onProgress: (share: number) => void
    readonly signal?: AbortSignal
  },
): Promise<readonly VerifiedGeneration[]> {
  readIdentity(files, folder)
  const generations = options.generation === undefined ? listGenerations(files, folder) : [options.generation]
  if (generations.length === 0) throw new BackupRefused(`${folder} has no generation yet`)
  const dataKeyOf = dataKeysByRoot(options.roots ?? NO_ROOTS)
  const manifests = generations.map((generation) => readManifest(files, folder, generation, dataKeyOf))
  const packs = new Packs(files, folder, new Map(manifests.flatMap(({ keys }) => [...keys])))
  const sound = new Set<string>()
  const verified: VerifiedGeneration[] = []
  try {
    for (const [index, { head, files: entries }] of manifests.entries()) {
      let bytes = 0
      for (const [at, entry] of entries.entries()) {
        bytes += entry.bytes
        // The very same file of another generation was checked.
        const key = `${entry.sha256} ${JSON.stringify(entry.pieces[0])}`
        if (!sound.has(key)) for (const _ of readFile(packs, entry)) options.signal?.throwIfAborted()
        sound.add(key)
        options.onProgress((index + (at + 1) / entries.length) / manifests.length)
        await new Promise((done) => setImmediate(done))
      }
      verified.push({ ...plainHead(head), files: entries.length, bytes })
    }
  } finally {
    packs.close()
  }
  return verified
}

/** The generations by their manifests alone, and without any key. */
export async function listBackup(files: Files, folder: string): Promise<readonly VerifiedGeneration[]> {
  readIdentity(files, folder)
  return listGenerations(files, folder).map((generation) => {
    const { head, files: count, bytes } = readOutline(files, folder, generation)
    return { ...head, files: count, bytes }
  })
}
