// What the event history needs of a backend: an ordered map of bytes. Keys are ordered by their bytes.

export interface HistoryStore {
  get(key: Buffer): Buffer | undefined
  /** Entries from `from` up to `to`, both included, in order, read at once. The buffers are the caller's. */
  forward(from: Buffer, to: Buffer, limit?: number): readonly HistoryEntry[]
  /** The same from `from` down to `to`. */
  backward(from: Buffer, to: Buffer, limit?: number): readonly HistoryEntry[]
  /** Atomic; durable when it resolves. The buffers MUST NOT be changed until then. One write at a time. */
  write(changes: readonly HistoryChange[]): Promise<void>
  bytes(): number
  /** A snapshot as files in `folder`, which is empty; what is written meanwhile waits for nothing. */
  copyTo(folder: string): Promise<void>
  close(): Promise<void>
}

export interface HistoryEntry {
  readonly key: Buffer
  readonly value: Buffer
}
export interface HistoryChange {
  readonly key: Buffer
  /** Undefined: the key goes. */
  readonly value: Buffer | undefined
}
