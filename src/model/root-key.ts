// The server's root key: what names it, and how a passphrase becomes one.
import { createHash, scryptSync } from 'node:crypto'
import { KEY_BYTES } from '../base/aead.ts'

/** The key is not the one, or not ours to change. Names the ids and the remedy; nothing was changed. */
export class RootKeyRefused extends Error {
  override name = 'RootKeyRefused'
}

/** Names a root key without telling anything of it: 16 hexadecimal digits. */
export function rootKeyId(key: Uint8Array): string {
  return createHash('sha256').update('sealcast root key id').update(key).digest('hex').slice(0, 16)
}

/** How a passphrase is made into a key: kept beside the data, since the same must be done again (RFC 7914). */
export interface Stretching {
  readonly name: 'scrypt'
  /** Base64. */
  readonly salt: string
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
}

export const STRETCHING = { name: 'scrypt', cost: 2 ** 16, blockSize: 8, parallelization: 1 } as const

/** Takes some tenths of a second and 64 MiB, on purpose. */
export function stretchPassphrase(passphrase: string, { salt, cost, blockSize, parallelization }: Stretching): Buffer {
  const maxmem = 256 * cost * blockSize
  return scryptSync(passphrase, Buffer.from(salt, 'base64'), KEY_BYTES, { N: cost, r: blockSize, p: parallelization, maxmem })
}

/**
 * Where a root key comes from. `file`: 32 bytes; without a path `root.key` in the data directory. The others come from the environment, or
 * from a file that it names.
 */
export type RootSource =
  | { readonly kind: 'file'; readonly file?: string }
  | { readonly kind: 'environment'; readonly key: Buffer }
  | { readonly kind: 'passphrase'; readonly passphrase: string }

export interface RootSources {
  readonly current: RootSource
  /** The key that is to be given up for the current one. */
  readonly previous?: RootSource
}
