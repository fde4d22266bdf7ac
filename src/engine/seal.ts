// Sealing of secrets at rest: AES-256-GCM under the server's root key. Protects copies of the data, not a stolen disk that holds the key
// file too. Text form: `v1.<key id>.<base64url of nonce, ciphertext, tag>`; the id says which root key, so that a former one can open what
// it sealed until everything is sealed anew.
import { KEY_BYTES, NONCE_BYTES, openBytes, sealBytes } from '../base/aead.ts'
import type { Random } from '../base/random.ts'
import { rootKeyId } from '../model/root-key.ts'

export interface Seal {
  /** Of the root key that seals now. */
  readonly keyId: string
  /** `context` is bound in: what was sealed for one purpose opens for no other. */
  seal(text: string, context: string): string
  /** Throws SealBroken when the text was changed, sealed under another key, or for another context. */
  open(sealed: string, context: string): string
}

/** A seal whose root key may change while it is used. */
export interface RootSeal extends Seal {
  /** From now on `root` seals; what the present one sealed still opens. */
  turn(root: Buffer): void
  /** Former keys open nothing any more. */
  forgetFormer(): void
}

export class SealBroken extends Error {
  override name = 'SealBroken'
}

export function createSeal(root: Buffer, random: Random, former: readonly Buffer[] = []): RootSeal {
  const keys = new Map(former.map((key) => [rootKeyId(key), key]))
  let [current, currentId] = [root, '']
  turn(root)

  function turn(next: Buffer): void {
    if (next.length !== KEY_BYTES) throw new SealBroken(`the root key has ${next.length} bytes; it must have ${KEY_BYTES}`)
    current = next
    currentId = rootKeyId(next)
    keys.set(currentId, next)
  }

  return {
    get keyId() {
      return currentId
    },
    turn,
    forgetFormer() {
      for (const id of [...keys.keys()]) if (id !== currentId) keys.delete(id)
    },
    seal: (text, context) =>
      `v1.${currentId}.${sealBytes(current, random.bytes(NONCE_BYTES), Buffer.from(text), context).toString('base64url')}`,
    open(sealed, context) {
      const [version, sealedBy = '', text] = sealed.split('.')
      if (version !== 'v1' || text === undefined) throw new SealBroken(`a sealed value of an unknown form (${version})`)
      const key = keys.get(sealedBy)
      if (key === undefined) throw new SealBroken(`sealed under root key ${sealedBy}, but the root key at hand is ${currentId}`)
      const plain = openBytes(key, Buffer.from(text, 'base64url'), context)
      if (plain === undefined)
        throw new SealBroken(`a sealed value for ${context} does not open: it was changed or sealed for something else`)
      return plain.toString('utf8')
    },
  }
}
