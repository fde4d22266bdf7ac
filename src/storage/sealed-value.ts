// Values of a sealed store: mark u8 | key number u32 LE | AES-256-GCM (nonce 12, ciphertext, tag 16). The mark begins no value that stands
// open (JSON, entries), so that a store may be sealed later and holds both for a while.
import { NONCE_BYTES, openBytes, sealBytes, TAG_BYTES } from '../base/aead.ts'
import type { Random } from '../base/random.ts'
import { type StoreKeys, storeKeyOf } from './store-keys.ts'

const MARK = 0xf5
const HEAD_BYTES = 5

export interface ValueSealing {
  readonly keys: StoreKeys
  readonly random: Random
}

/** `bound`: what the value is of; it opens for nothing else. Without a current key the value itself. */
export function sealValue({ keys: { current }, random }: ValueSealing, bound: string, value: Buffer): Buffer {
  if (current === undefined) return value
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = MARK
  head.writeUInt32LE(current.number, 1)
  return Buffer.concat([head, sealBytes(current.key, random.bytes(NONCE_BYTES), value, bound)])
}

/** The value, or why it does not open. One that stands open comes back as it is. */
export function openValue(keys: StoreKeys, bound: string, stored: Buffer): Buffer | { readonly problem: string } {
  if (stored[0] !== MARK) return stored
  if (stored.length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES) return { problem: 'it is cut short' }
  const number = stored.readUInt32LE(1)
  const key = storeKeyOf(keys, number)
  if (key === undefined) return { problem: `it is sealed with key ${number} of its store, which is not at hand` }
  return openBytes(key, stored.subarray(HEAD_BYTES), bound) ?? { problem: `its seal, of key ${number} of its store, does not hold` }
}

export function recordBound(table: number, key: string): string {
  return `record ${table} ${key}`
}

export function bodyBound(queue: number, sequence: number): string {
  return `body ${queue} ${sequence}`
}
