// The checksums that clients send with an upload and ask for at a download (S3 user guide, "Checking object integrity"): each takes
// bytes as they come and gives the base64 of its big-endian value.
import { assert } from '../../base/assert.ts'
import { CHECKSUMS } from '../../base/checksums.ts'
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
  const checksum = CHECKSUMS[algorithm.toLowerCase()]?.()
  assert(checksum !== undefined, `a checksum ${algorithm}`)
  return { update: (bytes) => checksum.update(bytes), digest: () => checksum.digest().toString('base64') }
}
