// The port of the key store: named keys with versions, data keys sealed under them, and what becomes of both. What needs a key names it
// and holds a data key; the key's own material never leaves. One implementation: record-keys.ts.
import type { EncryptionContext, StoredKey } from '../model/key.ts'
import type { TableReader } from './tables.ts'
import type { Transaction } from './transaction.ts'

export interface DataKey {
  /** 32 random bytes. Never to be stored. */
  readonly plain: Buffer
  /** The same, sealed: `k1.<key id>.<version>.<base64url>`. */
  readonly sealed: string
}

export interface KeyPlace {
  readonly account: string
  readonly region: string
}

export interface NewKey extends KeyPlace {
  /** `alias/NAME`. MUST be free in its account and region. */
  readonly alias?: string
  readonly manager?: StoredKey['manager']
}

export interface Keys {
  create(tx: Transaction, key: NewKey): StoredKey
  /** By id, ARN, alias or alias ARN; the server's own are not found. `place`: where an id or alias is looked for. */
  find(tables: TableReader, reference: string, place: KeyPlace): StoredKey | undefined
  /** The key that `find` would name by this id, the server's own included. */
  byId(tables: TableReader, keyId: string): StoredKey | undefined
  list(tables: TableReader): readonly StoredKey[]
  /** The server's own key for `alias`, or undefined before it was made. */
  own(tables: TableReader, alias: string): StoredKey | undefined
  /** A fresh data key under the newest version. Throws KeyMissing and KeyDisabled. */
  dataKey(tables: TableReader, keyId: string, context: EncryptionContext): DataKey
  /** The data key again. Throws KeyMissing, KeyDisabled, and KeyBroken for another context or a changed text. */
  open(tables: TableReader, sealed: string, context: EncryptionContext): Buffer
  /** A new version, which seals from now on; what older ones sealed still opens. Throws KeyMissing. */
  rotate(tx: Transaction, keyId: string): StoredKey
  /** A disabled key neither seals nor opens. Throws KeyMissing. */
  setEnabled(tx: Transaction, keyId: string, isEnabled: boolean): StoredKey
}

/** The server's own key for bodies that no caller names a key for. */
export const OBJECTS_KEY = 'alias/sealcast/objects'

export class KeyMissing extends Error {
  override name = 'KeyMissing'
}
export class KeyDisabled extends Error {
  override name = 'KeyDisabled'
}
export class KeyBroken extends Error {
  override name = 'KeyBroken'
}

/** The key id in a sealed data key; undefined for another text. */
export function keyIdOf(sealed: string): string | undefined {
  const [form, keyId] = sealed.split('.')
  return form === 'k1' ? keyId : undefined
}
