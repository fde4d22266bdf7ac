// Randomness as a parameter: the system's for the server, a seeded one for simulations.
import { randomFillSync } from 'node:crypto'

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
  /** Where `length` fresh bytes of the pool stand. */
  const reserve = (length: number): number => {
    if (used + length > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    used += length
    return used - length
  }
  const take = (length: number): Buffer => {
    if (length > POOL_BYTES) return randomFillSync(Buffer.alloc(length))
    const at = reserve(length)
    const bytes = Buffer.from(pool.subarray(at, at + length))
    pool.fill(0, at, at + length)
    return bytes
  }
  return { ...fromBytes(take), uuid: () => uuidText(pool, reserve(UUID_BYTES)) }
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
    uuid: () => uuidText(take(UUID_BYTES), 0),
  }
}

const UUID_BYTES = 16
const DASH = 0x2d
const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const FIRST_DIGITS = Uint8Array.from(HEX_PAIRS, (pair) => pair.charCodeAt(0))
const SECOND_DIGITS = Uint8Array.from(HEX_PAIRS, (pair) => pair.charCodeAt(1))
const uuidScratch = Buffer.alloc(36, DASH)

/**
 * Made of the 16 bytes at `at`, which are wiped. Written as bytes and read as one flat text: a text put together from parts is taken
 * apart again by each who writes it.
 */
function uuidText(bytes: Buffer, at: number): string {
  bytes[at + 6] = ((bytes[at + 6] ?? 0) & 0x0f) | 0x40
  bytes[at + 8] = ((bytes[at + 8] ?? 0) & 0x3f) | 0x80
  for (let from = 0, to = 0; from < UUID_BYTES; from++) {
    const byte = bytes[at + from] ?? 0
    if (from === 4 || from === 6 || from === 8 || from === 10) to++
    uuidScratch[to++] = FIRST_DIGITS[byte] ?? 0
    uuidScratch[to++] = SECOND_DIGITS[byte] ?? 0
    bytes[at + from] = 0
  }
  return uuidScratch.toString('latin1')
}
