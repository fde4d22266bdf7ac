// ExportTree: the tree as a static log (C2SP tlog-tiles), file by file, the checkpoint that speaks of them last.
import type { TableReader } from '../../engine/tables.ts'
import { tilePath, tilesBetween } from '../../model/tlog/tiles.ts'
import { TreeDamaged } from '../../storage/tree.ts'
import { readEarlier, refuseUngrown, signCheckpoint } from './checkpoints.ts'
import { badRequest, conflict } from './errors.ts'
import type { Lines, SealcastOperation, SealcastParts } from './operation.ts'

export interface ExportTreeInput {
  /** The checkpoint of an earlier export: only what the tree has gained since is told. */
  readonly Checkpoint?: string
}

/** `Path` as the static log names it; `Bytes` in base64. */
export interface ExportedFile {
  readonly Path: string
  readonly Bytes: string
}

/** Files read in one go. */
const FILES_AT_ONCE = 8

export const exportTree: SealcastOperation<ExportTreeInput, Lines> = ({ tree }) => ({
  name: 'ExportTree',
  access: 'read',
  record: { parameters: () => null },
  run(_tx, { Checkpoint }) {
    if (Checkpoint !== undefined && typeof Checkpoint !== 'string') throw badRequest('Checkpoint: give the text of an earlier checkpoint')
    return { lines: noLines() }
  },
  answer: (_output, { env }, { Checkpoint }) => ({ lines: answerExport(tree, env.tables, Checkpoint) }),
})

async function* answerExport(
  tree: SealcastParts['tree'],
  tables: TableReader,
  earlier: string | undefined,
): AsyncGenerator<ExportedFile | { readonly Size: number }> {
  const before = earlier === undefined ? undefined : readEarlier(tree, tables, Buffer.from(earlier))
  try {
    const { note, size } = await signCheckpoint(tree)
    if (before !== undefined) refuseUngrown(tree, before)
    let files = 0
    for (const name of tilesBetween(before?.size ?? 0, size)) {
      yield { Path: tilePath(name), Bytes: tree.tile(name).toString('base64') }
      if (++files % FILES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    yield { Path: 'checkpoint', Bytes: note.toString('base64') }
    yield { Size: size }
  } catch (error) {
    throw error instanceof TreeDamaged ? conflict(error.message) : error
  }
}

async function* noLines(): AsyncGenerator<never> {}
