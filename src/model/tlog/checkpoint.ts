// Checkpoints (c2sp.org/tlog-checkpoint): a signed statement of how many leaves a tree has and what its root is. Everything that is proved
// of the record is proved against one of these; a person who keeps one can tell later whether the record was cut or rewritten.
import { HASH_BYTES, type TreeHead } from './merkle.ts'
import { type NoteKey, type NoteSigner, parseNote, signersOf, signNote } from './signed-note.ts'

/** What the name of a server's tree begins with; its id follows. */
export const ORIGIN_PREFIX = 'sealcast/'

export interface Checkpoint extends TreeHead {
  readonly origin: string
  /** Further lines, as they are. */
  readonly extensions: readonly string[]
}

export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return `${[origin, size, root.toString('base64'), ...extensions].join('\n')}\n`
}

export function signCheckpoint(head: TreeHead, extensions: readonly string[], signer: NoteSigner): string {
  return signNote(formatCheckpoint({ origin: signer.name, ...head, extensions }), signer)
}

/** Undefined for a text that is no checkpoint. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (!text.endsWith('\n')) return undefined
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n')
  if (origin === '' || !/^(0|[1-9]\d{0,15})$/.test(size) || extensions.includes('')) return undefined
  const bytes = Buffer.from(root, 'base64')
  if (bytes.length !== HASH_BYTES || bytes.toString('base64') !== root || !Number.isSafeInteger(Number(size))) return undefined
  return { origin, size: Number(size), root: bytes, extensions }
}

export type OpenedCheckpoint = { readonly checkpoint: Checkpoint; readonly signers: readonly NoteKey[] } | { readonly problem: string }

/** A signed checkpoint, read and checked against the keys at hand. `signers` is empty when none of them signed it. */
export function openCheckpoint(bytes: Buffer, keys: readonly NoteKey[]): OpenedCheckpoint {
  const note = parseNote(bytes)
  if (note === undefined) return { problem: 'it is no signed note' }
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint === undefined) return { problem: 'its text is no checkpoint' }
  const signers = signersOf(note, keys)
  if (signers === undefined) return { problem: 'a signature on it does not hold: it was changed' }
  // A checkpoint is its log's own word only under the log's own name.
  return { checkpoint, signers: signers.filter(({ name }) => name === checkpoint.origin) }
}
