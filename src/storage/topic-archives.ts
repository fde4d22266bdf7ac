// The port of the archives of topics: messages by the sequence of their topic, kept until they are trimmed by their time. One backend over
// files, which may be in memory. What is written counts as kept once it was flushed; a crash may take the rest, which comes again.

export interface ArchivedMessage {
  /** Of its topic; rises from message to message. */
  readonly sequence: number
  /** In ms since 1970. May step back, as clocks do. */
  readonly publishedAt: number
  /** The message entry (model/entry.ts, readEntryAt). */
  readonly bytes: Buffer
}

/** Where a reader stands; opaque. */
export interface ArchivePlace {
  readonly segment: string
  readonly offset: number
}

export interface ArchiveRead {
  /** In order; none where what was looked at lies before what is asked for. */
  readonly messages: readonly ArchivedMessage[]
  /** Where to read on. */
  readonly place: ArchivePlace
}

/** From where on messages are read. */
export interface ArchiveStart {
  readonly sequence: number
  /** Stretches that end before that time are left out, */
  readonly since: number
  /** as far as they lie before this sequence. */
  readonly always: number
}

export interface ArchiveFile {
  readonly name: string
  readonly bytes: number
  /** It is full and never changes again. */
  readonly isClosed: boolean
}

export interface Trimmed {
  /** The newest sequence that went; 0 when none did. */
  readonly upTo: number
  readonly files: number
  readonly messages: number
  readonly bytes: number
}

export interface TopicArchives {
  /** Adds messages that are newer than all there; others are known, and passed over. Copies their bytes. */
  append(archive: number, messages: readonly ArchivedMessage[]): void
  /** The newest sequence ever written, 0 for an empty archive. */
  newest(archive: number): number
  /** Takes away what has this sequence or a later one: it belongs to another future than the one that came (a restored backup). */
  cut(archive: number, from: number): void
  /** Resolves when all that was appended before the call is on stable storage. After a rejection nothing more may be appended. */
  flush(): Promise<void>
  /** Some file is so large that the next message should begin another, which a flush brings about. */
  readonly wantsFlush: boolean
  /**
   * The next messages; undefined at the end. `place`: of the read before. Rejects with TopicArchiveDamaged.
   */
  read(archive: number, from: ArchiveStart, place?: ArchivePlace): Promise<ArchiveRead | undefined>
  /** Lets go of whole files whose messages are all older than `before`. A file that was begun before `rollBefore` takes no more. */
  trim(archive: number, times: { readonly before: number; readonly rollBefore: number }): Promise<Trimmed>
  /** All of it goes. */
  erase(archive: number): void
  /** Numbers of archives that have files. */
  archives(): readonly number[]
  files(): readonly ArchiveFile[]
  bytes(): number
  /** Calls `appended` after each append, with the archive's number. Returns how to stop. */
  watch(appended: (archive: number) => void): () => void
  /** Until the returned function is called no file is removed. */
  hold(): () => void
  close(): void
}

/** What was kept is missing or changed. Names the file. */
export class TopicArchiveDamaged extends Error {
  override name = 'TopicArchiveDamaged'
}

/** Written by a newer release. Nothing was changed. */
export class TopicArchiveTooNew extends Error {
  override name = 'TopicArchiveTooNew'
}
