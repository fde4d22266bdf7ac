// The port of the journal: an append-only, durable sequence of frames. It knows bytes and positions, not what they mean.
// Both sides' duties stand at each member. One conformance suite: journal.suite.ts.

/** A place in the journal: a safe integer that grows with it. Opaque to followers: they compare and keep it, and never calculate. */
export type Position = number

export interface Frame {
  readonly position: Position
  /** Up to here the journal is read once this frame is: where the next frame stands, or a seal and then the next frame. */
  readonly end: Position
  readonly entries: number
  /** Where the payload stands: `readBytes(payloadPosition + offset, length)` reads from it. */
  readonly payloadPosition: Position
  readonly payload: Buffer
}

/** Called once a frame: without a failure when it is durable and applied, with one when it never will be. */
export type Settled = (failure?: Error) => void

export interface Journal {
  /** The oldest frame still kept. */
  readonly start: Position
  /** The end of the last frame on stable storage; so is everything before it. A seal behind it does not move it. */
  readonly durable: Position
  /** Where the next frame will stand. */
  readonly tail: Position
  /**
   * Copies `payload` before it returns; the position is final. Frames become durable in the order of append.
   * Throws JournalFull (try later) or JournalFailed (read-only from now on) before anything is staged; a payload that can never fit or
   * more than 65,535 entries are a RangeError.
   * `settled` MUST be called from a later turn of the event loop than the append, in order, after every `onDurable` listener had the frame.
   */
  append(payload: Uint8Array, entries: number, settled: Settled): Position
  /**
   * Whole frames from `from` (a position or end of a frame) on, at least one when `from` is below `durable`, at most about `bytesMax`;
   * none at `durable`. Payloads may be views on shared memory: they stay as they are, MUST NOT be written, and should not be kept.
   * Throws JournalTrimmed when `from` is before `start`, JournalDamaged on a bad frame: named, never skipped.
   */
  read(from: Position, bytesMax: number): Promise<readonly Frame[]>
  /** The reader is done with what `read` gave it, whose memory is used again; what is never released is left to the collector. */
  release(frames: readonly Frame[]): void
  /**
   * `length` bytes at an absolute position, within the payload of one frame below `durable`: at once where they are in memory, else from
   * disk, checked. Rejects with JournalTrimmed or JournalDamaged. The buffer is the caller's.
   */
  readBytes(position: Position, length: number): Buffer | Promise<Buffer>
  /** Called for each flushed group, in order, before its frames settle. A listener MUST NOT throw and MUST NOT keep the buffers. */
  onDurable(listener: (frames: readonly Frame[]) => void): void
  /** Called once, when a write or flush failed. From then on every append throws JournalFailed; nothing is retried. */
  onFailure(listener: (failure: Error) => void): void
  /** Whole segments that lie before `before` may go: `start` moves at once, the files follow. Keeps what `read` from `before` needs. */
  trim(before: Position): void
  /** Starts of the kept segments, oldest first: who pins one copies what it needs and lets go. */
  segments(): readonly JournalSegment[]
  /** Flushes what is staged, writes a seal, releases the files. */
  close(): Promise<void>
}

export interface JournalSegment {
  readonly start: Position
  readonly end: Position
  /** Of the file, prepared room included. */
  readonly bytes: number
  /** The file's name. */
  readonly file: string
  /** How much of the file holds the frames up to `end`, or to `position` where that lies before. */
  bytesUpTo(position: Position): number
}

export class JournalFull extends Error {
  override name = 'JournalFull'
}
export class JournalFailed extends Error {
  override name = 'JournalFailed'
}
export class JournalTrimmed extends Error {
  override name = 'JournalTrimmed'
}
/** The journal's files are of a format that this release does not know. Nothing was changed. */
export class JournalTooNew extends Error {
  override name = 'JournalTooNew'
}
/** A frame that was acknowledged is unreadable. Names the segment's file and the position. */
export class JournalDamaged extends Error {
  override name = 'JournalDamaged'
}
