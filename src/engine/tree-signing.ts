// The keys that sign the tree's checkpoints, and the tree's name. The first key is made with the tree; an operator may put a new one in its
// place. Older keys stay listed, because checkpoints that people keep were signed with them.
import { createPrivateKey } from 'node:crypto'
import { ORIGIN_PREFIX } from '../model/tlog/checkpoint.ts'
import { formatVerifierKey, type NoteSigner, noteSigner } from '../model/tlog/signed-note.ts'
import { Table } from '../model/tables.ts'
import type { TreeKey } from '../model/tlog/tree-rows.ts'
import type { Env } from './env.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

const SERVER_ID = 'serverId'
const ID_BYTES = 8
const KEY_BYTES = 32
/** What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The server's own name among servers, made at the first start. */
export function serverId(env: Env, tx: Transaction): string {
  const known = tx.get(Table.meta, SERVER_ID)
  if (known !== undefined) return String(known)
  const id = env.random.bytes(ID_BYTES).toString('hex')
  tx.put(Table.meta, SERVER_ID, id)
  return id
}

/** The name of a server's first tree; a tree that was begun anew has a number behind it. */
export function originOf(id: string, generation: number): string {
  return generation === 1 ? `${ORIGIN_PREFIX}${id}` : `${ORIGIN_PREFIX}${id}/${generation}`
}

/** The name under which a tree goes on in the lineage that a restore began; no two restores share one. */
export function restoredOriginOf(id: string, lineage: string): string {
  return `${ORIGIN_PREFIX}${id}/restored-${lineage.slice(0, 8)}`
}

/** Makes a key for the tree of that name; from this commit on it signs. Returns its verifier key. */
export function addTreeKey({ random, seal }: Env, tx: Transaction, origin: string): string {
  const der = Buffer.concat([PKCS8_HEAD, random.bytes(KEY_BYTES)])
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString()
  const verifierKey = formatVerifierKey(noteSigner(origin, pem))
  const id = tx.range(Table.treeKeys, {}).length + 1
  const key = String(id).padStart(6, '0')
  tx.put(Table.treeKeys, key, { origin, verifierKey, sealedPrivateKey: seal.seal(pem, treeKeyContext(verifierKey)), createdAt: tx.now })
  return verifierKey
}

/** All keys, newest first: the first signs. */
export function treeKeys(tables: TableReader): TreeKey[] {
  return tables.range(Table.treeKeys, { reverse: true }).map(({ value }) => value)
}

/** Who signs for the tree of that name now. */
export function treeSigner(env: Env, origin: string): NoteSigner {
  const key = treeKeys(env.tables).find((known) => known.origin === origin)
  if (key === undefined) throw new Error(`there is no key that signs for ${origin}`)
  return noteSigner(origin, env.seal.open(key.sealedPrivateKey, treeKeyContext(key.verifierKey)))
}

export function treeKeyContext(verifierKey: string): string {
  return `tree-key ${verifierKey}`
}
