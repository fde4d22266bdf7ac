// Randomness as a parameter: the system's for the server, a seeded one for simulations.
import { randomFillSync, randomUUID } from 'node:crypto'

export interface Random {
  /** Fresh bytes. The system's are fit for keys; a seeded one's are not. */
  bytes(length: number): Buffer
  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number
  /** A version 4 UUID in lower case. */
  uuid(): string
}

const POOL_BYTES = 4096

/** Draws from the system in pools, since one call for 16 bytes costs as much as one for 4096. */
export function systemRandom(): Random {
  const pool = Buffer.alloc(POOL_BYTES)
  let used = POOL_BYTES
  const take = (length: number): Buffer => {
    if (length > POOL_BYTES) return randomFillSync(Buffer.alloc(length))
    if (used + length > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = Buffer.from(pool.subarray(used, used + length))
    pool.fill(0, used, used + length)
    used += length
    return bytes
  }
  return { ...fromBytes(take), uuid: randomUUID }
}

/** Repeatable: the same seed gives the same values. mulberry32. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return fromBytes((length) => {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length; at++) bytes[at] = next() & 0xff
    return bytes
  })
}

function fromBytes(take: (length: number) => Buffer): Random {
  return {
    bytes: take,
    below: (below) => (below <= 1 ? 0 : take(6).readUIntBE(0, 6) % below),
    uuid() {
      const bytes = take(16)
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
      const hex = bytes.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
  }
}
