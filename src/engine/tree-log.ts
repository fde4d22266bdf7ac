// The tree over the events, as the operator's commands meet it: its state, its checkpoints, and proofs out of it.
import type { TileName } from '../model/tlog/tiles.ts'

export interface TreeLog {
  readonly origin: string
  /** Leaves that count durably. */
  readonly size: number
  /** The newest signed checkpoint; undefined before the first. */
  newest(): { readonly note: string; readonly size: number; readonly signedAt: number } | undefined
  /** Signs a checkpoint over all that was durable at the call, and keeps it as the newest. */
  sign(): Promise<string>
  /** The newest leaf of that event, searched from the end; undefined when the tree has none. */
  find(eventId: string): Promise<FoundLeaf | undefined>
  /** A tile's hashes or a bundle's bytes. Throws TreeDamaged where they cannot be had. */
  tile(name: TileName): Buffer
  /** The audit path in the tree of `size` leaves. */
  inclusion(index: number, size: number): Buffer[]
  growth(oldSize: number, size: number): Buffer[]
  /** The root over the first `size` leaves. */
  rootAt(size: number): Buffer
}

export interface FoundLeaf {
  readonly index: number
  /** The leaf's line. */
  readonly line: string
}
