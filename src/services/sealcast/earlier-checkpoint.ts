// A checkpoint that somebody kept, held against the tree as it is now.
import type { TreeLog } from '../../engine/tree-log.ts'
import { type Checkpoint, openCheckpoint } from '../../model/tlog/checkpoint.ts'
import type { NoteKey } from '../../model/tlog/signed-note.ts'
import { badRequest, conflict } from './errors.ts'

/** The checkpoint in `bytes`, which this server signed for the tree it has. Throws what the caller is told. */
export function readEarlier(tree: TreeLog, keys: readonly NoteKey[], bytes: Buffer): Checkpoint {
  const opened = openCheckpoint(bytes, keys)
  if ('problem' in opened) throw badRequest(`Checkpoint: ${opened.problem}`)
  const { checkpoint, signers } = opened
  if (signers.length === 0) throw badRequest(`Checkpoint: no key of this server signed it; it speaks of ${checkpoint.origin}`)
  if (checkpoint.origin !== tree.origin)
    throw conflict(`the checkpoint is of the tree ${checkpoint.origin}, which ended; the tree is ${tree.origin} now`)
  return checkpoint
}

/** Throws what the caller is told when the tree does not begin with what the checkpoint speaks of. */
export function refuseUngrown(tree: TreeLog, { size, root }: Checkpoint): void {
  if (size > tree.size) throw conflict(`the checkpoint speaks of ${size} events, but the record has ${tree.size}: its end is missing`)
  if (!tree.rootAt(size).equals(root)) throw conflict(`the record's first ${size} events are not those of the checkpoint: it was rewritten`)
}
