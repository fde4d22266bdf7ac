// ProveGrowth: an offline proof that the record as it is now begins with what an earlier checkpoint spoke of.
import { formatGrowthProof } from '../../model/tlog/proof.ts'
import { readEarlier, refuseUngrown, signCheckpoint } from './checkpoints.ts'
import { badRequest } from './errors.ts'
import type { SealcastOperation } from './operation.ts'

export interface ProveGrowthInput {
  /** The earlier checkpoint, whole. */
  readonly Checkpoint?: string
}

export const proveGrowth: SealcastOperation<ProveGrowthInput, { Proof: string }> = ({ tree }) => ({
  name: 'ProveGrowth',
  access: 'read',
  record: { parameters: () => null },
  run(_tx, { Checkpoint }) {
    if (typeof Checkpoint !== 'string') throw badRequest('Checkpoint: give the text of an earlier checkpoint')
    return { Proof: '' }
  },
  async answer(_output, { env }, { Checkpoint = '' }) {
    const older = Buffer.from(Checkpoint)
    const checkpoint = readEarlier(tree, env.tables, older)
    const { note: newer, size } = await signCheckpoint(tree)
    refuseUngrown(tree, checkpoint)
    return { Proof: formatGrowthProof({ hashes: tree.growth(checkpoint.size, size), older, newer }).toString() }
  },
})
