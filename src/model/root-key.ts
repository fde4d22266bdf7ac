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

/** What a key is made out by where something is sealed under it. */
export interface NamedRoot {
  readonly id: string
  readonly source: RootSource['kind']
  readonly stretching?: Stretching
}

/** Root keys to look at something with that is sealed, of perhaps another time. */
export interface RootsAtHand {
  find(root: NamedRoot): Buffer | undefined
  /** Of those that may have been meant. */
  ids(root: NamedRoot): readonly string[]
}

export const NO_ROOTS: RootsAtHand = { find: () => undefined, ids: () => [] }

export function rootsAtHand(keys: readonly Buffer[], passphrases: readonly string[] = []): RootsAtHand {
  const stretched = new Map<string, Buffer>()
  const stretch = (passphrase: string, stretching: Stretching): Buffer => {
    const name = JSON.stringify([passphrase, stretching])
    const key = stretched.get(name) ?? stretchPassphrase(passphrase, stretching)
    stretched.set(name, key)
    return key
  }
  const all = ({ stretching }: NamedRoot): readonly Buffer[] =>
    stretching === undefined ? keys : [...keys, ...passphrases.map((passphrase) => stretch(passphrase, stretching))]
  return { find: (root) => all(root).find((key) => rootKeyId(key) === root.id), ids: (root) => all(root).map(rootKeyId) }
}

export interface RootSources {
  readonly current: RootSource
  /** The key that is to be given up for the current one. */
  readonly previous?: RootSource
}
