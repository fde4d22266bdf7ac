// The port of the lake: the record as two SQL tables, `events` and `deliveries`. A follower appends what the journal tells, in order;
// whoever may ask queries it. Both sides' duties stand at each member. One conformance suite: lake.suite.ts.
import type { EventClassCode } from '../model/entry.ts'
import type { ColumnType, SqlValue } from '../model/sql-rows.ts'
import type { Position } from './journal.ts'

/** `json`: UTF-8, one JSON object. Times in ms since 1970, fractions kept. */
export type LakeRow =
  | {
      readonly kind: 'event'
      readonly position: Position
      readonly class: EventClassCode
      readonly arrivedAt: number
      readonly committedAt: number
      readonly json: Buffer
    }
  | { readonly kind: 'attempt'; readonly position: Position; readonly json: Buffer }

/** What the journal tells between the end of the batch before and `upTo`. Positions of rows grow and lie below `upTo`. */
export interface LakeBatch {
  readonly rows: readonly LakeRow[]
  readonly upTo: Position
}

export interface Lake {
  /** Rows below it are on stable storage: after a restart the follower MUST append again from here. */
  readonly checkpoint: Position
  /** Rows below it are seen by every query that starts from now on. */
  readonly appended: Position
  /**
   * Takes rows in; those below `appended` are there already and change nothing, so a batch may come twice, even while the first one is
   * under way. The rows' buffers MUST stay as they are until it resolves; then the rows are visible and the next batch may come. Rejects,
   * and has taken nothing, when rows can no longer be written and too many wait.
   */
  append(batch: LakeBatch): Promise<void>
  /** Resolves when all that is appended is on stable storage and `checkpoint` stands at `appended`. */
  flush(): Promise<void>
  /**
   * Runs one SELECT over the tables of the lake. Rejects with LakeQueryError when the statement is refused or fails, now or while the
   * batches are read. Who does not read the batches to their end MUST end the iteration (`break`), which cancels the query.
   */
  query(sql: string, options?: LakeQueryOptions): Promise<LakeResult>
  /**
   * Reads CloudTrail files, and folders of them, into `events` with class `imported`. A record is told apart by eventID and
   * recipientAccountId, or by its content when it has no eventID, so that importing the same again changes nothing. Files that cannot be
   * read and records that cannot be used are named in the answer; nothing else is left out. What is imported is durable on return.
   */
  importPaths(paths: readonly string[], options?: LakeImportOptions): Promise<LakeImport>
  /**
   * Lets go of whole files: those whose youngest row was committed before `beforeMs` (of deliveries `deliveriesBeforeMs`, once they are in
   * files of their own), then the oldest until at most `bytesMax` are left.
   */
  expire(limits: LakeLimits): Promise<{ readonly files: number; readonly bytes: number }>
  /**
   * What of the folder is the lake at this moment: the manifest, and the files that never change under their names, which it may let go of
   * at any later one. Undefined without a folder.
   */
  picture(): { readonly manifest: Buffer; readonly files: readonly string[] } | undefined
  /** Bytes kept, on disk or, without a folder, in memory. */
  bytes(): number
  /** Flushes, ends what runs and lets go. */
  close(): Promise<void>
}

export interface LakeLimits {
  readonly beforeMs?: number
  readonly deliveriesBeforeMs?: number
  readonly bytesMax?: number
}

export interface LakeQueryOptions {
  /** How long the statement itself may run; 60 s when absent. */
  readonly timeoutMs?: number
  /** Rows beyond it are left out, and `truncated()` says so. */
  readonly rowsMax?: number
}

export interface LakeColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface LakeResult {
  readonly columns: readonly LakeColumn[]
  /** Rows in batches, as they come; only a few batches are held at a time. */
  readonly batches: AsyncIterable<readonly (readonly SqlValue[])[]>
  /** True when `rowsMax` cut the result; known once the batches are read. */
  truncated(): boolean
}

export interface LakeImportOptions {
  /** Stands as arrived_at and committed_at of the records, in ms since 1970; now when absent. */
  readonly importedAt?: number
  readonly onProgress?: (progress: LakeImportProgress) => void
  readonly signal?: AbortSignal
}

export interface LakeImportProgress {
  readonly files: number
  readonly filesTotal: number
  readonly bytes: number
  readonly bytesTotal: number
  readonly records: number
}

export interface LakeImport {
  /** Files looked at, skipped ones included. */
  readonly files: number
  /** Records found in them: imported + duplicates + rejected. */
  readonly records: number
  readonly imported: number
  readonly duplicates: number
  readonly rejected: number
  /** Files that gave nothing, or not all of what they hold, and why. At most NAMED_MAX; `skippedFiles` counts all. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[]
  readonly skippedFiles: number
  /** Records that cannot be used, by file and place (the first is 0). At most NAMED_MAX; `rejected` counts all. */
  readonly rejections: readonly { readonly path: string; readonly index: number; readonly reason: string }[]
}

/** How many skipped files and rejected records an import names one by one. */
export const NAMED_MAX = 10_000

/** `refused`: no statement that the lake runs. `invalid`: wrong SQL. `resources`: it needs more than it may have. `failed`: ours. */
export type LakeQueryFailure = 'refused' | 'invalid' | 'timeout' | 'cancelled' | 'resources' | 'failed'

export class LakeQueryError extends Error {
  override readonly name = 'LakeQueryError'
  readonly kind: LakeQueryFailure

  constructor(kind: LakeQueryFailure, message: string) {
    super(message)
    this.kind = kind
  }
}

/** The lake cannot go on: a file is missing or damaged, or of a newer release. Names the file. */
export class LakeDamaged extends Error {
  override name = 'LakeDamaged'
}
