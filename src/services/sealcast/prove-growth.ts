// ProveGrowth: an offline proof that the record as it is now begins with what an earlier checkpoint spoke of.
import { formatGrowthProof } from '../../model/tlog/proof.ts'
import { openCheckpoint } from '../../model/tlog/checkpoint.ts'
import { parseVerifierKey } from '../../model/tlog/signed-note.ts'
import { treeKeys } from '../../engine/tree-signing.ts'
import { readEarlier, refuseUngrown } from './earlier-checkpoint.ts'
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
    const keys = treeKeys(env.tables).flatMap(({ verifierKey }) => parseVerifierKey(verifierKey) ?? [])
    const checkpoint = readEarlier(tree, keys, older)
    const newer = Buffer.from(await tree.sign())
    refuseUngrown(tree, checkpoint)
    const current = openCheckpoint(newer, keys)
    const newSize = 'checkpoint' in current ? current.checkpoint.size : tree.size
    return { Proof: formatGrowthProof({ hashes: tree.growth(checkpoint.size, newSize), older, newer }).toString() }
  },
})
