// Checks an offline proof: everything that it takes is in the file and in the key.
import { openCheckpoint, type Checkpoint } from '../../model/tlog/checkpoint.ts'
import { parseLeaf } from '../../model/tlog/event-leaf.ts'
import { isGrown, isIncluded, leafHash } from '../../model/tlog/merkle.ts'
import { commitsTo, parseProof } from '../../model/tlog/proof.ts'
import type { NoteKey } from '../../model/tlog/signed-note.ts'

export type CheckedProof =
  { readonly holds: true; readonly says: string; readonly event?: string } | { readonly holds: false; readonly why: string }

export function checkProof(bytes: Buffer, keys: readonly NoteKey[]): CheckedProof {
  const proof = parseProof(bytes)
  if ('problem' in proof) return { holds: false, why: proof.problem }
  if (proof.kind === 'growth') {
    const [older, newer] = [signed(proof.older, keys), signed(proof.newer, keys)]
    if ('why' in older) return { holds: false, why: `the older checkpoint: ${older.why}` }
    if ('why' in newer) return { holds: false, why: `the newer checkpoint: ${newer.why}` }
    if (older.origin !== newer.origin) return { holds: false, why: `its checkpoints are of two trees, ${older.origin} and ${newer.origin}` }
    if (!isGrown(older, newer, proof.hashes)) return { holds: false, why: 'the newer tree does not begin with the older: it was rewritten' }
    return { holds: true, says: `${newer.origin} grew from ${older.size} to ${newer.size} events, and nothing before was changed` }
  }
  const checkpoint = signed(proof.checkpoint, keys)
  if ('why' in checkpoint) return { holds: false, why: `its checkpoint: ${checkpoint.why}` }
  if (!isIncluded(leafHash(proof.leaf), proof.index, checkpoint, proof.hashes))
    return { holds: false, why: 'the hashes do not lead from its leaf to the root that was signed' }
  const leaf = parseLeaf(proof.leaf)
  if (leaf === undefined) return { holds: false, why: 'its leaf is no line that stands for an event' }
  if (proof.event !== undefined && !commitsTo(proof.leaf, proof.event))
    return { holds: false, why: 'the event in it is not the one that its leaf commits to' }
  const { size, origin } = checkpoint
  const what = `event ${leaf.eventId} of ${leaf.time} is number ${proof.index} of the ${size} that ${origin} signed for`
  return {
    holds: true,
    says: proof.event === undefined ? `${what}; its SHA-256 is ${leaf.hash}` : what,
    ...(proof.event !== undefined && { event: proof.event.toString('utf8') }),
  }
}

function signed(note: Buffer, keys: readonly NoteKey[]): Checkpoint | { readonly why: string } {
  const opened = openCheckpoint(note, keys)
  if ('problem' in opened) return { why: opened.problem }
  return opened.signers.length > 0 ? opened.checkpoint : { why: 'none of the keys given signed it' }
}
