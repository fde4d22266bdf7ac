// What the records keep of the tree over the events (Table.tree, Table.treeKeys).

import type { TreeCensus } from './census-line.ts'

export type TreeRow = TreeState | SignedTree | PublishedTree

/** The tree counts as far as this says, whatever its files hold beyond. */
export interface TreeState {
  readonly kind: 'state'
  /** The tree's name on its checkpoints. */
  readonly origin: string
  readonly size: number
  /** Base64. */
  readonly root: string
  /** The place in the journal up to which its events are leaves. */
  readonly position: number
  /** The first census that its leaves hold and the newest; absent before there was one. */
  readonly census?: { readonly first: TreeCensus; readonly last: TreeCensus }
  /** Of the record it grows with; absent in the first lineage. */
  readonly lineage?: string
}

export interface SignedTree {
  readonly kind: 'checkpoint'
  readonly size: number
  readonly signedAt: number
  /** Which key signed: the four bytes that its signature line bears, hexadecimal. */
  readonly keyHash: string
  /** The checkpoint, a signed note. */
  readonly note: string
}

/** The size of the newest checkpoint that each target has got. */
export interface PublishedTree {
  readonly kind: 'published'
  readonly topic: number
  readonly file: number
  readonly bucket: number
  /** Names of partial tiles in the bucket that are to go when their full tile is there. */
  readonly partials: readonly string[]
}

export interface TreeKey {
  readonly origin: string
  /** PEM, sealed. */
  readonly sealedPrivateKey: string
  /** The verifier key, as `sealcast verify --key` takes it. */
  readonly verifierKey: string
  readonly createdAt: number
}

/** What GetTree answers. */
export interface TreeOutput {
  readonly Origin: string
  readonly Size: number
  readonly Checkpoint?: string
  readonly SignedAt?: number
  readonly Keys: readonly TreeKeyRow[]
}

export interface TreeKeyRow {
  readonly VerifierKey: string
  readonly CreatedAt: number
  /** It signs the next checkpoint. */
  readonly IsCurrent: boolean
}
