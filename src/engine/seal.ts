// Sealing of secrets at rest: AES-256-GCM under the data directory's root key. Protects copies of the data, not a stolen disk that
// holds the key file too. Text form: `v1.<key id>.<base64url of nonce, ciphertext, tag>`.
import { createHash } from 'node:crypto'
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import type { Random } from '../base/random.ts'

export interface Seal {
  readonly keyId: string
  /** `context` is bound in: what was sealed for one purpose opens for no other. */
  seal(text: string, context: string): string
  /** Throws SealBroken when the text was changed, sealed under another key, or for another context. */
  open(sealed: string, context: string): string
}

export class SealBroken extends Error {
  override name = 'SealBroken'
}

export function createSeal(rootKey: Buffer, random: Random): Seal {
  if (rootKey.length !== KEY_BYTES) throw new SealBroken(`the root key has ${rootKey.length} bytes; it must have ${KEY_BYTES}`)
  const keyId = createHash('sha256').update('sealcast root key id').update(rootKey).digest('hex').slice(0, 16)
  return {
    keyId,
    seal(text, context) {
      const body = sealBytes(rootKey, random.bytes(NONCE_BYTES), Buffer.from(text), context)
      return `v1.${keyId}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const [version, sealedBy, text] = sealed.split('.')
      if (version !== 'v1' || text === undefined) throw new SealBroken(`a sealed value of an unknown form (${version})`)
      if (sealedBy !== keyId) throw new SealBroken(`sealed under root key ${sealedBy}, but the root key at hand is ${keyId}`)
      const plain = openBytes(rootKey, Buffer.from(text, 'base64url'), context)
      if (plain === undefined)
        throw new SealBroken(`a sealed value for ${context} does not open: it was changed or sealed for something else`)
      return plain.toString('utf8')
    },
  }
}
