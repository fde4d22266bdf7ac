// The tree over the events: its leaves give the hashes that its tiles hold, and these the root that was committed.
import { join } from 'node:path'
import { EMPTY_ROOT, HASH_BYTES, leafHash, rootHash } from '../../model/tlog/merkle.ts'
import { decodeBundle, subtreeHash, subtreesOf, TILE_WIDTH, tilePath, tileWidth } from '../../model/tlog/tiles.ts'
import type { TreeState } from '../../model/tlog/tree-rows.ts'
import type { Position } from '../journal.ts'
import { type Check, damage, readWhole } from './check.ts'

/** Tiles between two steps of progress. */
const TILES_PER_STEP = 64

export async function checkTree(check: Check, state: TreeState | undefined, journal: { readonly durable: Position }): Promise<void> {
  if (state === undefined) return
  const { size, position } = state
  if (position > journal.durable)
    damage(check, 'journal', `it ends at ${journal.durable}; the tree holds what it told up to ${position}: its end is missing`)
  let isWhole = true
  const tell = (file: string, what: string): void => {
    isWhole = false
    damage(check, file, what)
  }
  /** Hashes of the growing tile of each level, as the leaves give them. */
  const levels: Buffer[][] = []
  /** Tiles of each level that are done. */
  const full: number[] = []
  const add = (level: number, hash: Buffer): void => {
    const row = (levels[level] ??= [])
    row.push(hash)
    const index = full[level] ?? 0
    const width = tileWidth(level, index, size)
    if (row.length < width) return
    const bytes = Buffer.concat(row)
    const file = fileOf(level, index)
    const found = readWhole(check, check.path(file))
    if (found === undefined) tell(file, 'it is missing')
    else if (!found.subarray(0, width * HASH_BYTES).equals(bytes)) tell(file, 'its hashes are not those of the leaves')
    if (width < TILE_WIDTH) return
    full[level] = index + 1
    row.length = 0
    add(level + 1, subtreeHash(bytes, 0, TILE_WIDTH))
  }
  for (let index = 0; index * TILE_WIDTH < size && isWhole; index++) {
    const file = fileOf('entries', index)
    const width = tileWidth('entries', index, size)
    const bytes = readWhole(check, check.path(file))
    const leaves = bytes === undefined ? undefined : leavesIn(bytes, width)
    if (leaves === undefined) tell(file, bytes === undefined ? 'it is missing' : `it does not hold its ${width} leaves`)
    for (const leaf of leaves ?? []) add(0, leafHash(leaf))
    if (index % TILES_PER_STEP === 0) await check.step('tree', (index * TILE_WIDTH) / size)
  }
  if (!isWhole) return
  const tile = (level: number | 'entries'): Buffer => Buffer.concat(level === 'entries' ? [] : (levels[level] ?? []))
  const root =
    size === 0
      ? EMPTY_ROOT
      : rootHash(
          size,
          subtreesOf(size, ({ level }) => tile(level)),
        )
  if (root.toString('base64') !== state.root) damage(check, 'tree', `its ${size} leaves have another root than the one committed`)
}

function fileOf(level: number | 'entries', index: number): string {
  return join('tree', tilePath({ level, index, width: TILE_WIDTH }))
}

/** The first `width` leaves; what a crash left behind them is nobody's. */
function leavesIn(bytes: Buffer, width: number): Buffer[] | undefined {
  let end = 0
  for (let leaf = 0; leaf < width; leaf++) {
    if (end + 2 > bytes.length) return undefined
    end += 2 + bytes.readUInt16BE(end)
  }
  return decodeBundle(bytes.subarray(0, end))
}
