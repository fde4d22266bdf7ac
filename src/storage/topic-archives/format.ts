// The files of the archives of topics, format 1. A file holds messages of one archive that follow each other, and is named after the
// archive and the first of them: NNNNNNNNNN-SSSSSSSSSSSSSSSS. It only grows, at its end.
//
//   file    = "SEALTARC" | format u16 | zero u16 | archive u32 | blocks
//   block   = magic u32 | crc of the head u32 | crc of the content u32 | kind u32 | content bytes u32 | messages u32 |
//             first and last sequence, earliest and latest time, flushed: 5 times f64 | content     (little endian)
//   content = 1 u8 | rows, or the same sealed as a whole (storage/sealed-value.ts)
//   row     = bytes u32 | sequence f64 | time f64 | the message entry (model/entry.ts)
//
// Kind 1: messages. Kind 2: the end of a file that takes no more; its numbers are those of the whole file. `flushed`: so many bytes of the
// file were on stable storage when the block was written. What is unreadable behind them is what a crash left; before them it is damage.
import { crc32 } from 'node:zlib'
import type { ArchivedMessage } from '../topic-archives.ts'

export const ARCHIVE_FORMAT = 1
export const FILE_HEAD_BYTES = 16
export const BLOCK_HEAD_BYTES = 64
const FILE_MAGIC = 'SEALTARC'
const BLOCK_MAGIC = 0x4b42_4154
const ROW_HEAD_BYTES = 20
const OPEN_CONTENT = 1
const NAME = /^(\d{10})-(\d{16})$/

export interface BlockHead {
  readonly kind: 'messages' | 'end'
  readonly contentBytes: number
  readonly contentCrc: number
  readonly messages: number
  readonly first: number
  readonly last: number
  readonly earliest: number
  readonly latest: number
  readonly flushed: number
}

export function archiveFileName(archive: number, first: number): string {
  return `${String(archive).padStart(10, '0')}-${String(first).padStart(16, '0')}`
}

/** Undefined for a name that is none of ours. */
export function readArchiveFileName(name: string): { readonly archive: number; readonly first: number } | undefined {
  const [, archive, first] = NAME.exec(name) ?? []
  return archive === undefined || first === undefined ? undefined : { archive: Number(archive), first: Number(first) }
}

export function fileHead(archive: number): Buffer {
  const bytes = Buffer.alloc(FILE_HEAD_BYTES)
  bytes.write(FILE_MAGIC, 'latin1')
  bytes.writeUInt16LE(ARCHIVE_FORMAT, 8)
  bytes.writeUInt32LE(archive, 12)
  return bytes
}

/** Undefined where the bytes begin no such file. */
export function readFileHead(bytes: Buffer): { readonly format: number; readonly archive: number } | undefined {
  if (bytes.length < FILE_HEAD_BYTES || bytes.toString('latin1', 0, 8) !== FILE_MAGIC) return undefined
  return { format: bytes.readUInt16LE(8), archive: bytes.readUInt32LE(12) }
}

export function blockHead(head: Omit<BlockHead, 'contentCrc' | 'contentBytes'>, content: Buffer): Buffer {
  const bytes = Buffer.alloc(BLOCK_HEAD_BYTES)
  bytes.writeUInt32LE(BLOCK_MAGIC, 0)
  bytes.writeUInt32LE(crc32(content), 8)
  bytes.writeUInt32LE(head.kind === 'messages' ? 1 : 2, 12)
  bytes.writeUInt32LE(content.length, 16)
  bytes.writeUInt32LE(head.messages, 20)
  const numbers = [head.first, head.last, head.earliest, head.latest, head.flushed]
  for (const [at, number] of numbers.entries()) bytes.writeDoubleLE(number, 24 + at * 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** Undefined where no sound head stands at `at`. */
export function readBlockHead(bytes: Buffer, at: number): BlockHead | undefined {
  if (at + BLOCK_HEAD_BYTES > bytes.length || bytes.readUInt32LE(at) !== BLOCK_MAGIC) return undefined
  if (crc32(bytes.subarray(at + 8, at + BLOCK_HEAD_BYTES)) !== bytes.readUInt32LE(at + 4)) return undefined
  const number = (index: number): number => bytes.readDoubleLE(at + 24 + index * 8)
  return {
    kind: bytes.readUInt32LE(at + 12) === 2 ? 'end' : 'messages',
    contentCrc: bytes.readUInt32LE(at + 8),
    contentBytes: bytes.readUInt32LE(at + 16),
    messages: bytes.readUInt32LE(at + 20),
    ...{ first: number(0), last: number(1), earliest: number(2), latest: number(3), flushed: number(4) },
  }
}

/** Where the next sound head stands, from `at` on. */
export function findBlockHead(bytes: Buffer, at: number): { readonly at: number; readonly head: BlockHead } | undefined {
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(BLOCK_MAGIC)
  for (let found = bytes.indexOf(magic, at); found !== -1; found = bytes.indexOf(magic, found + 1)) {
    const head = readBlockHead(bytes, found)
    if (head !== undefined) return { at: found, head }
  }
  return undefined
}

/** Whether a block behind `at` tells that what stands there was on stable storage. */
export function isProvenAt(bytes: Buffer, at: number): boolean {
  for (let found = findBlockHead(bytes, at + 1); found !== undefined; found = findBlockHead(bytes, found.at + BLOCK_HEAD_BYTES))
    if (found.head.flushed > at) return true
  return false
}

export function isSoundContent({ contentCrc, contentBytes }: BlockHead, content: Buffer): boolean {
  return content.length === contentBytes && crc32(content) === contentCrc
}

export function formatRows(messages: readonly ArchivedMessage[]): Buffer {
  const parts: Buffer[] = [Buffer.of(OPEN_CONTENT)]
  for (const { sequence, publishedAt, bytes } of messages) {
    const head = Buffer.allocUnsafe(ROW_HEAD_BYTES)
    head.writeUInt32LE(bytes.length, 0)
    head.writeDoubleLE(sequence, 4)
    head.writeDoubleLE(publishedAt, 12)
    parts.push(head, bytes)
  }
  return Buffer.concat(parts)
}

/** `content`: opened. Undefined where it holds no such rows. */
export function readRows(content: Buffer): ArchivedMessage[] | undefined {
  if (content[0] !== OPEN_CONTENT) return undefined
  const messages: ArchivedMessage[] = []
  for (let at = 1; at < content.length;) {
    if (at + ROW_HEAD_BYTES > content.length) return undefined
    const end = at + ROW_HEAD_BYTES + content.readUInt32LE(at)
    if (end > content.length) return undefined
    messages.push({
      sequence: content.readDoubleLE(at + 4),
      publishedAt: content.readDoubleLE(at + 12),
      bytes: content.subarray(at + ROW_HEAD_BYTES, end),
    })
    at = end
  }
  return messages
}

/** What a block is sealed for: it opens nowhere else. */
export function contentBound(archive: number, first: number): string {
  return `topic archive ${archive} ${first}`
}
