// The tree's files, format 2, and nothing else. Each only grows, at its end, and is never written to in the middle.
//
//   format.json             { format }
//   leaves/NNNNNN           the bundles of 65,536 leaves end to end: 256 bundles, each as the static log has it (model/tlog/tiles.ts)
//   ends/NNNNNN             for each full bundle, the place in its file of leaves behind its last byte: 8 bytes, little-endian
//   hashes/LEVEL/NNNNNN     hashes of a level of tiles: 32 bytes each
//
// A file of ends or hashes has 65,536 of them. What stands behind the committed size in any file is what a crash left, and nobody's: the
// next start cuts it off. Format 1 had a file for each tile and bundle under `tile/`.
import { dirname, join } from 'node:path'
import { HASH_BYTES } from '../../model/tlog/merkle.ts'
import { LEAF_BYTES_MAX, TILE_WIDTH, tileWidth } from '../../model/tlog/tiles.ts'
import type { Files } from '../files.ts'
import { TreeDamaged } from '../tree.ts'
import { readWholeFile, writeWholeFile } from '../whole-files.ts'

const TREE_FORMAT = 2
const FORMAT_FILE = 'format.json'
/** What a file holds of full tiles, and of bundles. */
export const TILES_PER_FILE = 256
export const END_BYTES = 8
export const BUNDLE_BYTES_MAX: number = TILE_WIDTH * (2 + LEAF_BYTES_MAX)

/** What has rows of 256 places: a level of tiles, the bundles, or their ends, which are as many as there are full bundles. */
export type Column = number | 'entries' | 'ends'

/** `leaves/000000`, `ends/000000`, `hashes/0/000000` */
export function columnFolder(column: Column): string {
  if (column === 'entries') return 'leaves'
  return column === 'ends' ? 'ends' : `hashes/${column}`
}

/** The file that holds a row. */
export function rowFile(column: Column, index: number): string {
  return `${columnFolder(column)}/${fileName(Math.floor(index / TILES_PER_FILE))}`
}

export function fileName(number: number): string {
  return String(number).padStart(6, '0')
}

export function writeEnd(end: number, into: Buffer, at: number): void {
  into.writeBigUInt64LE(BigInt(end), at)
}

export function readEnd(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at))
}

export function placeBytes(column: number | 'ends'): number {
  return column === 'ends' ? END_BYTES : HASH_BYTES
}

/** Where in its file a row of places of one width begins. */
export function rowOffset(column: number | 'ends', index: number): number {
  return (index % TILES_PER_FILE) * TILE_WIDTH * placeBytes(column)
}

/** Places of a row that a tree of `size` leaves has taken. */
export function rowWidth(column: Column, index: number, size: number): number {
  return column === 'ends' ? tileWidth(1, index, size) : tileWidth(column, index, size)
}

/** The row that the next place of a column goes to, in a tree of `size` leaves. */
export function growingRow(column: Column, size: number): number {
  const leaves = column === 'entries' ? 1 : TILE_WIDTH ** (column === 'ends' ? 1 : column)
  return Math.floor(size / leaves / TILE_WIDTH)
}

/** The beginning of a bundle that holds `width` leaves; undefined where the bytes are none. */
export function narrowBundle(bytes: Buffer, width: number): Buffer | undefined {
  let at = 0
  for (let leaf = 0; leaf < width; leaf++) {
    if (at + 2 > bytes.length) return undefined
    at += 2 + bytes.readUInt16BE(at)
  }
  return at > bytes.length ? undefined : bytes.subarray(0, at)
}

export function hasTreeFiles(files: Files, folder: string): boolean {
  return files.exists(folder) && files.list(folder).length > 0
}

/** What keeps a folder from being read as a tree of this format; undefined: nothing. */
export function formatProblem(files: Files, folder: string): string | undefined {
  if (files.exists(join(folder, 'tile')))
    return `${join(folder, 'tile')} is of a tree in format 1, a file for each tile, which this release does not read`
  const path = join(folder, FORMAT_FILE)
  const bytes = readWholeFile(files, path)
  if (bytes === undefined) return `${path} is missing`
  const format = formatOf(bytes)
  if (format === undefined) return `${path} is damaged`
  if (format === TREE_FORMAT) return undefined
  return `${path} tells of format ${format}; this release reads format ${TREE_FORMAT}`
}

function formatOf(bytes: Buffer): number | undefined {
  try {
    const { format } = JSON.parse(bytes.toString('utf8')) as { readonly format?: unknown }
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  }
}

/** Makes the folder ready for a tree of `size` leaves, or throws TreeDamaged and has changed nothing. */
export function prepareFolder(files: Files, folder: string, size: number): void {
  files.makeFolder(folder)
  const isNew = size === 0 && files.list(folder).every((name) => name.startsWith(FORMAT_FILE) && name !== FORMAT_FILE)
  if (isNew) {
    files.syncFolder(dirname(folder))
    writeWholeFile(files, join(folder, FORMAT_FILE), Buffer.from(`${JSON.stringify({ format: TREE_FORMAT })}\n`))
  }
  const problem = formatProblem(files, folder)
  if (problem === undefined) return
  throw new TreeDamaged(`${problem}. ${TREE_REMEDY}`)
}

export const TREE_REMEDY = 'Restore a backup of the whole data directory, or use `sealcast fsck --salvage`'
