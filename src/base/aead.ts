// AES-256-GCM over whole texts: nonce, ciphertext and tag as one run of bytes. Who seals hands in a nonce that its key never saw before.
import { createCipheriv, createDecipheriv } from 'node:crypto'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
export const CIPHER = 'aes-256-gcm'

/** `bound` is bound in: what was sealed with it opens with nothing else. */
export function sealBytes(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, bound: string): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(bound))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** The plain bytes, or undefined when `sealed` was changed, sealed under another key, or with something else bound in. */
export function openBytes(key: Uint8Array, sealed: Buffer, bound: string): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(bound))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}
