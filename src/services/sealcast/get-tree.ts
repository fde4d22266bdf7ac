// GetTree: the tree over the events as it stands: its newest checkpoint, and the keys that checkpoints are verified with.
import { treeKeys } from '../../engine/tree-signing.ts'
import type { SealcastOperation } from './operation.ts'

export interface TreeKeyRow {
  readonly VerifierKey: string
  readonly CreatedAt: number
  /** It signs the next checkpoint. */
  readonly IsCurrent: boolean
}

export interface TreeOutput {
  readonly Origin: string
  readonly Size: number
  readonly Checkpoint?: string
  readonly SignedAt?: number
  readonly Keys: readonly TreeKeyRow[]
}

export const getTree: SealcastOperation<object, TreeOutput> = ({ tree }) => ({
  name: 'GetTree',
  access: 'read',
  run(tx) {
    const newest = tree.newest()
    const keys = treeKeys(tx)
    const current = keys.find(({ origin }) => origin === tree.origin)
    return {
      Origin: tree.origin,
      Size: tree.size,
      ...(newest !== undefined && { Checkpoint: newest.note, SignedAt: newest.signedAt }),
      Keys: keys.map((key) => ({ VerifierKey: key.verifierKey, CreatedAt: key.createdAt, IsCurrent: key === current })),
    }
  },
})
