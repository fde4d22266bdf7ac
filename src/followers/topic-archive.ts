// Files what FIFO topics archive: messages that bear the number of an archive go from the journal into its files, some milliseconds behind
// their commit. Retention lets go of what is too old, and an archive without a record goes as a whole. Where no topic has one, frames
// are passed over unread.
import type { Clock, Timer } from '../base/clock.ts'
import { EntryKind, readEntryAt, visitEntries } from '../model/entry.ts'
import type { MessageHeader } from '../model/message.ts'
import { sequenceCounter } from '../model/sequence-number.ts'
import { Table } from '../model/tables.ts'
import { archiveKey, beginningOf, DAY_MS, type TopicArchive } from '../model/topic-archive.ts'
import type { Env } from '../engine/env.ts'
import type { Follower } from '../engine/follow.ts'
import type { Frame, Position } from '../storage/journal.ts'
import type { ArchivedMessage, TopicArchives } from '../storage/topic-archives.ts'

const NAME = 'topic-archive'
/** Many small groups of frames make one block of a file. */
const PAUSE_MS = 10
/** Filed in one step. */
const BATCH_BYTES = 512 * 1024
/** What was filed becomes durable at the latest after so long; until then the journal is kept for it. */
const FLUSH_MS = 1000
/** So much of the journal is read again after a restart, at most. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const TRIM_MS = 3600 * 1000
const FIRST_TRIM_MS = 60 * 1000
/** A file takes messages of a day at most, and of a short time where they are kept shortly: it goes as a whole. */
const FILE_SHARE = 24
/** In the header of a message alone: inside a text its quotes would bear a backslash. */
const MARK = Buffer.from('"archive":')

export interface TopicArchiveOptions {
  readonly env: Pick<Env, 'clock' | 'log' | 'tables' | 'commits' | 'acts' | 'journal'>
  readonly archives: TopicArchives
}

export function createTopicArchiveFollower(options: TopicArchiveOptions): Follower {
  return new TopicArchiveFollower(options)
}

class TopicArchiveFollower implements Follower {
  readonly name = NAME
  readonly pauseMs = PAUSE_MS
  readonly batchBytesMax = BATCH_BYTES
  readonly #env: TopicArchiveOptions['env']
  readonly #archives: TopicArchives
  readonly #clock: Clock
  readonly #unwatch: () => void
  /** Numbers of the archives that there are. */
  readonly #known = new Set<number>()
  /** Up to here all was filed. */
  #filed: Position
  /** Up to here it is on stable storage. */
  #durable: Position
  /** As the record has it. */
  #recorded: Position
  #isDirty = false
  #flushTimer: Timer | undefined
  #trimTimer: Timer
  #trimming: Promise<void> | undefined
  #isStopped = false

