// The checksums that S3 clients send with an upload, computed as the bytes pass by. Values are the big-endian digests.
// CRC-32C: RFC 3720, appendix B.4. CRC-64/NVME: NVM Express Base Specification, "64b CRC".
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Crc, createCrc32c, createCrc64Nvme } from './reflected-crc.ts'

export interface Checksum {
  update(bytes: Uint8Array): void
  /** Ends the checksum. */
  digest(): Buffer
}

export const CHECKSUMS: Readonly<Record<string, (() => Checksum) | undefined>> = {
  crc32: () => crcChecksum(createCrc32()),
  crc32c: () => crcChecksum(createCrc32c()),
  crc64nvme: () => crcChecksum(createCrc64Nvme()),
  sha1: () => hashChecksum('sha1'),
  sha256: () => hashChecksum('sha256'),
  sha512: () => hashChecksum('sha512'),
  md5: () => hashChecksum('md5'),
}

function hashChecksum(algorithm: string): Checksum {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}

function createCrc32(): Crc {
  let crc = 0
  return { update: (bytes) => void (crc = crc32(bytes, crc)), words: () => [crc] }
}

function crcChecksum(crc: Crc): Checksum {
  return {
    update: (bytes) => crc.update(bytes),
    digest() {
      const words = crc.words()
      const digest = Buffer.alloc(words.length * 4)
      for (const [at, word] of words.entries()) digest.writeUInt32BE(word, at * 4)
      return digest
    },
  }
}
