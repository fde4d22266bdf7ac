// The tree's store on files: one for each tile and bundle, under C2SP's names. A file of a growing tile bears the name of the full one and
// holds what there is so far, so that a narrower tile is its beginning, and cutting a file is cutting the tree back.
import { dirname, join } from 'node:path'
import { HASH_BYTES, leafHash, rootHash, writeLeafHash } from '../../model/tlog/merkle.ts'
import {
  decodeBundle,
  subtreeHash,
  subtreesOf,
  TILE_BYTES,
  TILE_WIDTH,
  type TileName,
  tilePath,
  tileWidth,
} from '../../model/tlog/tiles.ts'
import type { File, Files } from '../files.ts'
import { TreeDamaged, type TreeStore } from '../tree.ts'

/** One file: what of it is in memory, and what of that is on stable storage. */
interface Row {
  readonly level: number | 'entries'
  readonly index: number
  width: number
  bytes: Buffer
  length: number
  flushed: number
}

const BUNDLE_BYTES = 64 * 1024

/**
 * Opens the tree of `size` leaves in `folder`; what lies beyond is cut off as it grows. Throws TreeDamaged when it is not there, or when
 * its root is not `root`.
 */
export function openTileFiles(files: Files, folder: string, expected: { readonly size: number; readonly root?: Buffer }): TreeStore {
  const store = new TileFiles(files, folder)
  store.load(expected.size)
  if (expected.root !== undefined && !store.root().equals(expected.root))
    throw new TreeDamaged(
      `the tree in ${folder} has another root over its ${expected.size} leaves than the one committed: a tile was changed`,
    )
  return store
}

class TileFiles implements TreeStore {
  readonly #files: Files
  readonly #folder: string
  /** The growing tile of each level, lowest first. */
  readonly #levels: Row[] = []
  #bundle: Row = newRow('entries', 0)
  /** Rows with bytes that are not yet on stable storage, oldest first. */
  readonly #unflushed = new Set<Row>()
  readonly #folders = new Set<string>()
  #size = 0

  constructor(files: Files, folder: string) {
    this.#files = files
    this.#folder = folder
    files.makeFolder(folder)
  }

  get size(): number {
    return this.#size
  }

  load(size: number): void {
    this.#size = size
    this.#bundle = this.#loadRow('entries', size)
    for (let level = 0; TILE_WIDTH ** level <= size; level++) this.#levels.push(this.#loadRow(level, size))
    const lowest = this.#levels[0]
    if (lowest !== undefined && lowest.width > 0) this.#checkNewest(lowest)
  }

  append(leaves: readonly string[]): void {
    for (const leaf of leaves) {
      this.#appendLeaf(leaf)
      const row = this.#row(0)
      writeLeafHash(leaf, row.bytes, row.length)
      this.#grow(row, HASH_BYTES)
      this.#size++
    }
  }

  root(): Buffer {
    return rootHash(
      this.#size,
      subtreesOf(this.#size, (name) => this.tile(name)),
    )
  }

  async flush(): Promise<void> {
    for (const row of [...this.#unflushed]) {
      const { length } = row
      await this.#write(row, length)
      row.flushed = length
      if (row.flushed === row.length) this.#unflushed.delete(row)
    }
    for (const folder of [...this.#folders].toSorted()) {
      await this.#files.syncFolderLater(folder)
      this.#folders.delete(folder)
    }
  }

  tile({ level, index, width }: TileName): Buffer {
    return this.#narrow(this.#inMemory(level, index) ?? this.#read(level, index), { level, index, width })
  }

  #narrow(bytes: Buffer, { level, index, width }: TileName): Buffer {
    if (level === 'entries') return narrowBundle(bytes, width, () => this.#damaged(level, index))
    if (bytes.length < width * HASH_BYTES) throw this.#damaged(level, index)
    return bytes.subarray(0, width * HASH_BYTES)
  }

  close(): void {
    this.#unflushed.clear()
  }

  #appendLeaf(leaf: string): void {
    if (this.#bundle.width === TILE_WIDTH) this.#bundle = newRow('entries', this.#bundle.index + 1)
    const row = this.#bundle
    const needed = row.length + 2 + leaf.length
    if (needed > row.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, row.bytes.length * 2))
      row.bytes.copy(larger, 0, 0, row.length)
      row.bytes = larger
    }
    row.bytes.writeUInt16BE(leaf.length, row.length)
    row.bytes.write(leaf, row.length + 2, 'latin1')
    this.#grow(row, 2 + leaf.length)
  }

  /** The row of a level that has room for one more hash. */
  #row(level: number): Row {
    let row = this.#levels[level]
    if (row === undefined || row.width === TILE_WIDTH) this.#levels[level] = row = newRow(level, row === undefined ? 0 : row.index + 1)
    return row
  }

