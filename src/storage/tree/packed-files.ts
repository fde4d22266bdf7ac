// The tree's store on files that each hold many tiles (format.ts), so that a flush is a few appends however many leaves came. In memory are
// the growing row of each column and the rows that are not yet on stable storage.
import { dirname, join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { HASH_BYTES, leafHash, rootHash, writeLeafHash } from '../../model/tlog/merkle.ts'
import { decodeBundle, LENGTH_BYTES, subtreeHash, subtreesOf, TILE_WIDTH, type TileName } from '../../model/tlog/tiles.ts'
import type { File, Files } from '../files.ts'
import { TreeDamaged, type TreeStore } from '../tree.ts'
import { withFile } from '../whole-files.ts'
import {
  BUNDLE_BYTES_MAX,
  type Column,
  columnFolder,
  END_BYTES,
  fileName,
  growingRow,
  narrowBundle,
  placeBytes,
  prepareFolder,
  readEnd,
  rowFile,
  rowOffset,
  rowWidth,
  TILES_PER_FILE,
  TREE_REMEDY,
  writeEnd,
} from './format.ts'

/** 256 places of a column: what of it is in memory, and what of that is on stable storage. */
interface Row {
  readonly column: Column
  readonly index: number
  /** Where in its file it begins. */
  readonly offset: number
  width: number
  bytes: Buffer
  length: number
  flushed: number
}

/** What a bundle has at first; leaves of events are some 250 bytes long. */
const BUNDLE_BYTES = 64 * 1024

/**
 * Opens the tree of `size` leaves in `folder` and cuts off what lies beyond. Throws TreeDamaged when it is not there, or when its root is
 * not `root`; then nothing was changed.
 */
export function openPackedFiles(files: Files, folder: string, expected: { readonly size: number; readonly root?: Buffer }): TreeStore {
  prepareFolder(files, folder, expected.size)
  const store = new PackedFiles(files, folder)
  store.load(expected.size)
  if (expected.root !== undefined && !store.root().equals(expected.root))
    throw new TreeDamaged(
      `the tree in ${folder} has another root over its ${expected.size} leaves than the one committed: a file was changed. ${TREE_REMEDY}`,
    )
  store.cut()
  return store
}

class PackedFiles implements TreeStore {
  readonly #files: Files
  readonly #folder: string
  /** The growing row of each level, lowest first. */
  readonly #levels: Row[] = []
  #bundle: Row = newRow('entries', 0, 0)
  #ends: Row = newRow('ends', 0, 0)
  /** Rows with bytes that are not yet on stable storage, oldest first. */
  readonly #unflushed = new Set<Row>()
  readonly #folders = new Set<string>()
  #size = 0

  constructor(files: Files, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  get size(): number {
    return this.#size
  }

  load(size: number): void {
    this.#size = size
    this.#ends = this.#loadRow('ends')
    this.#bundle = this.#loadBundle()
    for (let level = 0; TILE_WIDTH ** level <= size; level++) this.#levels.push(this.#loadRow(level))
    if (size > 0) this.#checkNewest()
  }

  /** Cuts off what is behind the tree's size. It need not last: what a crash brings back, the next start cuts off again. */
  cut(): void {
    this.#cutColumn(this.#bundle)
    this.#cutColumn(this.#ends)
    const hashes = join(this.#folder, 'hashes')
    for (const name of this.#files.exists(hashes) ? this.#files.list(hashes) : [])
      this.#cutColumn(this.#levels[Number(name)] ?? newRow(Number(name), 0, 0))
  }

  append(leaves: Buffer): void {
    for (let at = 0; at < leaves.length;) {
      const from = at + LENGTH_BYTES
      const end = from + leaves.readUInt16BE(at)
      assert(end <= leaves.length, 'a leaf within its bundle')
      const lowest = this.#row(0)
      writeLeafHash(leaves, from, end, lowest.bytes, lowest.length)
      this.#appendLeaf(leaves, at, end)
      this.#grow(lowest)
      this.#size++
      at = end
    }
  }

  root(): Buffer {
    return rootHash(
      this.#size,
      subtreesOf(this.#size, (name) => this.tile(name)),
    )
  }

  async flush(): Promise<void> {
    const byFile = Map.groupBy(this.#unflushed, ({ column, index }) => rowFile(column, index))
    for (const [name, rows] of byFile) await this.#writeRows(join(this.#folder, name), rows)
    for (const folder of [...this.#folders].toSorted()) {
      await this.#files.syncFolderLater(folder)
      this.#folders.delete(folder)
    }
  }

  tile({ level, index, width }: TileName): Buffer {
    const row = this.#inMemory(level, index)
    if (level === 'entries') {
      const bundle = narrowBundle(row ?? this.#readBundle(index), width)
      if (bundle === undefined) throw this.#damaged(rowFile(level, index))
      return bundle
    }
    const bytes = row ?? this.#read(rowFile(level, index), rowOffset(level, index), width * HASH_BYTES)
    if (bytes.length < width * HASH_BYTES) throw this.#damaged(rowFile(level, index))
    return bytes.subarray(0, width * HASH_BYTES)
  }

  close(): void {
    this.#unflushed.clear()
  }

  /** The leaf stands in `leaves` from `from` to `end`, with its length. */
  #appendLeaf(leaves: Buffer, from: number, end: number): void {
    const row = this.#bundle
    const needed = row.length + end - from
    if (needed > row.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, row.bytes.length * 2))
      row.bytes.copy(larger, 0, 0, row.length)
      row.bytes = larger
    }
    leaves.copy(row.bytes, row.length, from, end)
    this.#lengthen(row, needed)
    if (row.width < TILE_WIDTH) return
    const rowEnd = row.offset + row.length
    if (this.#ends.width === TILE_WIDTH) this.#ends = newRow('ends', this.#ends.index + 1)
    writeEnd(rowEnd, this.#ends.bytes, this.#ends.length)
    this.#grow(this.#ends)
    this.#bundle = newRow('entries', row.index + 1, (row.index + 1) % TILES_PER_FILE === 0 ? 0 : rowEnd)
  }

  /** The row of a level that has room for one more hash. */
  #row(level: number): Row {
    let row = this.#levels[level]
    if (row === undefined || row.width === TILE_WIDTH) this.#levels[level] = row = newRow(level, row === undefined ? 0 : row.index + 1)
    return row
  }

  /** Counts the place that was written at a row's end. */
  #grow(row: Row): void {
    const { column } = row
    if (column === 'entries') return
    this.#lengthen(row, row.length + placeBytes(column))
    if (row.width < TILE_WIDTH || column === 'ends') return
    const parent = this.#row(column + 1)
    subtreeHash(row.bytes, 0, TILE_WIDTH).copy(parent.bytes, parent.length)
    this.#grow(parent)
  }

  /** Counts one place more, which ends there. */
  #lengthen(row: Row, length: number): void {
    if (row.flushed === row.length) this.#unflushed.add(row)
    row.length = length
    row.width++
  }

  #inMemory(column: Column, index: number): Buffer | undefined {
    const newest = column === 'entries' ? this.#bundle : column === 'ends' ? this.#ends : this.#levels[column]
    if (newest?.index === index) return newest.bytes.subarray(0, newest.length)
    for (const row of this.#unflushed) if (row.column === column && row.index === index) return row.bytes.subarray(0, row.length)
    return undefined
  }

  #damaged(name: string): TreeDamaged {
    return new TreeDamaged(`${join(this.#folder, name)} is missing, cut or changed. ${TREE_REMEDY}`)
  }

  /** `length` bytes of a file, or as many as are there up to `lengthMax`. */
  #read(name: string, offset: number, length: number, lengthMax = length): Buffer {
    const path = join(this.#folder, name)
    if (!this.#files.exists(path)) throw this.#damaged(name)
    return withFile(this.#files, path, 'read', (file) => {
      const there = Math.min(lengthMax, file.size() - offset)
      if (there < length) throw this.#damaged(name)
      const bytes = Buffer.allocUnsafe(there)
      return bytes.subarray(0, file.read(bytes, 0, there, offset))
    })
  }

  /** A full bundle. */
  #readBundle(index: number): Buffer {
    const start = this.#startOf(index)
    const end = this.#endOf(index)
    if (end <= start || end - start > BUNDLE_BYTES_MAX) throw this.#damaged(rowFile('ends', Math.floor(index / TILE_WIDTH)))
    const bytes = this.#read(rowFile('entries', index), start, end - start)
    if (narrowBundle(bytes, TILE_WIDTH)?.length !== bytes.length) throw this.#damaged(rowFile('entries', index))
    return bytes
  }

  #startOf(index: number): number {
    return index % TILES_PER_FILE === 0 ? 0 : this.#endOf(index - 1)
  }

  #endOf(index: number): number {
    const row = Math.floor(index / TILE_WIDTH)
    const at = (index % TILE_WIDTH) * END_BYTES
    const inMemory = this.#inMemory('ends', row)
    if (inMemory !== undefined) return readEnd(inMemory, at)
    return readEnd(this.#read(rowFile('ends', row), rowOffset('ends', row) + at, END_BYTES), 0)
  }

  #loadRow(column: number | 'ends'): Row {
    const row = newRow(column, growingRow(column, this.#size))
    row.width = rowWidth(column, row.index, this.#size)
    row.length = row.flushed = row.width * placeBytes(column)
    // Also where the growing row is empty: what was written before it has to be there.
    if (row.offset + row.length > 0) this.#read(rowFile(column, row.index), row.offset, row.length).copy(row.bytes)
    return row
  }

  #loadBundle(): Row {
    const index = growingRow('entries', this.#size)
    const row = newRow('entries', index, this.#startOf(index))
    row.width = rowWidth('entries', index, this.#size)
    if (row.width === 0) return row
    const name = rowFile('entries', index)
    const bytes = narrowBundle(this.#read(name, row.offset, 0, row.width * (BUNDLE_BYTES_MAX / TILE_WIDTH)), row.width)
    if (bytes === undefined) throw this.#damaged(name)
    if (bytes.length > row.bytes.length) row.bytes = Buffer.allocUnsafe(bytes.length * 2)
    bytes.copy(row.bytes)
    row.length = row.flushed = bytes.length
    return row
  }

  /** Leaves and hashes are written side by side: the newest of both belong together, so that what follows is put in the right place. */
  #checkNewest(): void {
    const index = Math.floor((this.#size - 1) / TILE_WIDTH)
    const width = rowWidth('entries', index, this.#size)
    const leaf = decodeBundle(this.tile({ level: 'entries', index, width }))?.at(-1)
    const hash = this.tile({ level: 0, index, width }).subarray((width - 1) * HASH_BYTES)
    if (leaf === undefined || !leafHash(leaf).equals(hash)) throw this.#damaged(rowFile('entries', index))
  }

  #cutColumn({ column, index, offset, length }: Row): void {
    const folder = join(this.#folder, columnFolder(column))
    if (!this.#files.exists(folder)) return
    const newest = Math.floor(index / TILES_PER_FILE)
    const end = offset + length
    for (const name of this.#files.list(folder)) {
      const number = Number(name)
      if (fileName(number) !== name || number < newest) continue
      const path = join(folder, name)
      if (number > newest || end === 0) this.#files.remove(path)
      else withFile(this.#files, path, 'write', (file) => file.size() > end && file.truncate(end))
    }
  }

  async #writeRows(path: string, rows: readonly Row[]): Promise<void> {
    const lengths = rows.map(({ length }) => length)
    const file = this.#open(path)
    try {
      for (const { bytes, offset, flushed, length } of rows)
        for (let at = flushed; at < length;) at += file.write(bytes, at, length - at, offset + at)
      await file.syncLater()
    } finally {
      file.close()
    }
    for (const [at, row] of rows.entries()) {
      row.flushed = lengths[at] ?? row.flushed
      if (row.flushed === row.length) this.#unflushed.delete(row)
    }
  }

  #open(path: string): File {
    if (this.#files.exists(path)) return this.#files.open(path, 'write')
    const folder = dirname(path)
    for (let at = folder; at.length >= this.#folder.length; at = dirname(at)) this.#folders.add(at)
    this.#files.makeFolder(folder)
    return this.#files.open(path, 'create')
  }
}

function newRow(column: number | 'ends', index: number): Row
function newRow(column: Column, index: number, offset: number): Row
function newRow(column: Column, index: number, offset = column === 'entries' ? 0 : rowOffset(column, index)): Row {
  const bytes = Buffer.allocUnsafe(column === 'entries' ? BUNDLE_BYTES : TILE_WIDTH * placeBytes(column))
  return { column, index, offset, width: 0, bytes, length: 0, flushed: 0 }
}
