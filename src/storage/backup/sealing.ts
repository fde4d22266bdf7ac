// The seal of a generation, format 2. Each run has a data key of its own that seals its packs and its manifest; it is sealed under the
// newest key that the key store has for backups, and that one under the root key. A manifest holds the data keys of earlier
// generations that it refers to, so that a generation opens with the root key of its own time and nothing else.
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes, TAG_BYTES } from '../../base/aead.ts'
import type { Random } from '../../base/random.ts'
import { type RootsAtHand, rootKeyId } from '../../model/root-key.ts'
import { BackupDamaged, BackupRefused, type BackupSeal, type BackupSealing } from '../backup.ts'
import { readKeyring, storeKeyBound } from '../disk/format.ts'
import type { StoreKeys } from '../store-keys.ts'

const BACKUP_STORE = 'backup'
/** What a sealed piece is longer than its bytes. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES
const DATA_KEY_BOUND = 'backup data key'

/** The seal of the next run; undefined where backups are not sealed. */
export function backupSealing({ current, all }: StoreKeys, random: Random): BackupSealing | undefined {
  if (current === undefined) return undefined
  const dataKey = random.bytes(KEY_BYTES)
  return {
    keys: { dataKey: dataKey.toString('base64'), storeKeys: all.map(({ key }) => key.toString('base64')) },
    sealOf(keyring) {
      const { root, stores = [] } = readKeyring(keyring.toString('utf8')) ?? {}
      const stored = stores.find(({ store, number }) => store === BACKUP_STORE && number === current.number)
      if (root === undefined || stored === undefined) throw new Error('the keyring has lost the key of backups')
      const { id, source, stretching } = root
      return {
        root: { id, source, ...(stretching !== undefined && { stretching }) },
        storeKey: { number: current.number, id: rootKeyId(current.key), sealed: stored.sealed },
        dataKey: sealBytes(current.key, random.bytes(NONCE_BYTES), dataKey, DATA_KEY_BOUND).toString('base64url'),
      }
    },
  }
}

/** How the data key of a seal is come by. */
export type DataKeyOf = (seal: BackupSeal, generation: string) => Buffer

/** With the root keys at hand. Throws BackupRefused, which names the key that is wanted, and BackupDamaged. */
export function dataKeysByRoot(roots: RootsAtHand): DataKeyOf {
  return ({ root, storeKey: { number, sealed }, dataKey }, generation) => {
    const rootKey = roots.find(root)
    if (rootKey === undefined) throw new BackupRefused(`${generation} is sealed under ${wantedRoot(root, roots)}`)
    const storeKey = openBytes(rootKey, Buffer.from(sealed, 'base64url'), storeKeyBound(BACKUP_STORE, number))
    const key = storeKey && openBytes(storeKey, Buffer.from(dataKey, 'base64url'), DATA_KEY_BOUND)
    if (key === undefined) throw new BackupDamaged(`${generation} is damaged: its data key does not open`)
    return key
  }
}

/** The wanted root key, what is at hand instead, and the remedy. */
export function wantedRoot(root: BackupSeal['root'], roots: RootsAtHand): string {
  const ids = roots.ids(root)
  const atHand = ids.length === 0 ? 'no root key is at hand' : `the root key at hand has id ${ids.join(' or ')}`
  const remedy = {
    file: 'Name a copy of it with --root-key FILE',
    environment: 'Give it as SEALCAST_ROOT_KEY',
    passphrase: 'Give its passphrase as SEALCAST_ROOT_PASSPHRASE or SEALCAST_ROOT_PASSPHRASE_FILE',
  }[root.source]
  return `root key ${root.id} (${root.source}), and ${atHand}. ${remedy}.`
}

/** With the keys of backups that a server has; undefined where the seal's is none of them. */
export function dataKeyByStore({ storeKey, dataKey }: BackupSeal, storeKeys: readonly string[]): Buffer | undefined {
  const key = storeKeys.map((text) => Buffer.from(text, 'base64')).find((bytes) => rootKeyId(bytes) === storeKey.id)
  return key && openBytes(key, Buffer.from(dataKey, 'base64url'), DATA_KEY_BOUND)
}

/** A data key seals each place of its packs once; packs count from 1. */
export function sealPiece(
  key: Buffer,
  pack: { readonly name: string; readonly number: number; readonly at: number },
  plain: Buffer,
): Buffer {
  return sealBytes(key, nonceOf(pack.number, pack.at), plain, pieceBound(pack.name, pack.at))
}

export function openPiece(key: Buffer, pack: string, at: number, sealed: Buffer): Buffer | undefined {
  return openBytes(key, sealed, pieceBound(pack, at))
}

/** One manifest to a data key. `head` is bound in. */
export function sealManifest(key: Buffer, head: string, plain: Buffer): string {
  return sealBytes(key, nonceOf(0, 0), plain, `backup manifest ${head}`).toString('base64url')
}

export function openManifest(key: Buffer, head: string, sealed: string): Buffer | undefined {
  return openBytes(key, Buffer.from(sealed, 'base64url'), `backup manifest ${head}`)
}

function nonceOf(pack: number, at: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(pack)
  nonce.writeBigUInt64BE(BigInt(at), 4)
  return nonce
}

function pieceBound(pack: string, at: number): string {
  return `backup piece ${pack} ${at}`
}
