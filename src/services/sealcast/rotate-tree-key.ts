// RotateTreeKey: a new key signs the tree's checkpoints from now on. The old ones stay listed.
import { addTreeKey } from '../../engine/tree-signing.ts'
import type { SealcastOperation } from './operation.ts'

export const rotateTreeKey: SealcastOperation<object, { VerifierKey: string }> = ({ tree }) => ({
  name: 'RotateTreeKey',
  access: 'write',
  record: { response: ({ VerifierKey: verifierKey }) => ({ verifierKey }) },
  run(tx, _input, { env }) {
    const verifierKey = addTreeKey(env, tx, tree.origin)
    env.acts.tell(tx, { name: 'TreeKeyRotated', details: { verifierKey } })
    return { VerifierKey: verifierKey }
  },
})
