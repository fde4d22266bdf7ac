// The layout of a data directory, its keyring and the blobs in it, and nothing else: shared by who keeps them and by who verifies them.
import { join } from 'node:path'
import type { RootSource, Stretching } from '../../model/root-key.ts'
import type { BlobId } from '../blobs.ts'

export const DATA_FORMAT = 1
export const ROOT_KEY_BYTES = 32

/** Where half-written blobs are, in the blobs' folder. */
export const NEW_BLOBS = 'new'

export function blobPath(folder: string, id: BlobId): string {
  return join(folder, id.slice(0, 2), id.slice(2, 3), id)
}

/** In the data directory: `{"format":1,"folder":...}`, where the archive is; from the data directory on where that is in it. */
export const ARCHIVE_POINTER = 'archive.json'
/** In the archive's folder: that it is one. */
export const ARCHIVE_MARK = 'sealcast-archive.json'
/** In the archive's folder: the bodies, as in the blobs' folder. */
export const ARCHIVE_BLOBS = 'bodies'

export const KEYRING_FORMAT = 1
export const KEYRING_FILE = 'keyring.json'
export const ROOT_KEY_FILE = 'root.key'

export interface StoredKeyring {
  readonly format: number
  /** The key that everything is sealed under: its name, never itself. */
  readonly root: {
    readonly id: string
    readonly source: RootSource['kind']
    /** In ms since 1970. */
    readonly since: number
    /** Where the key file is, when it is not root.key in the data directory. */
    readonly file?: string
    readonly stretching?: Stretching
  }
  /** Root keys given up whose seals are not all replaced: sealed under the present one, base64url. */
  readonly former: readonly { readonly id: string; readonly since: number; readonly sealed: string }[]
  /** Stores that are sealed as a whole from now on. */
  readonly sealed?: readonly string[]
  /** Keys of stores that are, or were, sealed as a whole, under the present root key. */
  readonly stores?: readonly { readonly store: string; readonly number: number; readonly since: number; readonly sealed: string }[]
}

/** What the key of a store is sealed for. */
export function storeKeyBound(store: string, number: number): string {
  return `store key ${store} ${number}`
}

/** Undefined for what is no keyring. One of a newer format has its number, and may hold anything else. */
export function readKeyring(text: string): StoredKeyring | undefined {
  let keyring: Partial<StoredKeyring> | null
  try {
    keyring = JSON.parse(text) as Partial<StoredKeyring> | null
  } catch {
    return undefined
  }
  if (typeof keyring?.format !== 'number') return undefined
  if (keyring.format > KEYRING_FORMAT) return keyring as StoredKeyring
  return typeof keyring.root?.id === 'string' && Array.isArray(keyring.former) ? (keyring as StoredKeyring) : undefined
}
