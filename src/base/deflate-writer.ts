// Deflate (RFC 1951) by who knows already where his text repeats itself: literals and matches are given, nothing is searched. A fifth of
// zlib's work on text that is nearly all repetition. The code is one for all: what does not repeat is best made of hexadecimal digits.
import { assert } from './assert.ts'

export const MATCH_BYTES_MIN = 3
const MATCH_BYTES_MAX = 258
/** How far back a match may lie. */
export const WINDOW_BYTES: number = 32 * 1024

/** So many neighbouring symbols, whose codes have so many bits, in turn. Complete: the sum of count / 2^bits is 1. */
const LITERAL_CODE: readonly number[] = [
  // Below 0x20; up to the comma; the hyphen; the point and the slash; digits; up to upper case, and that.
  ...[32, 14, 13, 12, 1, 5, 2, 12, 10, 4, 7, 12, 26, 10],
  // Up to lower case; a to f; g to z; the rest of ASCII.
  ...[5, 12, 1, 13, 6, 5, 20, 10, 4, 12, 1, 14],
  // Beyond ASCII; the end of the block; lengths below the longest; the longest.
  ...[128, 13, 1, 14, 28, 9, 1, 5],
]
/** Most matches lie more than 512 bytes back. */
const DISTANCE_CODE: readonly number[] = [4, 7, 14, 6, 12, 4]
const CODE_BITS_MAX = 14

const END_OF_BLOCK = 256
const FIRST_LENGTH = 257
const LONGEST = 285
const BLOCK_BYTES_LEAST = 1024

interface Code {
  /** By symbol: the code's bits in the order they are sent, and how many. */
  readonly bits: Uint16Array
  readonly counts: Uint8Array
}

/** Writes one block at a time, which begins and ends at a byte, and which is not the last of its stream. */
export class DeflateWriter {
  readonly #literal = codeOf(LITERAL_CODE)
  readonly #distance = codeOf(DISTANCE_CODE)
  /** By length of a match: its symbol with the bits behind it. */
  readonly #lengthBits = new Uint32Array(MATCH_BYTES_MAX + 1)
  readonly #lengthCounts = new Uint8Array(MATCH_BYTES_MAX + 1)
  #bytes = Buffer.alloc(0)
  #at = 0
  /** Bits that do not make a byte yet. */
  #bits = 0
  #count = 0

  constructor() {
    for (let length = MATCH_BYTES_MIN; length <= MATCH_BYTES_MAX; length++) {
      const { symbol, extra, extraBits } = lengthSymbol(length)
      const count = this.#literal.counts[symbol] ?? 0
      this.#lengthBits[length] = (this.#literal.bits[symbol] ?? 0) | (extra << count)
      this.#lengthCounts[length] = count + extraBits
    }
  }

  /** `textBytes`: of the text that the block holds, at most. */
  begin(textBytes: number): void {
    const bytes = BLOCK_BYTES_LEAST + Math.ceil((textBytes * CODE_BITS_MAX) / 8)
    if (this.#bytes.length < bytes) this.#bytes = Buffer.allocUnsafe(bytes)
    this.#at = this.#bits = this.#count = 0
    // Not the last block, with its own codes: all of their symbols, whose lengths are sent in four bits each.
    this.#put(0b100, 3)
    this.#put(LONGEST + 1 - FIRST_LENGTH, 5)
    this.#put(29, 5)
    this.#put(15, 4)
    for (let symbol = 0; symbol < 19; symbol++) this.#put(symbol < 3 ? 0 : 4, 3)
    for (const { counts } of [this.#literal, this.#distance]) for (const count of counts) this.#put(reversed(count, 4), 4)
  }

  /** The bytes of `text` from `from` to `to`, as they are. */
  literals(text: Buffer, from: number, to: number): void {
    const { bits, counts } = this.#literal
    for (let at = from; at < to; at++) {
      const byte = text[at] ?? 0
      this.#put(bits[byte] ?? 0, counts[byte] ?? 0)
    }
  }

  /** So many bytes, at least MATCH_BYTES_MIN, are those that stand so far back in the text. */
  match(length: number, distance: number): void {
    const back = distance - 1
    const power = 31 - Math.clz32(back)
    const extraBits = back < 4 ? 0 : power - 1
    const symbol = back < 4 ? back : 2 * power + ((back >> extraBits) & 1)
    const symbolBits = this.#distance.counts[symbol] ?? 0
    const bits = (this.#distance.bits[symbol] ?? 0) | ((back & ((1 << extraBits) - 1)) << symbolBits)
    for (let left = length; left > 0;) {
      // No rest is too short to be a match.
      const part = left <= MATCH_BYTES_MAX ? left : Math.min(MATCH_BYTES_MAX, left - MATCH_BYTES_MIN)
      this.#put(this.#lengthBits[part] ?? 0, this.#lengthCounts[part] ?? 0)
      this.#put(bits, symbolBits + extraBits)
      left -= part
    }
  }

  /** The whole block. */
  end(): Buffer {
    this.#put(this.#literal.bits[END_OF_BLOCK] ?? 0, this.#literal.counts[END_OF_BLOCK] ?? 0)
    // An empty stored block fills the last byte up.
    this.#put(0, 3)
    if (this.#count > 0) this.#put(0, 8 - this.#count)
    this.#put(0, 16)
    this.#put(0xffff, 16)
    assert(this.#at <= this.#bytes.length && this.#count === 0, 'a block within its room')
    return Buffer.from(this.#bytes.subarray(0, this.#at))
  }

  /** At most 24 bits, the lowest first. */
  #put(bits: number, count: number): void {
    let all = this.#bits | (bits << this.#count)
    let left = this.#count + count
    for (; left >= 8; left -= 8) {
      this.#bytes[this.#at++] = all
      all >>>= 8
    }
    this.#bits = all
    this.#count = left
  }
}

/** RFC 1951, 3.2.5. */
function lengthSymbol(length: number): { readonly symbol: number; readonly extra: number; readonly extraBits: number } {
  const over = length - MATCH_BYTES_MIN
  if (length === MATCH_BYTES_MAX) return { symbol: LONGEST, extra: 0, extraBits: 0 }
  if (over < 8) return { symbol: FIRST_LENGTH + over, extra: 0, extraBits: 0 }
  const power = 31 - Math.clz32(over)
  const extraBits = power - 2
  return { symbol: FIRST_LENGTH + 4 * (power - 1) + ((over >> extraBits) & 3), extra: over & ((1 << extraBits) - 1), extraBits }
}

/** Codes follow from their lengths (RFC 1951, 3.2.2). */
function codeOf(runs: readonly number[]): Code {
  const counts = Uint8Array.from(runs.flatMap((bits, at) => (at % 2 === 0 ? [] : new Array<number>(runs[at - 1] ?? 0).fill(bits))))
  const codes = new Uint16Array(counts.length)
  let code = 0
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    for (const [symbol, count] of counts.entries()) if (count === length) codes[symbol] = reversed(code++, length)
    code <<= 1
  }
  assert(code === 2 ** (CODE_BITS_MAX + 1), 'a complete code')
  return { bits: codes, counts }
}

/** Codes are sent from their highest bit on, all else from its lowest. */
function reversed(bits: number, count: number): number {
  let result = 0
  for (let at = 0; at < count; at++) result |= ((bits >> at) & 1) << (count - 1 - at)
  return result
}
