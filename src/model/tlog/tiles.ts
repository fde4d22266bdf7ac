// Tiles and entry bundles as C2SP's tlog-tiles lays them out (c2sp.org/tlog-tiles): the hashes of a Merkle tree in squares of 256, eight
// levels high, and the leaves beside them 256 to a bundle, under names that never change. A growing tile is known by its width.
import { HASH_BYTES, type SubtreeReader, writeNodeHash } from './merkle.ts'

export const TILE_WIDTH = 256
export const TILE_BYTES: number = TILE_WIDTH * HASH_BYTES
const TILE_HEIGHT = 8
export const LEAF_BYTES_MAX = 0xffff
/** Of a leaf's length, before it in a bundle. */
export const LENGTH_BYTES = 2

/** A tile of hashes, or with level `entries` a bundle of leaves. `width`: how many of its 256 places are taken. */
export interface TileName {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

/** `tile/0/x001/x234/067`, `tile/entries/000.p/12` */
export function tilePath({ level, index, width }: TileName): string {
  return `tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** `x001/x234/067` */
export function indexPath(index: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return path
}

/** Undefined for what is no name of a tile. */
export function parseTilePath(path: string): TileName | undefined {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,4})(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (match === null) return undefined
  const [, level = '', parents = '', last = '', width] = match
  const index = Number(parents.replaceAll(/[x/]/g, '') + last)
  const name: TileName = {
    level: level === 'entries' ? 'entries' : Number(level),
    index,
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  // One spelling for each: no leading zeroes beyond what the form asks for.
  return tilePath(name) === path && name.width <= TILE_WIDTH ? name : undefined
}

/** Places of a tile that a tree of `size` leaves has taken; 0 when it has none. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const places = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level)) - index * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, places))
}

/** Every tile and bundle of a tree of `size` leaves that the tree of `before` leaves had not, or had narrower. */
export function* tilesBetween(before: number, size: number): Generator<TileName> {
  for (let first = Math.floor(before / TILE_WIDTH), index = first; ; index++) {
    const width = tileWidth('entries', index, size)
    if (width === 0 || (index === first && width === tileWidth('entries', index, before))) break
    yield { level: 'entries', index, width }
  }
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const places = TILE_WIDTH ** (level + 1)
    for (let index = Math.floor(before / places); ; index++) {
      const width = tileWidth(level, index, size)
      if (width === 0 || width === tileWidth(level, index, before)) break
      yield { level, index, width }
    }
  }
}

/** Reads subtrees out of tiles. `tile` gives at least `width` hashes. */
export function subtreesOf(size: number, tile: (name: TileName) => Buffer): SubtreeReader {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT)
    const hashes = 2 ** (level % TILE_HEIGHT)
    const first = index * hashes
    const tileIndex = Math.floor(first / TILE_WIDTH)
    const bytes = tile({ level: tileLevel, index: tileIndex, width: tileWidth(tileLevel, tileIndex, size) })
    return subtreeHash(bytes, first % TILE_WIDTH, hashes)
  }
}

/** The root over `hashes` (a power of two) neighbouring hashes of a tile. */
export function subtreeHash(tile: Buffer, first: number, hashes: number): Buffer {
  if (hashes === 1) return Buffer.from(tile.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES))
  const row = Buffer.from(tile.subarray(first * HASH_BYTES, (first + hashes) * HASH_BYTES))
  for (let width = hashes; width > 1; width /= 2)
    for (let at = 0; at < width; at += 2) writeNodeHash(row, at * HASH_BYTES, row, (at / 2) * HASH_BYTES)
  return Buffer.from(row.subarray(0, HASH_BYTES))
}

/** Leaves as a bundle holds them: each behind its length in two bytes, big-endian. */
export function encodeBundle(leaves: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(leaves.reduce((sum, leaf) => sum + LENGTH_BYTES + leaf.length, 0))
  let at = 0
  for (const leaf of leaves) {
    if (leaf.length > LEAF_BYTES_MAX) throw new RangeError(`a leaf has ${leaf.length} bytes; a bundle holds leaves of ${LEAF_BYTES_MAX}`)
    at = bytes.writeUInt16BE(leaf.length, at)
    bytes.set(leaf, at)
    at += leaf.length
  }
  return bytes
}

/** The leaves of a bundle, views on it; undefined when the bytes are no bundle or hold more leaves than a bundle may. */
export function decodeBundle(bytes: Buffer): Buffer[] | undefined {
  const leaves: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length || leaves.length === TILE_WIDTH) return undefined
    const from = at + LENGTH_BYTES
    at = from + bytes.readUInt16BE(at)
    if (at > bytes.length) return undefined
    leaves.push(bytes.subarray(from, at))
  }
  return leaves
}
