// The one small interface through which the files that we write ourselves are written, so that tests can tear, lose, flip and refuse
// them. Synchronous: the journal's writer is a thread of its own, and everyone else does little here. Suite: files.suite.ts.
// Errors are Node's system errors with their `code` (ENOENT, ENOSPC, EIO, EEXIST).

export interface Files {
  /** Where another thread, which cannot be handed this object, gets the same files: a module's URL and its exported function. */
  readonly elsewhere?: { readonly module: string; readonly name: string }
  /**
   * `read`: must exist. `create`: must not exist, for reading and writing. `write`: must exist, for reading and writing.
   * With `durable`, each write is on stable storage when it returns (O_DSYNC).
   */
  open(path: string, mode: 'read' | 'create' | 'write', options?: { readonly durable?: boolean }): File
  exists(path: string): boolean
  /** Names in a folder, in order. An absent folder is an error. */
  list(folder: string): string[]
  /** Makes a folder and its parents; present ones are fine. */
  makeFolder(path: string): void
  /** Atomic; replaces `to`. Durable after `syncFolder` of the folder. */
  rename(from: string, to: string): void
  remove(path: string): void
  /** Makes creations, renames and removals in `path` durable. */
  syncFolder(path: string): void
  /** As `syncFolder`, without keeping this thread waiting. */
  syncFolderLater(path: string): Promise<void>
  /** Bytes free for us on the volume of `path`. */
  free(path: string): number
}

export interface File {
  /** Bytes read; less than `length` only at the end of the file. */
  read(into: Uint8Array, offset: number, length: number, position: number): number
  /** As `read`, without keeping this thread waiting; settles on a later turn. The file MUST stay open until then. */
  readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Bytes written; may be short, as write(2) is. */
  write(from: Uint8Array, offset: number, length: number, position: number): number
  sync(): void
  /** As `sync`, without keeping this thread waiting; settles on a later turn. The file MUST stay open until then. */
  syncLater(): Promise<void>
  truncate(length: number): void
  size(): number
  close(): void
}
