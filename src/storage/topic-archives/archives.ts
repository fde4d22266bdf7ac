// The archives of topics over files. Appending writes to the newest file of the archive, without waiting for the disk; `flush` does that,
// and closes files that are full. So only the newest file of an archive can have been cut by a crash.
import { join } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { File, Files } from '../files.ts'
import { openValue, sealValue, type ValueSealing } from '../sealed-value.ts'
import {
  type ArchivedMessage,
  type ArchiveFile,
  type ArchivePlace,
  type ArchiveRead,
  type ArchiveStart,
  TopicArchiveDamaged,
  type TopicArchives,
  type Trimmed,
} from '../topic-archives.ts'
import { withFile } from '../whole-files.ts'
import {
  archiveFileName,
  BLOCK_HEAD_BYTES,
  blockHead,
  contentBound,
  FILE_HEAD_BYTES,
  fileHead,
  formatRows,
  isSoundContent,
  readArchiveFileName,
  readBlockHead,
  readRows,
} from './format.ts'
import { countBlock, newSegment, openSegment, readAt, type Segment } from './segment.ts'

const FILE_BYTES = 16 * 1024 * 1024
/** Of messages in one block, which is checked and opened in one step. */
const BLOCK_BYTES = 512 * 1024
const READ_BYTES = 256 * 1024

export interface TopicArchivesOptions {
  readonly files: Files
  readonly folder: string
  readonly sealing: ValueSealing
  readonly log: Log
  /** From this size on a file takes no more. */
  readonly fileBytes?: number
}

/** Throws TopicArchiveTooNew. */
export function openTopicArchives(options: TopicArchivesOptions): TopicArchives {
  return new FileArchives(options)
}

interface Archive {
  readonly segments: Segment[]
  newest: number
}

class FileArchives implements TopicArchives {
  readonly #files: Files
  readonly #folder: string
  readonly #sealing: ValueSealing
  readonly #fileBytes: number
  readonly #archives = new Map<number, Archive>()
  /** Written to since their last flush. */
  readonly #dirty = new Map<Segment, File>()
  /** To be closed by the next flush, whatever their size. */
  readonly #full = new Set<Segment>()
  /** New or removed names that may not be on stable storage. */
  #hasNewNames = false
  readonly #watchers = new Set<(archive: number) => void>()
  #flushing: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #holds = 0
  #held: string[] = []

  constructor({ files, folder, sealing, log, fileBytes = FILE_BYTES }: TopicArchivesOptions) {
    this.#files = files
    this.#folder = folder
    this.#sealing = sealing
    this.#fileBytes = fileBytes
    files.makeFolder(folder)
    const names = files.list(folder).flatMap((name) => {
      const read = readArchiveFileName(name)
      return read === undefined ? [] : [{ name, archive: read.archive }]
    })
    for (const [at, { name, archive }] of names.entries()) {
      const segment = openSegment({ files, folder, log }, name, archive, names[at + 1]?.archive !== archive)
      if (segment !== undefined) this.#add(segment)
    }
  }

