// GetTree: the tree over the events as it stands: its newest checkpoint, and the keys that checkpoints are verified with.
import { treeKeys } from '../../engine/tree-signing.ts'
import type { TreeOutput } from '../../model/tlog/tree-rows.ts'
import type { SealcastOperation } from './operation.ts'

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
