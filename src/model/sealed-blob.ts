// The bytes of a sealed blob, version 1: a stream in segments that each open by themselves, so that a range costs what it holds.
//
//   blob    = header, segments, closing
//   header  = magic 8 | version u32 LE | segment bytes u32 LE
//   segment = AES-256-GCM of 64 KiB (the last: of what is left) | tag 16;  nonce = zeros 7 | segment number u32 BE | 0
//   closing = tag 16 over nothing;                                         nonce = zeros 7 | number of segments u32 BE | 1
//
// Header and, for the closing, the number of plain bytes (f64 BE) are bound in. The key is the blob's own and random, so that a nonce never
// comes twice under it. What is cut, swapped, moved from another blob or changed does not open: SealedBlobDamaged, never wrong bytes.
import { createCipheriv, createDecipheriv, type CipherGCM } from 'node:crypto'
import { CIPHER, TAG_BYTES } from '../base/aead.ts'

export const SEALED_BLOB_FORM = 1
export const SEALED_SEGMENT_BYTES = 64 * 1024
const SEGMENT_SPAN = SEALED_SEGMENT_BYTES + TAG_BYTES
const HEADER = Buffer.alloc(16)
HEADER.write('SEALBLOB', 0, 'latin1')
HEADER.writeUInt32LE(SEALED_BLOB_FORM, 8)
HEADER.writeUInt32LE(SEALED_SEGMENT_BYTES, 12)

export class SealedBlobDamaged extends Error {
  override name = 'SealedBlobDamaged'
}

/** Bytes of the blob that holds `bytes` plain ones. */
export function sealedBlobBytes(bytes: number): number {
  return HEADER.length + bytes + Math.ceil(bytes / SEALED_SEGMENT_BYTES) * TAG_BYTES + TAG_BYTES
}

/** The blob of a stream; about a segment of it is in memory. `key`: 32 random bytes that seal nothing else. */
export async function* sealBlob(source: AsyncIterable<Uint8Array>, key: Buffer): AsyncGenerator<Buffer> {
  let [bytes, segment, inSegment] = [0, 0, 0]
  let cipher: CipherGCM | undefined
  let [ready, readyBytes]: [Buffer[], number] = [[HEADER], HEADER.length]
  const add = (piece: Buffer): void => {
    ready.push(piece)
    readyBytes += piece.length
  }
  const end = (open: CipherGCM): void => {
    add(open.final())
    add(open.getAuthTag())
    cipher = undefined
    segment++
    inSegment = 0
  }
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      cipher ??= createCipheriv(CIPHER, key, nonceOf(segment, 0)).setAAD(HEADER)
      const part = chunk.subarray(at, at + SEALED_SEGMENT_BYTES - inSegment)
      add(cipher.update(part))
      at += part.length
      bytes += part.length
      inSegment += part.length
      if (inSegment === SEALED_SEGMENT_BYTES) end(cipher)
    }
    // Few small pieces go to the disk, and few large ones lie in memory.
    if (readyBytes < SEALED_SEGMENT_BYTES) continue
    yield Buffer.concat(ready)
    ;[ready, readyBytes] = [[], 0]
  }
  if (cipher !== undefined) end(cipher)
  const closing = createCipheriv(CIPHER, key, nonceOf(segment, 1)).setAAD(closingBound(bytes))
  add(closing.final())
  add(closing.getAuthTag())
  yield Buffer.concat(ready)
}

/** What of the plain bytes is read: `end` is exclusive. */
export interface PlainRange {
  readonly start: number
  readonly end: number
}

/** The plain bytes of `range`, of a blob that holds `bytes`. `read` gives stored bytes; no more are asked for than the range needs. */
export async function* openBlob(
  read: (range: PlainRange) => AsyncIterable<Buffer>,
  key: Buffer,
  bytes: number,
  range: PlainRange = { start: 0, end: bytes },
): AsyncGenerator<Buffer> {
  if (range.start >= range.end) return
  const segments = Math.ceil(bytes / SEALED_SEGMENT_BYTES)
  const [first, last] = [Math.floor(range.start / SEALED_SEGMENT_BYTES), Math.ceil(range.end / SEALED_SEGMENT_BYTES) - 1]
  const isToEnd = last === segments - 1
  const storedEnd = isToEnd ? sealedBlobBytes(bytes) : HEADER.length + (last + 1) * SEGMENT_SPAN
  const stored = exactly(read({ start: first === 0 ? 0 : HEADER.length + first * SEGMENT_SPAN, end: storedEnd }))
  try {
    if (first === 0 && !(await stored.take(HEADER.length)).equals(HEADER))
      throw new SealedBlobDamaged('a sealed blob does not begin with the header of this release')
    for (let segment = first; segment <= last; segment++) {
      const from = segment * SEALED_SEGMENT_BYTES
      const length = Math.min(SEALED_SEGMENT_BYTES, bytes - from)
      const plain = openSegment(
        key,
        await stored.take(length + TAG_BYTES),
        nonceOf(segment, 0),
        HEADER,
        `segment ${segment} of ${segments}`,
      )
      if (isToEnd && segment === last) {
        const what = `the closing behind ${bytes} bytes`
        openSegment(key, await stored.take(TAG_BYTES), nonceOf(segments, 1), closingBound(bytes), what)
      }
      yield plain.subarray(Math.max(0, range.start - from), Math.min(length, range.end - from))
    }
  } finally {
    await stored.close()
  }
}

function openSegment(key: Buffer, sealed: Buffer, nonce: Buffer, bound: Buffer, what: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, nonce).setAAD(bound)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    throw new SealedBlobDamaged(`${what} of a sealed blob does not open: its bytes were changed, or are another blob's`)
  }
  return plain
}

function nonceOf(number: number, isClosing: 0 | 1): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 7)
  nonce[11] = isClosing
  return nonce
}

function closingBound(bytes: number): Buffer {
  const bound = Buffer.alloc(HEADER.length + 8)
  HEADER.copy(bound)
  bound.writeDoubleBE(bytes, HEADER.length)
  return bound
}

/** A stream cut into the lengths that are asked for. */
function exactly(source: AsyncIterable<Buffer>): { take(length: number): Promise<Buffer>; close(): Promise<void> } {
  const chunks = source[Symbol.asyncIterator]()
  let held: Buffer[] = []
  let heldBytes = 0
  return {
    async take(length) {
      while (heldBytes < length) {
        const next = await chunks.next()
        if (next.done === true) throw new SealedBlobDamaged(`a sealed blob ends ${length - heldBytes} bytes early`)
        held.push(next.value)
        heldBytes += next.value.length
      }
      const all = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held)
      held = [all.subarray(length)]
      heldBytes -= length
      return all.subarray(0, length)
    },
    async close() {
      await chunks.return?.()
    },
  }
}
