// The checksums that S3 clients send with an upload, computed as the bytes pass by. Values are base64 of the big-endian digest.
// CRC-32C: RFC 3720, appendix B.4. CRC-64/NVME: NVM Express Base Specification, "64b CRC".
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface Checksum {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

export const CHECKSUMS: Readonly<Record<string, (() => Checksum) | undefined>> = {
  crc32: crc32Checksum,
  crc32c: crc32cChecksum,
  crc64nvme: crc64Checksum,
  sha1: () => hashChecksum('sha1'),
  sha256: () => hashChecksum('sha256'),
  sha512: () => hashChecksum('sha512'),
  md5: () => hashChecksum('md5'),
}

function hashChecksum(algorithm: string): Checksum {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}

function crc32Checksum(): Checksum {
  let crc = 0
  return { update: (bytes) => void (crc = crc32(bytes, crc)), digest: () => word(crc) }
}

const CRC32C_POLYNOMIAL = 0x82f63b78
let crc32cTable: Uint32Array | undefined

function crc32cChecksum(): Checksum {
  const table = (crc32cTable ??= makeTable(CRC32C_POLYNOMIAL))
  let crc = 0xffffffff
  return {
    update(bytes) {
      let state = crc
      for (let at = 0; at < bytes.length; at++) state = (table[(state ^ (bytes[at] as number)) & 0xff] as number) ^ (state >>> 8)
      crc = state
    },
    digest: () => word((crc ^ 0xffffffff) >>> 0),
  }
}

function makeTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc >>> 0
  })
}

const CRC64_POLYNOMIAL = 0x9a6c9329ac4bc9b5n
let crc64Tables: { readonly high: Uint32Array; readonly low: Uint32Array } | undefined

/** In halves of 32 bits: BigInt arithmetic is a hundred times slower. */
function crc64Checksum(): Checksum {
  const { high: highTable, low: lowTable } = (crc64Tables ??= makeTables64())
  let high = 0xffffffff
  let low = 0xffffffff
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; at++) {
        const index = (low ^ (bytes[at] as number)) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ (lowTable[index] as number)
        high = (high >>> 8) ^ (highTable[index] as number)
      }
    },
    digest: () => Buffer.concat([word((high ^ 0xffffffff) >>> 0), word((low ^ 0xffffffff) >>> 0)]),
  }
}

function makeTables64(): { high: Uint32Array; low: Uint32Array } {
  const high = new Uint32Array(256)
  const low = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ CRC64_POLYNOMIAL : crc >> 1n
    high[byte] = Number(crc >> 32n)
    low[byte] = Number(crc & 0xffffffffn)
  }
  return { high, low }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
