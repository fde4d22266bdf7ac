// One file of an archive as it is known in memory, and how it is found again: by its end where it is closed, else block by block. What a
// crash left behind the last sound block is cut off; what was on stable storage and is unreadable stays, and is named when it is read.
import { join } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { File, Files } from '../files.ts'
import { TopicArchiveTooNew } from '../topic-archives.ts'
import { withFile } from '../whole-files.ts'
import {
  ARCHIVE_FORMAT,
  BLOCK_HEAD_BYTES,
  type BlockHead,
  FILE_HEAD_BYTES,
  findBlockHead,
  isProvenAt,
  isSoundContent,
  readBlockHead,
  readFileHead,
} from './format.ts'

export interface Segment {
  readonly name: string
  readonly archive: number
  first: number
  last: number
  earliest: number
  latest: number
  messages: number
  /** Of sound blocks, the file's head included. */
  bytes: number
  /** So many of them are on stable storage. */
  flushed: number
  isClosed: boolean
}

export function newSegment(name: string, archive: number): Segment {
  return {
    ...{ name, archive, first: Infinity, last: 0, earliest: Infinity, latest: 0, messages: 0 },
    ...{ bytes: FILE_HEAD_BYTES, flushed: 0, isClosed: false },
  }
}

export function countBlock(segment: Segment, head: Pick<BlockHead, 'first' | 'last' | 'earliest' | 'latest' | 'messages'>): void {
  segment.first = Math.min(segment.first, head.first)
  segment.last = Math.max(segment.last, head.last)
  segment.earliest = Math.min(segment.earliest, head.earliest)
  segment.latest = Math.max(segment.latest, head.latest)
  segment.messages += head.messages
}

export interface Place {
  readonly files: Files
  readonly folder: string
  readonly log: Log
}

/** Undefined: nothing in it was ever kept, and the file is gone. `isNewest`: of its archive; no other can have been cut by a crash. */
export function openSegment(place: Place, name: string, archive: number, isNewest: boolean): Segment | undefined {
  const { files, folder, log } = place
  const path = join(folder, name)
  const segment = newSegment(name, archive)
  const isEmpty = withFile(files, path, isNewest ? 'write' : 'read', (file) => {
    const head = readFileHead(readAt(file, 0, FILE_HEAD_BYTES))
    if (head !== undefined && head.format > ARCHIVE_FORMAT)
      throw new TopicArchiveTooNew(`${path} has format ${head.format}; this release reads format ${ARCHIVE_FORMAT}. Use the newer release.`)
    const size = file.size()
    if (head === undefined && isNewest && size < FILE_HEAD_BYTES + BLOCK_HEAD_BYTES) return true
    const end = size < BLOCK_HEAD_BYTES ? undefined : readBlockHead(readAt(file, size - BLOCK_HEAD_BYTES, BLOCK_HEAD_BYTES), 0)
    if (end?.kind === 'end') {
      countBlock(segment, end)
      segment.bytes = segment.flushed = size - BLOCK_HEAD_BYTES
      segment.isClosed = true
      return false
    }
    const unsound = walk(file, segment, size)
    if (unsound === undefined) return segment.messages === 0 && isNewest
    const bytes = readAt(file, 0, size)
    if (isNewest && !isProvenAt(bytes, unsound)) {
      file.truncate(segment.bytes)
      return segment.messages === 0
    }
    log.error('a file of the archive of a topic is damaged; what it holds from there on cannot be replayed', { file: path, at: unsound })
    // What is readable behind keeps the order of what follows.
    for (let found = findBlockHead(bytes, unsound); found !== undefined; found = findBlockHead(bytes, found.at + BLOCK_HEAD_BYTES))
      countBlock(segment, found.head)
    segment.bytes = segment.flushed = size
    segment.isClosed = true
    return false
  })
  if (!isEmpty) return segment
  files.remove(path)
  return undefined
}

/** Counts sound blocks; gives where the first one stands that is not, if any. */
function walk(file: File, segment: Segment, size: number): number | undefined {
  let newest: { readonly at: number; readonly head: BlockHead } | undefined
  const heads: { readonly at: number; readonly head: BlockHead }[] = []
  while (segment.bytes < size) {
    const at = segment.bytes
    const head = readBlockHead(readAt(file, at, BLOCK_HEAD_BYTES), 0)
    if (head === undefined || head.kind !== 'messages' || at + BLOCK_HEAD_BYTES + head.contentBytes > size) break
    heads.push((newest = { at, head }))
    segment.bytes = at + BLOCK_HEAD_BYTES + head.contentBytes
  }
  segment.flushed = Math.min(newest?.head.flushed ?? 0, segment.bytes)
  for (const { at, head } of heads) {
    // What was on stable storage then is checked when it is read.
    if (at >= segment.flushed && !isSoundContent(head, readAt(file, at + BLOCK_HEAD_BYTES, head.contentBytes))) {
      segment.bytes = at
      return at
    }
    countBlock(segment, head)
  }
  return segment.bytes < size ? segment.bytes : undefined
}

/** As many bytes as are there. */
export function readAt(file: File, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, file.read(bytes, 0, length, at))
}
