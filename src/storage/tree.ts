// The port of the tree's store: the leaves and hashes of one Merkle tree that only grows, as tiles and bundles (model/tlog/tiles.ts). It
// takes leaves at memory's speed and makes them durable when asked; how far the tree counts is for its owner to remember.
import type { TileName } from '../model/tlog/tiles.ts'

export interface TreeStore {
  /** Leaves so far, whether durable or not. */
  readonly size: number
  /** Takes a copy of leaves, each behind its length as in a bundle, however many. Costs no file access. */
  append(leaves: Buffer): void
  /** The root over the leaves so far. */
  root(): Buffer
  /** Resolves when all that was appended before the call is on stable storage. After a rejection it may be called again. */
  flush(): Promise<void>
  /** A tile's hashes or a bundle's bytes, `width` places of it, of the leaves so far. Throws TreeDamaged where they cannot be had. */
  tile(name: TileName): Buffer
  close(): void
}

/** What the tree's owner knows to be there is missing or changed. Names the file; nothing was changed. */
export class TreeDamaged extends Error {
  override name = 'TreeDamaged'
}
