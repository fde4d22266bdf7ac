// What the queues need of a backend: two ordered maps of bytes, one for the checkpoints of the index, one for copied bodies.
// They are apart so that a large copy never delays a checkpoint. Keys are ordered by their bytes.

export interface QueueStore {
  readonly index: StoredBytes
  readonly bodies: StoredBytes
  close(): Promise<void>
}

export interface StoredBytes {
  get(key: Buffer): Buffer | undefined
  /** Entries from `from` (included) to `to` (excluded), in order, read at once. The buffers are the caller's. */
  entries(from: Buffer, to: Buffer, limit?: number): readonly StoredEntry[]
  /** Atomic; durable when it resolves; calls take effect in their order. The buffers MUST NOT be changed until then. */
  write(changes: readonly StoredChange[]): Promise<void>
  bytes(): number
  /** A snapshot as files in `folder`, which is empty; what is written meanwhile waits for nothing. */
  copyTo(folder: string): Promise<void>
}

export interface StoredEntry {
  readonly key: Buffer
  readonly value: Buffer
}
export interface StoredChange {
  readonly key: Buffer
  /** Undefined: the key goes. */
  readonly value: Buffer | undefined
}
