// Offline proofs. That an event is on the record: a C2SP tlog-proof (c2sp.org/tlog-proof@v1) whose extra data are the leaf's line and,
// where it is at hand, the event. That the record only grew: the two checkpoints and the hashes between them, in a text of the same manner.
import { parseLeaf } from './event-leaf.ts'
import { HASH_BYTES, sha256 } from './merkle.ts'

const INCLUSION = 'c2sp.org/tlog-proof@v1'
const GROWTH = 'sealcast-growth-proof@v1'
export const PROOF_BYTES_MAX = 16 * 1024 * 1024
/** A tree of 2^53 leaves needs no more. */
const HASHES_MAX = 128

export interface InclusionProof {
  readonly index: number
  readonly hashes: readonly Buffer[]
  /** The leaf's line. */
  readonly leaf: Buffer
  /** The event's very bytes; without them the proof is of what the leaf says. */
  readonly event?: Buffer | undefined
  /** The signed checkpoint, as it was signed. */
  readonly checkpoint: Buffer
}

export interface GrowthProof {
  readonly hashes: readonly Buffer[]
  readonly older: Buffer
  readonly newer: Buffer
}

export function formatInclusionProof({ index, hashes, leaf, event, checkpoint }: InclusionProof): Buffer {
  const extra = Buffer.concat(event === undefined ? [leaf] : [leaf, Buffer.from('\n'), event])
  return Buffer.concat([Buffer.from(`${INCLUSION}\nextra ${extra.toString('base64')}\nindex ${index}\n${hashLines(hashes)}\n`), checkpoint])
}

export function formatGrowthProof({ hashes, older, newer }: GrowthProof): Buffer {
  return Buffer.from(`${GROWTH}\nolder ${older.toString('base64')}\nnewer ${newer.toString('base64')}\n${hashLines(hashes)}`)
}

/** Reads either kind of proof; `problem` says what is wrong with the bytes. */
export function parseProof(
  bytes: Buffer,
): (InclusionProof & { readonly kind: 'inclusion' }) | (GrowthProof & { readonly kind: 'growth' }) | { readonly problem: string } {
  if (bytes.length > PROOF_BYTES_MAX) return { problem: `it has more than ${PROOF_BYTES_MAX} bytes` }
  const text = bytes.toString('latin1')
  if (text.startsWith(`${INCLUSION}\n`)) return parseInclusion(bytes, text)
  if (text.startsWith(`${GROWTH}\n`)) return parseGrowth(text)
  return { problem: `it begins neither with ${INCLUSION} nor with ${GROWTH}` }
}

/** Whether the event is the one that the leaf's line commits to. */
export function commitsTo(leaf: Buffer, event: Buffer): boolean {
  return parseLeaf(leaf)?.hash === sha256(event).toString('hex')
}

function parseInclusion(bytes: Buffer, text: string): (InclusionProof & { readonly kind: 'inclusion' }) | { readonly problem: string } {
  const end = text.indexOf('\n\n')
  if (end < 0) return { problem: 'it holds no checkpoint' }
  const [, extra = '', index = '', ...lines] = text.slice(0, end).split('\n')
  const hashes = readHashes(lines)
  const given = readBase64(/^extra (\S+)$/.exec(extra)?.[1])
  if (given === undefined) return { problem: 'it has no line "extra" with the leaf in base64' }
  const number = /^index (0|[1-9]\d{0,15})$/.exec(index)?.[1]
  if (number === undefined) return { problem: 'it has no line "index" with a number' }
  if (hashes === undefined) return { problem: 'its hashes are not lines of 32 bytes in base64' }
  const cut = given.indexOf(0x0a)
  const leaf = cut < 0 ? given : given.subarray(0, cut)
  return {
    kind: 'inclusion',
    index: Number(number),
    hashes,
    leaf,
    ...(cut >= 0 && { event: given.subarray(cut + 1) }),
    checkpoint: bytes.subarray(end + 2),
  }
}

function parseGrowth(text: string): (GrowthProof & { readonly kind: 'growth' }) | { readonly problem: string } {
  const [, first = '', second = '', ...lines] = text.replace(/\n$/, '').split('\n')
  const older = readBase64(/^older (\S+)$/.exec(first)?.[1])
  const newer = readBase64(/^newer (\S+)$/.exec(second)?.[1])
  if (older === undefined || newer === undefined) return { problem: 'it has no lines "older" and "newer" with checkpoints in base64' }
  const hashes = readHashes(lines)
  return hashes === undefined ? { problem: 'its hashes are not lines of 32 bytes in base64' } : { kind: 'growth', hashes, older, newer }
}

function hashLines(hashes: readonly Buffer[]): string {
  return hashes.map((hash) => `${hash.toString('base64')}\n`).join('')
}

function readHashes(lines: readonly string[]): Buffer[] | undefined {
  if (lines.length > HASHES_MAX) return undefined
  const hashes = lines.map((line) => readBase64(line))
  return hashes.every((hash) => hash !== undefined && hash.length === HASH_BYTES) ? (hashes as Buffer[]) : undefined
}

function readBase64(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
