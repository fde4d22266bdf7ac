// The checksum of an object that was put together from parts (S3 user guide, "Checking object integrity for multipart uploads"): of all its
// bytes, which for cyclic codes follows from those of the parts, or of the parts' checksums in a row.
import { type ChecksumAlgorithm, createChecksum } from '../checksums.ts'

export interface CheckedPart {
  readonly bytes: number
  /** Base64. */
  readonly checksum: string
}

/** `base64-N`, N being the number of parts. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly CheckedPart[]): string {
  const checksum = createChecksum(algorithm)
  for (const part of parts) checksum.update(Buffer.from(part.checksum, 'base64'))
  return `${checksum.digest()}-${parts.length}`
}

/** Reflected, without the highest term. */
const POLYNOMIALS: Readonly<Record<string, readonly [bits: number, polynomial: bigint] | undefined>> = {
  CRC32: [32, 0xedb88320n],
  CRC32C: [32, 0x82f63b78n],
  CRC64NVME: [64, 0x9a6c9329ac4bc9b5n],
}

const PARTS_PER_STEP = 100

/** Base64; gives way to others between steps. Undefined for an algorithm whose value does not follow from the parts'. */
export async function fullChecksum(algorithm: ChecksumAlgorithm, parts: readonly CheckedPart[]): Promise<string | undefined> {
  const [bits, polynomial] = POLYNOMIALS[algorithm] ?? []
  if (bits === undefined || polynomial === undefined) return undefined
  const field: Field = { highest: 1n << BigInt(bits - 1), polynomial }
  const shifts = new Map<number, bigint>()
  let joined = 0n
  for (const [at, { bytes, checksum }] of parts.entries()) {
    if (at % PARTS_PER_STEP === PARTS_PER_STEP - 1) await new Promise((resolve) => setImmediate(resolve))
    let shift = shifts.get(bytes)
    if (shift === undefined) shifts.set(bytes, (shift = power(field, BigInt(bytes) * 8n)))
    joined = times(field, shift, joined) ^ BigInt(`0x${Buffer.from(checksum, 'base64').toString('hex')}`)
  }
  return Buffer.from(joined.toString(16).padStart(bits / 4, '0'), 'hex').toString('base64')
}

/** Polynomials modulo one: bit-reflected, so that the highest bit is the factor of 1. */
interface Field {
  readonly highest: bigint
  readonly polynomial: bigint
}

function times({ highest, polynomial }: Field, a: bigint, b: bigint): bigint {
  let product = 0n
  let factor = b
  for (let bit = highest; bit !== 0n && a !== 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= factor
    factor = (factor & 1n) === 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** x to the power of n. */
function power(field: Field, n: bigint): bigint {
  let result = field.highest
  let square = field.highest >> 1n
  for (let left = n; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = times(field, square, result)
    square = times(field, square, square)
  }
  return result
}
