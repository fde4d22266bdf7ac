// Writes a generation of a backup. What the generation before has is not written again: files that last by their path and size, all others
// piece by piece; but what is sealed and what is open never share. Nothing counts before the manifest is renamed into place, and what a run
// that was cut short left is removed by the next.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { assert } from '../../base/assert.ts'
import {
  BackupDamaged,
  type BackupFile,
  type BackupHead,
  type BackupProgress,
  BackupRefused,
  type BackupRun,
  type BackupSeal,
  type BackupSummary,
} from '../backup.ts'
import type { File, Files } from '../files.ts'
import { emptyFolders, removeFile, withFile, writeWholeFile } from '../whole-files.ts'
import {
  BACKUP_FORMAT,
  encodeManifest,
  encodeSealedManifest,
  type FileEntry,
  generationName,
  IDENTITY_FILE,
  LASTING_PIECE_BYTES,
  PACK_BYTES,
  packGeneration,
  packName,
  type Piece,
  PIECE_BYTES,
  SEALED_FORMAT,
  sha256,
  STAGING,
} from './format.ts'
import { listGenerations, readIdentity, readManifest, readOutline } from './generations.ts'
import { dataKeyByStore, SEAL_BYTES, sealPiece } from './sealing.ts'

/** Much written at once would have the disk busy when a commit wants it. */
const SYNC_BYTES = 8 * 1024 * 1024
const REST_BYTES = 2 * 1024 * 1024

export class BackupWriter {
  readonly #files: Files
  readonly #run: BackupRun
  /** Called now and then between pieces. */
  readonly #rest: () => void
  #unrested = 0
  readonly #generation: number
  /** Data keys by generation, this one's among them; none where nothing is sealed. */
  readonly #keys = new Map<number, Buffer>()
  /** Of the generation before. */
  readonly #pieces = new Map<string, Piece>()
  readonly #before = new Map<string, FileEntry>()
  readonly #taken = new Map<string, FileEntry>()
  readonly #final = new Set<string>()
  #pack: { readonly name: string; readonly file: File; at: number; unsynced: number } | undefined
  #packs = 0
  #bytes = 0
  #copiedBytes = 0

