// ProveGrowth: an offline proof that the record as it is now begins with what an earlier checkpoint spoke of.
import { formatGrowthProof } from '../../model/tlog/proof.ts'
import { openCheckpoint } from '../../model/tlog/checkpoint.ts'
import { parseVerifierKey } from '../../model/tlog/signed-note.ts'
import { treeKeys } from '../../engine/tree-signing.ts'
import { badRequest, conflict } from './errors.ts'
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
    const opened = openCheckpoint(older, keys)
    if ('problem' in opened) throw badRequest(`Checkpoint: ${opened.problem}`)
    const { checkpoint, signers } = opened
    if (signers.length === 0) throw badRequest(`Checkpoint: no key of this server signed it; it speaks of ${checkpoint.origin}`)
    if (checkpoint.origin !== tree.origin)
      throw conflict(`the checkpoint is of the tree ${checkpoint.origin}, which ended; the tree is ${tree.origin} now`)
    const newer = Buffer.from(await tree.sign())
    const { size } = tree
    if (checkpoint.size > size)
      throw conflict(`the checkpoint speaks of ${checkpoint.size} events, but the record has ${size}: its end is missing`)
    if (!tree.rootAt(checkpoint.size).equals(checkpoint.root))
      throw conflict(`the record's first ${checkpoint.size} events are not those of the checkpoint: it was rewritten`)
    const current = openCheckpoint(newer, keys)
    const newSize = 'checkpoint' in current ? current.checkpoint.size : size
    return { Proof: formatGrowthProof({ hashes: tree.growth(checkpoint.size, newSize), older, newer }).toString() }
  },
})
