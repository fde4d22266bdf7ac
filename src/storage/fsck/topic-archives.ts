// The archives of topics: every block of every file, whether it opens, and whether its messages are in order and as many as it says.
import { join } from 'node:path'
import { openValue } from '../sealed-value.ts'
import {
  ARCHIVE_FORMAT,
  BLOCK_HEAD_BYTES,
  type BlockHead,
  contentBound,
  FILE_HEAD_BYTES,
  isProvenAt,
  isSoundContent,
  readArchiveFileName,
  readBlockHead,
  readFileHead,
  readRows,
} from '../topic-archives/format.ts'
import { FsckRefused } from '../fsck.ts'
import { type Check, damage, listOf, NOTHING, readWhole } from './check.ts'
import type { Salvage } from './repair.ts'

export const TOPIC_ARCHIVES = 'topic-archives'

export interface TopicArchivesPicture {
  readonly messages: number
  /** Files with damage, from the data directory on. */
  readonly damaged: readonly string[]
}

/** `numbers`: of the archives that have a record. */
export async function checkTopicArchives(check: Check, numbers: ReadonlySet<number>): Promise<TopicArchivesPicture> {
  const names = listOf(check, check.path(TOPIC_ARCHIVES))
  const damaged: string[] = []
  let messages = 0
  for (const [at, name] of names.entries()) {
    await check.step('topic archives', at / names.length)
    const file = join(TOPIC_ARCHIVES, name)
    const named = readArchiveFileName(name)
    if (named === undefined) {
      check.report({ severity: 'warning', file, what: 'it is none of our files', remedy: 'move it away' })
      continue
    }
    if (!numbers.has(named.archive))
      check.report({ severity: 'info', file, what: 'its archive has ended; the next start removes it', remedy: NOTHING })
    const isNewest = readArchiveFileName(names[at + 1] ?? '')?.archive !== named.archive
    const found = checkFile(check, file, named.archive, isNewest)
    messages += found.messages
    if (found.problem === undefined) continue
    damaged.push(file)
    damage(check, file, found.problem)
  }
  return { messages, damaged }
}

/** What is sound of them in the same order stays where it is. */
export function repairTopicArchives(salvage: Salvage, { damaged }: TopicArchivesPicture): void {
  for (const file of damaged) {
    salvage.move(file)
    salvage.lost(`the messages in ${file}, for replays: they are gone from the archive of their topic`)
  }
}

interface FileFound {
  readonly messages: number
  readonly problem?: string
}

function checkFile(check: Check, file: string, archive: number, isNewest: boolean): FileFound {
  const bytes = readWhole(check, check.path(file)) ?? Buffer.alloc(0)
  const head = readFileHead(bytes)
  if (head !== undefined && head.format > ARCHIVE_FORMAT)
    throw new FsckRefused(
      `${check.path(file)} has format ${head.format}; this release knows up to ${ARCHIVE_FORMAT}. Use the newer release.`,
    )
  if (head === undefined && isNewest && bytes.length < FILE_HEAD_BYTES + BLOCK_HEAD_BYTES) return told(check, file)
  if (head === undefined || head.archive !== archive) return { messages: 0, problem: 'its head is damaged, or that of another archive' }
  let messages = 0
  let last = 0
  for (let at = FILE_HEAD_BYTES; at < bytes.length;) {
    const block = readBlockHead(bytes, at)
    if (block?.kind === 'end' && at + BLOCK_HEAD_BYTES === bytes.length)
      return block.messages === messages && block.last === last
        ? { messages }
        : { messages, problem: `its end tells of ${block.messages} messages up to ${block.last}; it holds ${messages} up to ${last}` }
    const problem =
      block === undefined ? `what stands at byte ${at} is no block of messages` : blockProblem(check, archive, bytes, at, block)
    if (block === undefined || problem !== undefined) {
      const isTorn = isNewest && (block === undefined || !isSoundContent(block, contentOf(bytes, at, block)))
      return isTorn && !isProvenAt(bytes, at) ? { ...told(check, file), messages } : { messages, problem: problem ?? '' }
    }
    if (block.first <= last) return { messages, problem: `the block at byte ${at} begins with message ${block.first}, behind ${last}` }
    messages += block.messages
    last = block.last
    at += BLOCK_HEAD_BYTES + block.contentBytes
  }
  return isNewest ? { messages } : { messages, problem: 'it has no end, although another file follows' }
}

function told(check: Check, file: string): FileFound {
  check.report({ severity: 'info', file, what: 'its end is what a crash left; it comes again from the journal', remedy: NOTHING })
  return { messages: 0 }
}

function contentOf(bytes: Buffer, at: number, { contentBytes }: BlockHead): Buffer {
  return bytes.subarray(at + BLOCK_HEAD_BYTES, at + BLOCK_HEAD_BYTES + contentBytes)
}

function blockProblem(check: Check, archive: number, bytes: Buffer, at: number, block: BlockHead): string | undefined {
  const content = contentOf(bytes, at, block)
  if (block.kind !== 'messages') return `an end stands at byte ${at}, and more behind it`
  if (!isSoundContent(block, content)) return `the messages at byte ${at} fail their checksum`
  const opened = openValue(check.storeKeys('queues'), contentBound(archive, block.first), content)
  if (!Buffer.isBuffer(opened)) return `the messages at byte ${at}: ${opened.problem}`
  const rows = readRows(opened)
  if (rows === undefined || rows.length !== block.messages) return `the block at byte ${at} does not hold its ${block.messages} messages`
  const isInOrder = rows.every(({ sequence }, index) => index === 0 || sequence > (rows[index - 1]?.sequence ?? 0))
  return isInOrder && rows[0]?.sequence === block.first && rows.at(-1)?.sequence === block.last
    ? undefined
    : `the messages at byte ${at} are not in their order`
}
