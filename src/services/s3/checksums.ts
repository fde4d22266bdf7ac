// The checksums that clients send with an upload and ask for at a download (S3 user guide, "Checking object integrity"): each takes
// bytes as they come and gives the base64 of its big-endian value.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { errors } from './errors.ts'

export interface Checksum {
  update(bytes: Uint8Array): void
  /** Base64; ends the checksum. */
  digest(): string
}

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'SHA512', 'MD5'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]

/** Bytes of each value. */
export const checksumBytes = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32, SHA512: 64, MD5: 16 } as const satisfies Record<
  ChecksumAlgorithm,
  number
>

/** As S3's shapes tell checksums: a member for each algorithm. */
export function checksumMembers(checksums: Readonly<Record<string, string>>): Readonly<Record<`Checksum${string}`, string>> {
  return Object.fromEntries(Object.entries(checksums).map(([algorithm, value]) => [`Checksum${algorithm}`, value]))
}

/** Members by which an upload says its checksums. */
export const CHECKSUM_MEMBERS: readonly string[] = checksumAlgorithms.map((algorithm) => `Checksum${algorithm}`)

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return (checksumAlgorithms as readonly string[]).includes(text)
}

/** In any case. Throws InvalidRequest. */
export function readAlgorithm(text: string): ChecksumAlgorithm {
  const algorithm = text.toUpperCase()
  if (isChecksumAlgorithm(algorithm)) return algorithm
  throw errors.invalidRequest(
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
  )
}

export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case 'CRC32': {
      let value = 0
      return { update: (bytes) => void (value = crc32(bytes, value)), digest: () => bigEndian([value]) }
    }
    case 'CRC32C': {
      let value = 0xffffffff
      return { update: (bytes) => void (value = updateCrc32c(value, bytes)), digest: () => bigEndian([~value >>> 0]) }
    }
    case 'CRC64NVME':
      return createCrc64Nvme()
    default: {
      const hash = createHash(algorithm.toLowerCase())
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') }
    }
  }
}

function bigEndian(words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [at, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, at * 4)
  return bytes.toString('base64')
}

const tables = new Map<string, Uint32Array>()

/** CRC-32/ISCSI: reflected polynomial 0x82f63b78. */
function updateCrc32c(value: number, bytes: Uint8Array): number {
  let table = tables.get('CRC32C')
  if (table === undefined) {
    table = new Uint32Array(256)
    for (let byte = 0; byte < 256; byte++) {
      let crc = byte
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
      table[byte] = crc
    }
    tables.set('CRC32C', table)
  }
  let crc = value
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return crc >>> 0
}

/** CRC-64/NVME: reflected polynomial 0x9a6c9329ac4bc9b5, all ones in and out; kept in two halves, since BigInt is too slow for bodies. */
function createCrc64Nvme(): Checksum {
  const [highs, lows] = crc64Tables()
  let high = 0xffffffff
  let low = 0xffffffff
  return {
    update(bytes) {
      for (const byte of bytes) {
        const at = (low ^ byte) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ (lows[at] ?? 0)
        high = (high >>> 8) ^ (highs[at] ?? 0)
      }
    },
    digest: () => bigEndian([~high, ~low]),
  }
}

function crc64Tables(): readonly [Uint32Array, Uint32Array] {
  let highs = tables.get('CRC64 high')
  let lows = tables.get('CRC64 low')
  if (highs === undefined || lows === undefined) {
    highs = new Uint32Array(256)
    lows = new Uint32Array(256)
    for (let byte = 0; byte < 256; byte++) {
      let high = 0
      let low = byte
      for (let bit = 0; bit < 8; bit++) {
        const isOdd = (low & 1) === 1
        low = (low >>> 1) | (high << 31)
        high >>>= 1
        if (isOdd) {
          high ^= 0x9a6c9329
          low ^= 0xac4bc9b5
        }
      }
      highs[byte] = high
      lows[byte] = low
    }
    tables.set('CRC64 high', highs).set('CRC64 low', lows)
  }
  return [highs, lows]
}