  constructor({ env, archives }: TopicArchiveOptions) {
    const { tables, journal, clock } = env
    this.#env = env
    this.#archives = archives
    this.#clock = clock
    for (const { value } of tables.range(Table.topicArchives, {})) {
      this.#known.add(value.number)
      // A backup holds files that are newer than its records: what they have more never was.
      archives.cut(value.number, tables.get(Table.counters, sequenceCounter(value.topicNumber))?.next ?? 1)
    }
    for (const number of archives.archives()) if (!this.#known.has(number)) archives.erase(number)
    this.#recorded = tables.get(Table.checkpoints, NAME)?.position ?? 0
    // Without archives nothing in the journal can belong to one.
    this.#filed = this.#durable = this.#known.size === 0 ? journal.durable : Math.max(journal.start, this.#recorded)
    this.#unwatch = tables.watch(Table.topicArchives, (key) => this.#changed(key))
    this.#trimTimer = clock.after(FIRST_TRIM_MS, () => this.#trimAll())
  }

  /** The journal reaches back to what is on record. */
  get checkpoint(): Position {
    return this.#recorded === 0 ? this.#durable : this.#recorded
  }

  async handle(frames: readonly Frame[]): Promise<void> {
    const last = frames.at(-1)
    if (last === undefined) return
    if (this.#known.size > 0) {
      for (const [archive, messages] of this.#collect(frames)) this.#file(archive, messages)
      if (this.#archives.wantsFlush) await this.#flush()
    }
    this.#filed = last.end
    if (!this.#isDirty) this.#durable = last.end
    else this.#flushTimer ??= this.#clock.after(FLUSH_MS, () => void this.#flushLater())
    await this.#recordWhenFar()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unwatch()
    this.#flushTimer?.cancel()
    this.#trimTimer.cancel()
    await this.#trimming
    try {
      await this.#flush()
      if (this.#known.size > 0 || this.#recorded > 0) await this.#record()
    } catch (error) {
      this.#env.log.warn('the archive of topics could not be written at the end; it is taken from the journal again', {
        error: String(error),
      })
    }
    this.#archives.close()
  }

  #collect(frames: readonly Frame[]): Map<number, ArchivedMessage[]> {
    const found = new Map<number, ArchivedMessage[]>()
    for (const { payload } of frames)
      visitEntries(payload, (kind, at, end) => {
        if (kind !== EntryKind.message) return
        const bytes = payload.subarray(at, end)
        const entry = readEntryAt(bytes)
        if (entry.kind !== 'message' || !entry.header.includes(MARK)) return
        const { archive, sequence, publishedAt } = JSON.parse(entry.header.toString('utf8')) as MessageHeader
        if (archive === undefined || sequence === undefined || !this.#known.has(archive)) return
        const messages = found.get(archive)
        if (messages === undefined) found.set(archive, [{ sequence, publishedAt, bytes }])
        else messages.push({ sequence, publishedAt, bytes })
      })
    return found
  }

  #file(archive: number, messages: readonly ArchivedMessage[]): void {
    this.#isDirty = true
    this.#archives.append(archive, messages)
  }

  async #flush(): Promise<void> {
    this.#flushTimer?.cancel()
    this.#flushTimer = undefined
    const upTo = this.#filed
    this.#isDirty = false
    try {
      await this.#archives.flush()
    } catch (error) {
      this.#isDirty = true
      throw error
    }
    this.#durable = Math.max(this.#durable, upTo)
  }

  async #flushLater(): Promise<void> {
    try {
      await this.#flush()
      await this.#recordWhenFar()
    } catch (error) {
      this.#env.log.error('the archive of topics cannot be written; the journal is kept for it', { error: String(error) })
    }
  }

  /** Where no topic ever had an archive there is no record. */
  async #recordWhenFar(): Promise<void> {
    const isUsed = this.#known.size > 0 || this.#recorded > 0
    if (isUsed && this.#durable - this.#recorded >= CHECKPOINT_BYTES) await this.#record()
  }

  async #record(): Promise<void> {
    const position = this.#durable
    if (position === this.#recorded) return
    await this.#env.commits.commit((tx) => tx.put(Table.checkpoints, NAME, { position })).done
    this.#recorded = position
  }

  #changed(key: string): void {
    const archive = this.#env.tables.get(Table.topicArchives, key)
    if (archive !== undefined) return void this.#known.add(archive.number)
    const number = Number(key)
    this.#known.delete(number)
    // On a later turn, once it is certain that it goes.
    setImmediate(() => {
      this.#env.commits.settled().then(
        () => this.#archives.erase(number),
        () => {},
      )
    })
  }

  #trimAll(): void {
    this.#trimming = this.#trimEach()
      .catch((error: unknown) => this.#env.log.warn('archives of topics could not be trimmed; it is tried again', { error: String(error) }))
      .finally(() => {
        this.#trimming = undefined
        if (!this.#isStopped) this.#trimTimer = this.#clock.after(TRIM_MS, () => this.#trimAll())
      })
  }

  async #trimEach(): Promise<void> {
    for (const { value } of this.#env.tables.range(Table.topicArchives, {})) {
      if (this.#isStopped) return
      await this.#trim(value)
    }
  }

  async #trim(archive: TopicArchive): Promise<void> {
    const { commits, acts } = this.#env
    const { number, days, topicArn } = archive
    const now = this.#clock.now()
    const before = beginningOf(archive, now)
    const trimmed = await this.#archives.trim(number, { before, rollBefore: now - Math.min(DAY_MS, (days * DAY_MS) / FILE_SHARE) })
    if (trimmed.files === 0) return
    const { upTo, messages, bytes } = trimmed
    await commits.commit((tx) => {
      const current = tx.get(Table.topicArchives, archiveKey(number))
      if (current === undefined) return
      tx.put(Table.topicArchives, archiveKey(number), { ...current, first: Math.max(current.first, upTo + 1) })
      const publishedBefore = new Date(before).toISOString()
      acts.tell(tx, { name: 'TopicArchiveTrimmed', details: { topicArn, publishedBefore, messages, bytes } })
    }).done
  }
}