  /** Throws BackupRefused, and then has changed nothing. */
  constructor(files: Files, run: BackupRun, rest: () => void = () => {}) {
    this.#files = files
    this.#rest = rest
    this.#run = run
    const { folder } = run
    const isNew = !files.exists(join(folder, IDENTITY_FILE))
    if (isNew) this.#beginFolder()
    else if (readIdentity(files, folder).directory !== run.directory)
      throw new BackupRefused(`${folder} holds backups of another data directory; give a folder of its own`)
    const generations = listGenerations(files, folder)
    this.#generation = (generations.at(-1) ?? 0) + 1
    for (const name of ['generations', 'packs']) files.makeFolder(join(folder, name))
    emptyFolders(this.#files, join(folder, STAGING))
    this.#removeLeftovers()
    if (!run.isFull) this.#readBefore(generations)
    if (run.keys !== undefined) this.#keys.set(this.#generation, Buffer.from(run.keys.dataKey, 'base64'))
  }

  get generation(): number {
    return this.#generation
  }

  /** False when the file is gone. */
  copy(file: BackupFile, isFinal: boolean): boolean {
    const entry = this.#known(file) ?? this.#read(file)
    if (entry === undefined) return false
    this.#taken.set(file.path, entry)
    if (isFinal) this.#final.add(file.path)
    return true
  }

  /** `seal`: exactly of a run with keys. */
  finish(head: Omit<BackupHead, 'generation'>, keep: number | undefined, seal?: BackupSeal): BackupSummary {
    const { folder, keys } = this.#run
    assert((seal === undefined) === (keys === undefined), 'a sealed generation tells how it opens')
    this.#endPack()
    this.#files.syncFolder(join(folder, 'packs'))
    const files = [...this.#taken.values()].filter(({ path }) => this.#final.has(path)).sort((a, b) => (a.path < b.path ? -1 : 1))
    const format = seal === undefined ? BACKUP_FORMAT : SEALED_FORMAT
    const manifest = { head: { format, ...head, generation: this.#generation }, files, keys: this.#keys }
    const encoded = seal === undefined ? encodeManifest(manifest) : encodeSealedManifest(manifest, seal)
    // Commit point: with its name the generation counts.
    writeWholeFile(this.#files, join(folder, 'generations', generationName(this.#generation)), encoded)
    const removed = keep === undefined ? [] : this.#prune(keep)
    emptyFolders(this.#files, join(folder, STAGING))
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { ...head, generation: this.#generation, files: files.length, bytes, copiedBytes: this.#copiedBytes, removed }
  }

  progress(): BackupProgress {
    return { phase: 'copying', files: this.#taken.size, bytes: this.#bytes, copiedBytes: this.#copiedBytes }
  }

  close(): void {
    this.#pack?.file.close()
    this.#pack = undefined
  }

  #beginFolder(): void {
    const { folder, directory } = this.#run
    const strangers = this.#files.exists(folder)
      ? this.#files.list(folder).filter((name) => !/^(lock(-journal)?|backup\.json\.new)$/.test(name))
      : []
    if (strangers.length > 0) throw new BackupRefused(`${folder} is not empty and no backup of Sealcast; give another folder`)
    this.#files.makeFolder(folder)
    writeWholeFile(this.#files, join(folder, IDENTITY_FILE), Buffer.from(`${JSON.stringify({ format: BACKUP_FORMAT, directory })}\n`))
  }

  #removeLeftovers(): void {
    const packs = join(this.#run.folder, 'packs')
    for (const name of this.#files.list(packs)) if ((packGeneration(name) ?? 0) >= this.#generation) this.#files.remove(join(packs, name))
    removeFile(this.#files, join(this.#run.folder, 'generations', `${generationName(this.#generation)}.new`))
  }

  /** What is there of the newest generation, as far as its packs are. A damaged one is told, not built upon. */
  #readBefore(generations: readonly number[]): void {
    const newest = generations.at(-1)
    if (newest === undefined) return
    const { folder, lineage, keys: runKeys } = this.#run
    const { seal } = readOutline(this.#files, folder, newest)
    if ((seal === undefined) !== (runKeys === undefined)) return
    const dataKey = seal && runKeys && dataKeyByStore(seal, runKeys.storeKeys)
    // Of another lineage, which had a key of its own.
    if (seal !== undefined && dataKey === undefined) return
    const sizes = this.#packSizes()
    const { head, files, keys } = readManifest(this.#files, folder, newest, () => dataKey ?? Buffer.alloc(0))
    for (const [generation, key] of keys) this.#keys.set(generation, key)
    const sealBytes = dataKey === undefined ? 0 : SEAL_BYTES
    for (const file of files) {
      const isThere = file.pieces.every(([, pack, at, bytes]) => at + bytes + sealBytes <= (sizes.get(pack) ?? 0))
      if (!isThere) continue
      for (const piece of file.pieces) this.#pieces.set(piece[0], piece)
      // Another lineage may have written other bytes under the same path.
      if (file.lasting === true && head.lineage === lineage) this.#before.set(file.path, file)
    }
  }

  #packSizes(): ReadonlyMap<string, number> {
    const packs = join(this.#run.folder, 'packs')
    return new Map(this.#files.list(packs).map((name) => [name, withFile(this.#files, join(packs, name), 'read', (file) => file.size())]))
  }

  #known({ path, source, bytes, isLasting, partOf }: BackupFile): FileEntry | undefined {
    if (!isLasting) return undefined
    const known = this.#taken.get(path) ?? this.#before.get(path)
    if (known?.lasting !== true || known.partOf !== partOf || !this.#files.exists(source)) return undefined
    return known.bytes === (bytes ?? this.#sizeOf(source)) ? known : undefined
  }

  #sizeOf(source: string): number | undefined {
    const file = this.#open(source)
    if (file === undefined) return undefined
    try {
      return file.size()
    } finally {
      file.close()
    }
  }

  #open(source: string): File | undefined {
    try {
      return this.#files.open(source, 'read')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #read({ path, source, bytes: bytesMax, isLasting, partOf }: BackupFile): FileEntry | undefined {
    const file = this.#open(source)
    if (file === undefined) return undefined
    try {
      const bytes = bytesMax ?? file.size()
      const pieceBytes = isLasting && !path.startsWith('journal/') ? LASTING_PIECE_BYTES : PIECE_BYTES
      const hash = createHash('sha256')
      const pieces: Piece[] = []
      const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, bytes))
      for (let at = 0; at < bytes;) {
        const piece = buffer.subarray(0, Math.min(pieceBytes, bytes - at))
        if (file.read(piece, 0, piece.length, at) < piece.length)
          throw new BackupDamaged(`${source} ended before its ${bytes} bytes were read`)
        hash.update(piece)
        pieces.push(this.#pieceOf(piece))
        at += piece.length
        this.#bytes += piece.length
        this.#unrested += piece.length
        if (this.#unrested >= REST_BYTES) {
          this.#unrested = 0
          this.#rest()
        }
      }
      const sort = { ...(isLasting && { lasting: true as const }), ...(partOf !== undefined && { partOf }) }
      return { path, bytes, sha256: hash.digest('hex'), ...sort, pieces }
    } finally {
      file.close()
    }
  }

  #pieceOf(bytes: Buffer): Piece {
    const hash = sha256(bytes)
    const known = this.#pieces.get(hash)
    if (known !== undefined) return known
    const pack = this.#packFor(bytes.length)
    const key = this.#keys.get(this.#generation)
    const stored = key === undefined ? bytes : sealPiece(key, { name: pack.name, number: this.#packs, at: pack.at }, bytes)
    for (let done = 0; done < stored.length;) done += pack.file.write(stored, done, stored.length - done, pack.at + done)
    const piece: Piece = [hash, pack.name, pack.at, bytes.length]
    pack.at += stored.length
    pack.unsynced += stored.length
    this.#copiedBytes += stored.length
    if (pack.unsynced >= SYNC_BYTES) {
      pack.file.sync()
      pack.unsynced = 0
    }
    this.#pieces.set(hash, piece)
    return piece
  }

  #packFor(bytes: number): { readonly name: string; readonly file: File; at: number; unsynced: number } {
    if (this.#pack !== undefined && this.#pack.at + bytes > PACK_BYTES) this.#endPack()
    if (this.#pack !== undefined) return this.#pack
    const name = packName(this.#generation, ++this.#packs)
    this.#pack = { name, file: this.#files.open(join(this.#run.folder, 'packs', name), 'create'), at: 0, unsynced: 0 }
    return this.#pack
  }

  #endPack(): void {
    this.#pack?.file.sync()
    this.close()
  }

  /** Generations go first, then the packs that no other needs. */
  #prune(keep: number): number[] {
    assert(keep > 0, 'at least the generation that was just made is kept')
    const { folder } = this.#run
    const generations = listGenerations(this.#files, folder)
    const removed = generations.slice(0, Math.max(0, generations.length - keep))
    if (removed.length === 0) return []
    for (const generation of removed) this.#files.remove(join(folder, 'generations', generationName(generation)))
    this.#files.syncFolder(join(folder, 'generations'))
    const needed = new Set<string>()
    for (const generation of generations.slice(removed.length))
      for (const pack of readOutline(this.#files, folder, generation).packs) needed.add(pack)
    for (const name of this.#files.list(join(folder, 'packs'))) if (!needed.has(name)) this.#files.remove(join(folder, 'packs', name))
    this.#files.syncFolder(join(folder, 'packs'))
    return removed
  }
}
