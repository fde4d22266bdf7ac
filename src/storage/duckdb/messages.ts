// What the server and the SQL process say to each other. The server owns the lake's files: the process writes only where it is told,
// and what it wrote counts once the server has named it in the manifest.
import type { LakeColumn, LakeQueryFailure } from '../lake.ts'
import type { Position } from '../journal.ts'

/** Parquet files by table. `imported` rows belong to `events`. */
export interface TableFiles {
  readonly events: readonly string[]
  readonly deliveries: readonly string[]
  readonly imported: readonly string[]
}

export type ToEngine =
  | {
      readonly kind: 'open'
      readonly id: number
      /** Absent: everything stays in memory. */
      readonly folder: string | undefined
      readonly memoryBytes: number
      readonly threads: number
    }
  /** Lines of storage/duckdb/lines.ts, in the body or in a compressed file; those below `from` are known already. */
  | { readonly kind: 'feed'; readonly id: number; readonly from: Position; readonly file: string | undefined; readonly compressed: boolean }
  /** Rows below `upTo` go to two Parquet files; which are flushed and named by the server. */
  | { readonly kind: 'compact'; readonly id: number; readonly upTo: Position; readonly events: string; readonly deliveries: string }
  /** From now on these files are read, and fed rows below `upTo` are forgotten, in one step. */
  | { readonly kind: 'files'; readonly id: number; readonly files: TableFiles; readonly upTo: Position }
  | { readonly kind: 'query'; readonly id: number; readonly sql: string; readonly rowsMax: number | undefined }
  /** One more batch may come; for a query, and as the answer to `batch` of an import. */
  | { readonly kind: 'more'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | {
      readonly kind: 'import'
      readonly id: number
      readonly paths: readonly string[]
      readonly importedAt: number
      /** Where each batch's Parquet file goes: this and a number; absent: rows stay in memory. */
      readonly prefix: string | undefined
    }

/** `oldest` and `newest`: committed_at in ms since 1970. */
export interface WrittenFile {
  readonly rows: number
  readonly oldest: number
  readonly newest: number
}

export type FromEngine =
  | { readonly kind: 'done'; readonly id: number; readonly events?: WrittenFile; readonly deliveries?: WrittenFile }
  | { readonly kind: 'columns'; readonly id: number; readonly columns: readonly LakeColumn[] }
  /** The rows of a query as a JSON array of arrays in the body; or, of an import, one file that waits to be named. */
  | { readonly kind: 'rows'; readonly id: number }
  | { readonly kind: 'written'; readonly id: number; readonly file: string; readonly written: WrittenFile }
  | { readonly kind: 'end'; readonly id: number; readonly truncated: boolean }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: unknown }
  | { readonly kind: 'imported'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: LakeQueryFailure; readonly message: string }