  append(number: number, messages: readonly ArchivedMessage[]): void {
    if (this.#failure !== undefined) throw this.#failure
    const archive = this.#archives.get(number)
    const fresh = messages.filter(({ sequence }) => sequence > (archive?.newest ?? 0))
    if (fresh.length === 0) return
    for (const block of blocksOf(fresh)) this.#write(number, block)
    for (const appended of this.#watchers) appended(number)
  }

  newest(archive: number): number {
    return this.#archives.get(archive)?.newest ?? 0
  }

  cut(number: number, from: number): void {
    const archive = this.#archives.get(number)
    if (archive === undefined || archive.newest < from) return
    for (const segment of archive.segments.splice(0)) {
      if (segment.first >= from) this.#remove(segment)
      else if (segment.last < from) archive.segments.push(segment)
      else archive.segments.push(this.#shorten(segment, from))
    }
    archive.newest = archive.segments.at(-1)?.last ?? 0
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.catch(() => {}).then(() => this.#flushAll())
    return this.#flushing
  }

  get wantsFlush(): boolean {
    for (const segment of this.#dirty.keys()) if (segment.bytes >= this.#fileBytes) return true
    return false
  }

  async read(number: number, from: ArchiveStart, place?: ArchivePlace): Promise<ArchiveRead | undefined> {
    const segments = this.#archives.get(number)?.segments ?? []
    const segment = segments.find(
      (one) =>
        isWanted(one, from) &&
        (place === undefined || one.name > place.segment || (one.name === place.segment && one.bytes > place.offset)),
    )
    if (segment === undefined) return undefined
    const at = place?.segment === segment.name ? place.offset : FILE_HEAD_BYTES
    return this.#readBlocks(segment, at, from)
  }

  async trim(number: number, { before, rollBefore }: { readonly before: number; readonly rollBefore: number }): Promise<Trimmed> {
    const archive = this.#archives.get(number)
    const open = archive?.segments.at(-1)
    if (archive === undefined || open === undefined) return NOTHING_TRIMMED
    if (!open.isClosed && open.earliest < rollBefore) {
      this.#dirty.set(open, this.#fileOf(open))
      this.#full.add(open)
      await this.flush()
    }
    const old = archive.segments.filter(({ isClosed, latest }) => isClosed && latest < before)
    for (const segment of old) {
      archive.segments.splice(archive.segments.indexOf(segment), 1)
      this.#remove(segment)
    }
    if (old.length > 0) await this.flush()
    return {
      upTo: old.reduce((newest, { last }) => Math.max(newest, last), 0),
      files: old.length,
      messages: old.reduce((sum, { messages }) => sum + messages, 0),
      bytes: old.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  erase(number: number): void {
    const archive = this.#archives.get(number)
    this.#archives.delete(number)
    for (const segment of archive?.segments ?? []) this.#remove(segment)
  }

  archives(): readonly number[] {
    return [...this.#archives.keys()]
  }

  files(): readonly ArchiveFile[] {
    return [...this.#archives.values()].flatMap(({ segments }) =>
      segments.map(({ name, bytes, isClosed }) => ({ name, bytes: bytes + (isClosed ? BLOCK_HEAD_BYTES : 0), isClosed })),
    )
  }

  bytes(): number {
    return this.files().reduce((sum, { bytes }) => sum + bytes, 0)
  }

  watch(appended: (archive: number) => void): () => void {
    this.#watchers.add(appended)
    return () => void this.#watchers.delete(appended)
  }

  hold(): () => void {
    this.#holds++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      if (--this.#holds > 0) return
      for (const name of this.#held.splice(0)) this.#files.remove(join(this.#folder, name))
      this.#hasNewNames = true
    }
  }

  close(): void {
    for (const file of this.#dirty.values()) file.close()
    this.#dirty.clear()
  }

  #add(segment: Segment): void {
    const archive = this.#archives.get(segment.archive)
    if (archive === undefined) this.#archives.set(segment.archive, { segments: [segment], newest: segment.last })
    else {
      archive.segments.push(segment)
      archive.newest = Math.max(archive.newest, segment.last)
    }
  }

  #write(number: number, block: readonly ArchivedMessage[]): void {
    const [first, last] = [block[0]?.sequence ?? 0, block.at(-1)?.sequence ?? 0]
    const times = block.map(({ publishedAt }) => publishedAt)
    const facts = {
      kind: 'messages',
      messages: block.length,
      first,
      last,
      earliest: Math.min(...times),
      latest: Math.max(...times),
    } as const
    const segment = this.#openFor(number, first)
    const file = this.#fileOf(segment)
    this.#dirty.set(segment, file)
    const content = sealValue(this.#sealing, contentBound(number, first), formatRows(block))
    writeAll(file, Buffer.concat([blockHead({ ...facts, flushed: segment.flushed }, content), content]), segment.bytes)
    segment.bytes += BLOCK_HEAD_BYTES + content.length
    countBlock(segment, facts)
    const archive = this.#archives.get(number)
    if (archive !== undefined) archive.newest = last
  }

  /** The file that takes the next message. */
  #openFor(number: number, first: number): Segment {
    const newest = this.#archives.get(number)?.segments.at(-1)
    if (newest !== undefined && !newest.isClosed) return newest
    const segment = newSegment(archiveFileName(number, first), number)
    const path = join(this.#folder, segment.name)
    // What a write that failed left there.
    if (this.#files.exists(path)) this.#files.remove(path)
    const file = this.#files.open(path, 'create')
    try {
      writeAll(file, fileHead(number), 0)
    } catch (error) {
      file.close()
      throw error
    }
    this.#dirty.set(segment, file)
    this.#hasNewNames = true
    this.#add(segment)
    return segment
  }

  #fileOf(segment: Segment): File {
    const dirty = this.#dirty.get(segment)
    if (dirty !== undefined) return dirty
    const file = this.#files.open(join(this.#folder, segment.name), 'write')
    // What was sound at the start: the next block is to prove it.
    if (segment.flushed < segment.bytes) {
      file.sync()
      segment.flushed = segment.bytes
    }
    return file
  }

  async #flushAll(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      for (const [segment, file] of this.#dirty) await this.#flushOne(segment, file)
      if (!this.#hasNewNames) return
      this.#hasNewNames = false
      await this.#files.syncFolderLater(this.#folder)
    } catch (error) {
      // Whether what was written is there, nobody knows any more: the journal still has it, and the next start takes it from there.
      this.#failure = error instanceof Error ? error : new Error(String(error))
      throw this.#failure
    }
  }

  async #flushOne(segment: Segment, file: File): Promise<void> {
    const { bytes } = segment
    await file.syncLater()
    if (!this.#dirty.has(segment)) return
    segment.flushed = bytes
    if (segment.bytes > bytes) return
    if (bytes >= this.#fileBytes || this.#full.delete(segment)) {
      const facts = { first: segment.first, last: segment.last, earliest: segment.earliest, latest: segment.latest }
      writeAll(file, blockHead({ ...facts, kind: 'end', messages: segment.messages, flushed: bytes }, Buffer.alloc(0)), bytes)
      segment.isClosed = true
      await file.syncLater()
    }
    if (this.#dirty.delete(segment)) file.close()
  }

  async #readBlocks(segment: Segment, at: number, from: ArchiveStart): Promise<ArchiveRead> {
    const { name, archive } = segment
    const path = join(this.#folder, name)
    const file = this.#files.open(path, 'read')
    try {
      const bytes = await readLater(file, at, Math.min(READ_BYTES, segment.bytes - at))
      const messages: ArchivedMessage[] = []
      let used = 0
      while (used < bytes.length) {
        const head = readBlockHead(bytes, used)
        if (head === undefined && used > 0 && bytes.length - used < BLOCK_HEAD_BYTES) break
        if (head === undefined || head.kind !== 'messages') throw damaged(path, at + used)
        const end = used + BLOCK_HEAD_BYTES + head.contentBytes
        if (isWanted(head, from)) {
          // A block that is longer than what was read is read by itself.
          if (end > bytes.length && used > 0) break
          const start = at + used + BLOCK_HEAD_BYTES
          const content =
            end <= bytes.length ? bytes.subarray(used + BLOCK_HEAD_BYTES, end) : await readLater(file, start, head.contentBytes)
          if (!isSoundContent(head, content)) throw damaged(path, at + used)
          const opened = openValue(this.#sealing.keys, contentBound(archive, head.first), content)
          const rows = Buffer.isBuffer(opened) ? readRows(opened) : undefined
          if (rows === undefined) throw damaged(path, at + used, Buffer.isBuffer(opened) ? undefined : opened.problem)
          for (const row of rows) if (row.sequence >= from.sequence) messages.push(row)
        }
        used = end
      }
      return { messages, place: { segment: name, offset: at + used } }
    } finally {
      file.close()
    }
  }

  /** Its blocks before the one that holds `from`. */
  #shorten(segment: Segment, from: number): Segment {
    const file = this.#dirty.get(segment)
    this.#dirty.delete(segment)
    file?.close()
    const shorter = newSegment(segment.name, segment.archive)
    withFile(this.#files, join(this.#folder, segment.name), 'write', (open) => {
      while (shorter.bytes < segment.bytes) {
        const head = readBlockHead(readAt(open, shorter.bytes, BLOCK_HEAD_BYTES), 0)
        if (head === undefined || head.last >= from) break
        shorter.bytes += BLOCK_HEAD_BYTES + head.contentBytes
        countBlock(shorter, head)
      }
      open.truncate(shorter.bytes)
      open.sync()
    })
    shorter.flushed = shorter.bytes
    return shorter
  }

  #remove(segment: Segment): void {
    const file = this.#dirty.get(segment)
    this.#dirty.delete(segment)
    this.#full.delete(segment)
    file?.close()
    if (this.#holds > 0) return void this.#held.push(segment.name)
    this.#files.remove(join(this.#folder, segment.name))
    this.#hasNewNames = true
  }
}

function isWanted({ last, latest }: Pick<Segment, 'last' | 'latest'>, { sequence, since, always }: ArchiveStart): boolean {
  return last >= sequence && (latest >= since || last >= always)
}

const NOTHING_TRIMMED: Trimmed = { upTo: 0, files: 0, messages: 0, bytes: 0 }

function damaged(path: string, at: number, why = 'what stands there is changed or missing'): TopicArchiveDamaged {
  return new TopicArchiveDamaged(`${path} is damaged at byte ${at}: ${why}. Restore a backup, or use \`sealcast fsck --salvage\``)
}

function* blocksOf(messages: readonly ArchivedMessage[]): Generator<readonly ArchivedMessage[]> {
  let block: ArchivedMessage[] = []
  let bytes = 0
  for (const message of messages) {
    if (block.length > 0 && bytes + message.bytes.length > BLOCK_BYTES) {
      yield block
      block = []
      bytes = 0
    }
    block.push(message)
    bytes += message.bytes.length
  }
  if (block.length > 0) yield block
}

function writeAll(file: File, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;) done += file.write(bytes, done, bytes.length - done, at + done)
}

async function readLater(file: File, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, await file.readLater(bytes, 0, length, at))
}
