// The public keys of digests, in the form that `aws cloudtrail list-public-keys` prints.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { digestKeyFingerprint } from '../model/digest.ts'

export class PublicKeys {
  readonly #keys = new Map<string, KeyObject>()

  get fingerprints(): readonly string[] {
    return [...this.#keys.keys()]
  }

  /** Takes a document with a PublicKeyList, or a list of such documents. Returns what is wrong with it. */
  add(document: unknown): string | undefined {
    if (Array.isArray(document)) return document.map((one) => this.add(one)).find((problem) => problem !== undefined)
    const list = typeof document === 'object' && document !== null && 'PublicKeyList' in document ? document.PublicKeyList : undefined
    if (!Array.isArray(list)) return 'it has no PublicKeyList; give what `aws cloudtrail list-public-keys` prints'
    for (const [index, entry] of (list as unknown[]).entries()) {
      const value = typeof entry === 'object' && entry !== null && 'Value' in entry ? entry.Value : undefined
      const der = typeof value === 'string' ? Buffer.from(value, 'base64') : value instanceof Uint8Array ? Buffer.from(value) : undefined
      const key = der === undefined ? undefined : readKey(der)
      if (der === undefined || key === undefined) return `entry ${index} of its PublicKeyList holds no RSA public key`
      this.#keys.set(digestKeyFingerprint(der), key)
    }
    return undefined
  }

  /** Undefined when the key is not at hand. */
  verify(fingerprint: string, text: string, signature: string): boolean | undefined {
    const key = this.#keys.get(fingerprint.toLowerCase())
    if (key === undefined) return undefined
    return /^([0-9a-f]{2})+$/i.test(signature) && verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'hex'))
  }
}

/** AWS gives PKCS #1; one page of its guide shows a key in SPKI. */
function readKey(der: Buffer): KeyObject | undefined {
  for (const type of ['pkcs1', 'spki'] as const) {
    try {
      const key = createPublicKey({ key: der, format: 'der', type })
      if (key.asymmetricKeyType === 'rsa') return key
    } catch {
      // The other form, or none.
    }
  }
  return undefined
}
