// CRCs of bodies that neither Node nor zlib computes, eight bytes at a time: a table for each place that a byte can have among them
// ("slicing by eight", M. Kounavis and F. Berry, 2005). Both are reflected, with all ones in and out.

const PLACES = 8
/** CRC-32/ISCSI. */
const POLYNOMIAL_32C = 0x82f63b78
/** CRC-64/NVME, in two halves, since BigInt is too slow for bodies. */
const POLYNOMIAL_64_HIGH = 0x9a6c9329
const POLYNOMIAL_64_LOW = 0xac4bc9b5

export interface Crc {
  update(bytes: Uint8Array): void
  /** The value so far as words of 32 bits, the high one first. */
  words(): readonly number[]
}

interface Tables {
  /** Of 256 words for each place, the last byte's first. */
  readonly highs: Uint32Array
  readonly lows: Uint32Array
}

let tables32c: Tables | undefined
let tables64: Tables | undefined

export function createCrc32c(): Crc {
  const { lows } = (tables32c ??= tablesOf(0, POLYNOMIAL_32C))
  const at = (place: number, byte: number): number => lows[place * 256 + (byte & 0xff)] ?? 0
  let crc = 0xffffffff
  return {
    update(bytes) {
      const view = viewOf(bytes)
      let index = 0
      for (; index + PLACES <= bytes.length; index += PLACES) {
        const first = crc ^ view.getUint32(index, true)
        const second = view.getUint32(index + 4, true)
        crc =
          at(7, first) ^
          at(6, first >>> 8) ^
          at(5, first >>> 16) ^
          at(4, first >>> 24) ^
          at(3, second) ^
          at(2, second >>> 8) ^
          at(1, second >>> 16) ^
          at(0, second >>> 24)
      }
      for (; index < bytes.length; index++) crc = at(0, crc ^ view.getUint8(index)) ^ (crc >>> 8)
    },
    words: () => [~crc >>> 0],
  }
}

export function createCrc64Nvme(): Crc {
  const { highs, lows } = (tables64 ??= tablesOf(POLYNOMIAL_64_HIGH, POLYNOMIAL_64_LOW))
  let high = 0xffffffff
  let low = 0xffffffff
  return {
    update(bytes) {
      const view = viewOf(bytes)
      let index = 0
      for (; index + PLACES <= bytes.length; index += PLACES) {
        const first = low ^ view.getUint32(index, true)
        const second = high ^ view.getUint32(index + 4, true)
        const [a, b, c, d] = [1792 + (first & 0xff), 1536 + ((first >>> 8) & 0xff), 1280 + ((first >>> 16) & 0xff), 1024 + (first >>> 24)]
        const [e, f, g, h] = [768 + (second & 0xff), 512 + ((second >>> 8) & 0xff), 256 + ((second >>> 16) & 0xff), second >>> 24]
        high =
          word(highs, a) ^
          word(highs, b) ^
          word(highs, c) ^
          word(highs, d) ^
          word(highs, e) ^
          word(highs, f) ^
          word(highs, g) ^
          word(highs, h)
        low = word(lows, a) ^ word(lows, b) ^ word(lows, c) ^ word(lows, d) ^ word(lows, e) ^ word(lows, f) ^ word(lows, g) ^ word(lows, h)
      }
      for (; index < bytes.length; index++) {
        const byte = (low ^ view.getUint8(index)) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ word(lows, byte)
        high = (high >>> 8) ^ word(highs, byte)
      }
    },
    words: () => [~high >>> 0, ~low >>> 0],
  }
}

function word(table: Uint32Array, at: number): number {
  return table[at] ?? 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function tablesOf(polynomialHigh: number, polynomialLow: number): Tables {
  const highs = new Uint32Array(PLACES * 256)
  const lows = new Uint32Array(PLACES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let [high, low] = [0, byte]
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (low & 1) === 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (isOdd) [high, low] = [high ^ polynomialHigh, low ^ polynomialLow]
    }
    highs[byte] = high
    lows[byte] = low
  }
  // One byte further from the end: eight more zeros behind it.
  for (let at = 256; at < PLACES * 256; at++) {
    const [high, low] = [word(highs, at - 256), word(lows, at - 256)]
    highs[at] = (high >>> 8) ^ word(highs, low & 0xff)
    lows[at] = ((low >>> 8) | (high << 24)) ^ word(lows, low & 0xff)
  }
  return { highs, lows }
}
