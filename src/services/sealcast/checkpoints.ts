// Checkpoints as the commands need them: one over all that is there now, and one that somebody kept, held against the tree.
import { assert } from '../../base/assert.ts'
import type { TableReader } from '../../engine/tables.ts'
import type { TreeLog } from '../../engine/tree-log.ts'
import { treeKeys } from '../../engine/tree-signing.ts'
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../model/tlog/checkpoint.ts'
import { parseNote, parseVerifierKey } from '../../model/tlog/signed-note.ts'
import { badRequest, conflict } from './errors.ts'

export interface SignedCheckpoint {
  readonly note: Buffer
  /** Events it speaks of: the tree may have grown since. */
  readonly size: number
}

export async function signCheckpoint(tree: TreeLog): Promise<SignedCheckpoint> {
  const note = Buffer.from(await tree.sign())
  const checkpoint = parseCheckpoint(parseNote(note)?.text ?? '')
  assert(checkpoint !== undefined, 'what the tree signs is a checkpoint')
  return { note, size: checkpoint.size }
}

/** The checkpoint in `bytes`, which this server signed for the tree it has. Throws what the caller is told. */
export function readEarlier(tree: TreeLog, tables: TableReader, bytes: Buffer): Checkpoint {
  const keys = treeKeys(tables).flatMap(({ verifierKey }) => parseVerifierKey(verifierKey) ?? [])
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