  #grow(row: Row, bytes: number): void {
    row.length += bytes
    row.width++
    this.#unflushed.add(row)
    if (row.width < TILE_WIDTH || row.level === 'entries') return
    const parent = this.#row(row.level + 1)
    subtreeHash(row.bytes, 0, TILE_WIDTH).copy(parent.bytes, parent.length)
    this.#grow(parent, HASH_BYTES)
  }

  #inMemory(level: number | 'entries', index: number): Buffer | undefined {
    const newest = level === 'entries' ? this.#bundle : this.#levels[level]
    if (newest?.index === index) return newest.bytes.subarray(0, newest.length)
    for (const row of this.#unflushed) if (row.level === level && row.index === index) return row.bytes.subarray(0, row.length)
    return undefined
  }

  #path(level: number | 'entries', index: number): string {
    return join(this.#folder, tilePath({ level, index, width: TILE_WIDTH }))
  }

  #damaged(level: number | 'entries', index: number): TreeDamaged {
    const remedy = 'Restore a backup of the whole data directory, or use `sealcast fsck --salvage`'
    return new TreeDamaged(`${this.#path(level, index)} is missing, cut or changed. ${remedy}`)
  }

  #read(level: number | 'entries', index: number): Buffer {
    const path = this.#path(level, index)
    if (!this.#files.exists(path)) throw this.#damaged(level, index)
    const file = this.#files.open(path, 'read')
    try {
      const bytes = Buffer.allocUnsafe(file.size())
      return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
    } finally {
      file.close()
    }
  }

  #loadRow(level: number | 'entries', size: number): Row {
    const places = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level))
    // A tree that ends with a full tile continues in the next; the full one need not be at hand.
    const row = newRow(level, Math.floor(places / TILE_WIDTH))
    row.width = tileWidth(level, row.index, size)
    if (row.width === 0) return row
    const bytes = this.#narrow(this.#read(level, row.index), row)
    if (bytes.length > row.bytes.length) row.bytes = Buffer.allocUnsafe(bytes.length * 2)
    bytes.copy(row.bytes)
    row.length = row.flushed = bytes.length
    return row
  }

  /** Leaves and hashes are written side by side: the newest of both belong together. */
  #checkNewest(lowest: Row): void {
    const leaves = decodeBundle(this.#bundle.bytes.subarray(0, this.#bundle.length)) ?? []
    const hash = lowest.bytes.subarray(lowest.length - HASH_BYTES, lowest.length)
    if (!leafHash(leaves.at(-1) ?? Buffer.alloc(0)).equals(hash)) throw this.#damaged('entries', this.#bundle.index)
  }

  async #write(row: Row, upTo: number): Promise<void> {
    const file = this.#open(row)
    try {
      for (let at = row.flushed; at < upTo;) at += file.write(row.bytes, at, upTo - at, at)
      await file.syncLater()
    } finally {
      file.close()
    }
  }

  #open({ level, index, flushed }: Row): File {
    const path = this.#path(level, index)
    if (flushed > 0 || this.#files.exists(path)) {
      const file = this.#files.open(path, 'write')
      // What a crash has left behind the committed tree is none of it.
      if (file.size() > flushed) file.truncate(flushed)
      return file
    }
    const folder = dirname(path)
    for (let at = folder; !this.#folders.has(at) && at.length >= this.#folder.length; at = dirname(at)) this.#folders.add(at)
    this.#files.makeFolder(folder)
    return this.#files.open(path, 'create')
  }
}

function newRow(level: number | 'entries', index: number): Row {
  return { level, index, width: 0, bytes: Buffer.allocUnsafe(level === 'entries' ? BUNDLE_BYTES : TILE_BYTES), length: 0, flushed: 0 }
}

/** The beginning of a bundle that holds `width` leaves. */
function narrowBundle(bytes: Buffer, width: number, damaged: () => Error): Buffer {
  let at = 0
  for (let leaf = 0; leaf < width; leaf++) {
    if (at + 2 > bytes.length) throw damaged()
    at += 2 + bytes.readUInt16BE(at)
  }
  if (at > bytes.length) throw damaged()
  return bytes.subarray(0, at)
}
