// The tree of a server, opened: its state out of the records, its store, the follower that makes it grow, its checkpoints and its proofs.
import type { Env } from '../../engine/env.ts'
import { lineageOf } from '../../engine/lineage.ts'
import type { FoundLeaf, TreeLog } from '../../engine/tree-log.ts'
import { addTreeKey, originOf, restoredOriginOf, serverId, treeKeys } from '../../engine/tree-signing.ts'
import { Table } from '../../model/tables.ts'
import { NO_CALLS } from '../../model/tlog/census-line.ts'
import { consistencyProof, EMPTY_ROOT, inclusionProof, rootHash, type SubtreeReader } from '../../model/tlog/merkle.ts'
import { decodeBundle, subtreesOf, TILE_WIDTH, tileWidth } from '../../model/tlog/tiles.ts'
import type { TreeState } from '../../model/tlog/tree-rows.ts'
import type { TreeStore } from '../../storage/tree.ts'
import { Checkpoints } from './checkpoints.ts'
import { TreeFollower } from './follower.ts'
import type { Publication } from './publication.ts'

export interface TreeOptions {
  readonly env: Env
  /** Whether files of a tree are there at all. */
  readonly hasFiles: boolean
  /** Throws TreeDamaged when they are not what the state says. */
  readonly openStore: (state: { readonly size: number; readonly root: Buffer }) => TreeStore
  /** Between two checkpoints; undefined: none by schedule. */
  readonly checkpointSeconds: number | undefined
  readonly publications: (store: TreeStore) => readonly Publication[]
}

export interface Tree extends TreeLog {
  readonly follower: TreeFollower
  readonly checkpoints: Checkpoints
  close(): void
}

export async function openTree(options: TreeOptions): Promise<Tree> {
  const { env } = options
  const state = await readState(env, options.hasFiles)
  const store = options.openStore({ size: state.size, root: Buffer.from(state.root, 'base64') })
  const follower = new TreeFollower(env, store, state)
  const checkpoints = new Checkpoints({ env, follower, seconds: options.checkpointSeconds, publications: options.publications(store) })
  const subtrees = (size: number): SubtreeReader => subtreesOf(size, (name) => store.tile(name))
  return {
    follower,
    checkpoints,
    get origin() {
      return follower.state.origin
    },
    get size() {
      return follower.state.size
    },
    newest: () => checkpoints.newest(),
    sign: async () => (await checkpoints.sign()).note,
    find: (eventId) => find(store, eventId),
    tile: (name) => store.tile(name),
    inclusion: (index, size) => inclusionProof(index, size, subtrees(size)),
    growth: (oldSize, size) => consistencyProof(oldSize, size, subtrees(size)),
    rootAt: (size) => rootHash(size, subtrees(size)),
    close: () => store.close(),
  }
}

/** The state on record. At the first start, and where a tree's files were moved away, a new tree with a name of its own begins. */
async function readState(env: Env, hasFiles: boolean): Promise<TreeState> {
  const row = env.tables.get(Table.tree, 'state')
  const known = row?.kind === 'state' ? row : undefined
  const lineage = lineageOf(env.tables)
  const isRestored = lineage !== undefined && lineage.number > 1 && known !== undefined && known.lineage !== lineage.id
  if (isRestored && (known.size === 0 || hasFiles)) return continueAnew(env, known, lineage.id)
  if (known !== undefined && (known.size === 0 || hasFiles)) return known
  const { result, done } = env.commits.commit((tx) => {
    const origins = new Set(treeKeys(tx).map(({ origin }) => origin))
    const origin = originOf(serverId(env, tx), origins.size + 1)
    const state: TreeState = {
      ...{ kind: 'state', origin, size: 0, root: EMPTY_ROOT.toString('base64'), position: env.journal.start },
      // A tree as old as its journal begins where no call was served.
      ...(env.journal.start === 0 && { census: { first: NO_CALLS, last: NO_CALLS } }),
    }
    tx.put(Table.tree, 'state', state)
    const verifierKey = addTreeKey(env, tx, origin)
    if (known !== undefined) {
      tx.delete(Table.tree, 'checkpoint')
      tx.delete(Table.tree, 'published')
      env.acts.tell(tx, { name: 'TreeBegunAnew', details: { origin, verifierKey, before: known.origin, leavesBefore: known.size } })
    }
    return state
  })
  await done
  if (known !== undefined)
    env.log.warn('the files of the tree are gone; a new tree begins', { before: known.origin, origin: result.origin })
  return result
}

/**
 * Behind a restore the tree goes on under another name, with a key of its own: checkpoints of the old name may tell of more leaves than
 * were restored, and what follows here must not look like a fork of them.
 */
async function continueAnew(env: Env, known: TreeState, lineage: string): Promise<TreeState> {
  const { result, done } = env.commits.commit((tx) => {
    const origin = restoredOriginOf(serverId(env, tx), lineage)
    const state: TreeState = { ...known, origin, lineage }
    tx.put(Table.tree, 'state', state)
    tx.delete(Table.tree, 'checkpoint')
    tx.delete(Table.tree, 'published')
    const verifierKey = addTreeKey(env, tx, origin)
    const details = { origin, verifierKey, before: known.origin, leaves: known.size, root: known.root }
    env.acts.tell(tx, { name: 'TreeContinued', details })
    return state
  })
  await done
  return result
}

/** Bundles looked through in one go. */
const SEARCHED_BUNDLES = 8

async function find(store: TreeStore, eventId: string): Promise<FoundLeaf | undefined> {
  const { size } = store
  const wanted = Buffer.from(` ${eventId} `)
  for (let index = Math.ceil(size / TILE_WIDTH) - 1, searched = 1; index >= 0; index--, searched++) {
    const bytes = store.tile({ level: 'entries', index, width: tileWidth('entries', index, size) })
    if (bytes.includes(wanted)) {
      const leaves = decodeBundle(bytes) ?? []
      const at = leaves.findLastIndex((leaf) => leaf.includes(wanted))
      const leaf = leaves[at]
      if (leaf !== undefined) return { index: index * TILE_WIDTH + at, line: leaf.toString('latin1') }
    }
    if (searched % SEARCHED_BUNDLES === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return undefined
}
