// The tree over the events: its leaves give the hashes that its files hold, and these the root that was committed.
import { join } from 'node:path'
import { EMPTY_ROOT, HASH_BYTES, leafHash, rootHash } from '../../model/tlog/merkle.ts'
import { decodeBundle, subtreeHash, subtreesOf, TILE_WIDTH, tileWidth } from '../../model/tlog/tiles.ts'
import type { TreeState } from '../../model/tlog/tree-rows.ts'
import type { Position } from '../journal.ts'
import {
  BUNDLE_BYTES_MAX,
  END_BYTES,
  formatProblem,
  hasTreeFiles,
  narrowBundle,
  readEnd,
  rowFile,
  rowOffset,
  TILES_PER_FILE,
} from '../tree/format.ts'
import { withFile } from '../whole-files.ts'
import { type Check, damage } from './check.ts'

/** Bundles between two steps of progress. */
const BUNDLES_PER_STEP = 64

export async function checkTree(check: Check, state: TreeState | undefined, journal: { readonly durable: Position }): Promise<void> {
  if (state === undefined) return
  const { size, position } = state
  if (position > journal.durable)
    damage(check, 'journal', `it ends at ${journal.durable}; the tree holds what it told up to ${position}: its end is missing`)
  const problem = size > 0 || hasTreeFiles(check.files, check.path('tree')) ? formatProblem(check.files, check.path('tree')) : undefined
  if (problem !== undefined) return damage(check, 'tree', problem)
  const leaves = new Leaves(check, size)
  const hashes = new Hashes(check, size)
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const bundle = leaves.next()
    if (bundle === undefined || !bundle.every((leaf) => hashes.add(0, leafHash(leaf)))) return
    if (index % BUNDLES_PER_STEP === 0) await check.step('tree', (index * TILE_WIDTH) / size)
  }
  if (hashes.root().toString('base64') !== state.root) damage(check, 'tree', `its ${size} leaves have another root than the one committed`)
}

/** The bundles, one after the other, each where the end of the one before says. */
class Leaves {
  readonly #check: Check
  readonly #size: number
  #index = 0
  #start = 0

  constructor(check: Check, size: number) {
    this.#check = check
    this.#size = size
  }

  /** The leaves of the next bundle; undefined when something is wrong with them, which was told. */
  next(): Buffer[] | undefined {
    const index = this.#index++
    const width = tileWidth('entries', index, this.#size)
    if (index % TILES_PER_FILE === 0) this.#start = 0
    const file = rowFile('entries', index)
    const end = width === TILE_WIDTH ? this.#endOf(index) : undefined
    const bytes = this.#narrow(file, width, (end ?? Infinity) - this.#start) ?? this.#narrow(file, width, Infinity)
    const leaves = bytes === undefined ? undefined : decodeBundle(bytes)
    if (bytes === undefined || leaves === undefined) {
      const isThere = this.#check.files.exists(this.#check.path(join('tree', file)))
      tell(this.#check, file, isThere ? `bundle ${index} does not hold its ${width} leaves` : 'it is missing')
      return undefined
    }
    this.#start += bytes.length
    if (width < TILE_WIDTH || end === this.#start) return leaves
    const ends = rowFile('ends', Math.floor(index / TILE_WIDTH))
    tell(this.#check, ends, `it is missing, or does not say where bundle ${index} ends`)
    return undefined
  }

  /** What a crash left behind the newest leaf is nobody's. */
  #narrow(file: string, width: number, bytesMax: number): Buffer | undefined {
    const bytes = bytesMax > 0 ? readPart(this.#check, file, this.#start, Math.min(bytesMax, BUNDLE_BYTES_MAX)) : undefined
    return bytes === undefined ? undefined : narrowBundle(bytes, width)
  }

  #endOf(index: number): number | undefined {
    const row = Math.floor(index / TILE_WIDTH)
    const at = rowOffset('ends', row) + (index % TILE_WIDTH) * END_BYTES
    const bytes = readPart(this.#check, rowFile('ends', row), at, END_BYTES)
    return bytes?.length === END_BYTES ? readEnd(bytes, 0) : undefined
  }
}

/** The tiles over the leaves, made anew and held against those on file. */
class Hashes {
  readonly #check: Check
  readonly #size: number
  /** Hashes of the growing tile of each level, as the leaves give them. */
  readonly #levels: Buffer[][] = []
  /** Tiles of each level that are done. */
  readonly #full: number[] = []

  constructor(check: Check, size: number) {
    this.#check = check
    this.#size = size
  }

  /** False when a tile is not what its leaves make it, which was told. */
  add(level: number, hash: Buffer): boolean {
    const row = (this.#levels[level] ??= [])
    row.push(hash)
    const index = this.#full[level] ?? 0
    const width = tileWidth(level, index, this.#size)
    if (row.length < width) return true
    const bytes = Buffer.concat(row)
    const file = rowFile(level, index)
    const found = readPart(this.#check, file, rowOffset(level, index), width * HASH_BYTES)
    if (found?.equals(bytes) !== true) {
      tell(this.#check, file, found === undefined ? 'it is missing' : `the hashes of tile ${index} are not those of the leaves`)
      return false
    }
    if (width < TILE_WIDTH) return true
    this.#full[level] = index + 1
    row.length = 0
    return this.add(level + 1, subtreeHash(bytes, 0, TILE_WIDTH))
  }

  root(): Buffer {
    const growing = (level: number | 'entries'): Buffer => Buffer.concat(level === 'entries' ? [] : (this.#levels[level] ?? []))
    if (this.#size === 0) return EMPTY_ROOT
    return rootHash(
      this.#size,
      subtreesOf(this.#size, ({ level }) => growing(level)),
    )
  }
}

function tell(check: Check, file: string, what: string): void {
  damage(check, join('tree', file), what)
}

/** At most `bytesMax` bytes, as many as are there; undefined when the file is not. */
function readPart(check: Check, name: string, at: number, bytesMax: number): Buffer | undefined {
  const path = check.path(join('tree', name))
  if (!check.files.exists(path)) return undefined
  return withFile(check.files, path, 'read', (file) => {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(bytesMax, file.size() - at)))
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, at))
  })
}
