// Sealing of secrets at rest: AES-256-GCM under the data directory's root key. Protects copies of the data, not a stolen disk that
// holds the key file too. Text form: `v1.<key id>.<base64url of nonce, ciphertext, tag>`.
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
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

export const ROOT_KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

export function createSeal(rootKey: Buffer, random: Random): Seal {
  if (rootKey.length !== ROOT_KEY_BYTES) throw new SealBroken(`the root key has ${rootKey.length} bytes; it must have ${ROOT_KEY_BYTES}`)
  const keyId = createHash('sha256').update('sealcast root key id').update(rootKey).digest('hex').slice(0, 16)
  return {
    keyId,
    seal(text, context) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', rootKey, nonce).setAAD(Buffer.from(context))
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${keyId}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const [version, sealedBy, text] = sealed.split('.')
      if (version !== 'v1' || text === undefined) throw new SealBroken(`a sealed value of an unknown form (${version})`)
      if (sealedBy !== keyId) throw new SealBroken(`sealed under root key ${sealedBy}, but the root key at hand is ${keyId}`)
      const body = Buffer.from(text, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', rootKey, body.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(context))
        decipher.setAuthTag(body.subarray(body.length - TAG_BYTES))
        return decipher.update(body.subarray(NONCE_BYTES, body.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        throw new SealBroken(`a sealed value for ${context} does not open: it was changed or sealed for something else`)
      }
    },
  }
}
